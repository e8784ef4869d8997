from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from handlers.blocks import words

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


def test_an_unknown_price_is_not_free() -> None:
    assert words.money(None) == "price unknown"
    assert words.money(Decimal(0)) == "free"
    assert words.money(Decimal("0.00000012")).startswith("$0.0000001")


@pytest.mark.parametrize(
    ("days", "worded"),
    [(0, "today"), (1, "yesterday"), (3, "3 days ago"), (14, "2 weeks ago"), (45, "1 month ago"), (800, "2 years ago")],
)
def test_an_age_is_worded_in_the_largest_whole_unit(days: int, worded: str) -> None:
    assert words.age(NOW - timedelta(days=days), NOW) == worded


def test_durations_are_short() -> None:
    assert [words.seconds(value) for value in (0.44, 12.3, 125)] == ["0.4 s", "12 s", "2 min 5 s"]
