from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.costs.periods import Period, PeriodName, Week, midnight

BERLIN = ZoneInfo("Europe/Berlin")


def test_last_week_is_the_whole_week_before_this_one() -> None:
    monday_morning = datetime(2026, 11, 16, 9, tzinfo=BERLIN)
    week = Week.before(monday_morning, BERLIN)
    assert week.since == datetime(2026, 11, 8, 23, tzinfo=UTC)
    assert week.until == datetime(2026, 11, 15, 23, tzinfo=UTC)
    assert week.previous.until == week.since
    assert Week.before(monday_morning + timedelta(days=6), BERLIN) == week


def test_a_week_is_the_one_of_the_zone_not_of_utc() -> None:
    moment = datetime(2026, 11, 15, 23, 30, tzinfo=UTC)  # Monday in Berlin, Sunday in UTC
    assert Week.before(moment, BERLIN).monday == date(2026, 11, 9)
    assert Week.before(moment, UTC).monday == date(2026, 11, 2)


@pytest.mark.parametrize(("monday", "hours"), [(date(2026, 10, 19), 169), (date(2026, 3, 23), 167)])
def test_a_week_in_which_clocks_change_is_an_hour_longer_or_shorter(monday: date, hours: int) -> None:
    week = Week(monday, BERLIN)
    assert week.until - week.since == timedelta(hours=hours)


def test_a_day_whose_midnight_the_clock_skips_begins_when_it_jumps() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    first = midnight(date(2026, 4, 24), cairo)
    assert first == datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert first.astimezone(cairo).hour == 1
    assert (first - timedelta(seconds=1)).astimezone(cairo).date() == date(2026, 4, 23)


@pytest.mark.parametrize(
    ("name", "first"), [("today", date(2026, 11, 19)), ("week", date(2026, 11, 16)), ("month", date(2026, 11, 1))]
)
def test_a_period_begins_at_midnight_of_the_zone_and_holds_this_moment(name: PeriodName, first: date) -> None:
    now = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # the 19th in Berlin
    period = Period.of(name, now, BERLIN)
    assert period.since == datetime.combine(first, datetime.min.time(), tzinfo=BERLIN)
    assert period.since <= now < period.until


@pytest.mark.parametrize(
    ("monday", "shown"),
    [
        (date(2026, 11, 9), "9–15 November 2026"),
        (date(2026, 11, 30), "30 November – 6 December 2026"),
        (date(2026, 12, 28), "28 December 2026 – 3 January 2027"),
    ],
)
def test_a_week_is_written_by_its_days(monday: date, shown: str) -> None:
    assert str(Week(monday, BERLIN)) == shown
