from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.people.working_hours import after_hours

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "hours", "due"),
    [
        ("2026-11-18 10:00", 4, "2026-11-18 14:00"),
        ("2026-11-18 15:00", 4, "2026-11-19 11:00"),
        ("2026-11-20 16:30", 1, "2026-11-23 09:30"),
        ("2026-11-21 12:00", 4, "2026-11-23 13:00"),
        ("2026-11-18 05:00", 4, "2026-11-18 13:00"),
        ("2026-11-18 09:00", 20, "2026-11-20 13:00"),
        ("2026-03-27 16:00", 4, "2026-03-30 12:00"),  # over the change of clocks
    ],
)
def test_hours_are_counted_while_people_work(moment: str, hours: float, due: str) -> None:
    began = datetime.fromisoformat(moment).replace(tzinfo=BERLIN).astimezone(UTC)
    assert after_hours(began, hours, BERLIN).astimezone(BERLIN) == datetime.fromisoformat(due).replace(tzinfo=BERLIN)
