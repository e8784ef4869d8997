from decimal import Decimal

import pytest

from bot.costs.money import at_least, dollars


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0"),
        ("0.0042", "$0.0042"),
        ("0.0001875", "$0.0001875"),
        ("0.000000000123", "$0.000000000123"),
        ("0.00421739", "$0.004217"),
        ("0.5", "$0.50"),
        ("0.1", "$0.10"),
        ("0.99996", "$1.00"),
        ("1", "$1.00"),
        ("4.184", "$4.18"),
        ("12345.678", "$12,345.68"),
        ("1E-7", "$0.0000001"),
    ],
)
def test_small_sums_keep_the_digits_that_matter(amount: str, shown: str) -> None:
    assert dollars(Decimal(amount)) == shown


def test_a_sum_with_unknown_parts_is_a_lower_bound() -> None:
    assert at_least(Decimal("0.5"), 0) == "$0.50"
    assert at_least(Decimal("0.5"), 1) == "at least $0.50"
    assert at_least(Decimal(0), 2) == "unknown"
    assert at_least(Decimal(0), 0) == "$0"
