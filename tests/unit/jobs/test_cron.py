from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bot.errors import ConfigError
from bot.jobs.cron import Trigger, parse_cron

BERLIN = ZoneInfo("Europe/Berlin")


def firings(trigger: Trigger, after: datetime, count: int, zone: tzinfo = BERLIN) -> list[str]:
    """The next firings as the zone's clocks show them."""
    found = []
    for _ in range(count):
        fire_at = trigger.after(after)
        assert fire_at is not None
        assert fire_at > after.astimezone(UTC)
        after = fire_at
        found.append(fire_at.astimezone(zone).isoformat())
    return found


def test_monday_is_monday() -> None:
    trigger = parse_cron("0 9 * * mon", BERLIN)
    assert firings(trigger, datetime(2026, 11, 21, tzinfo=UTC), 2) == [
        "2026-11-23T09:00:00+01:00",
        "2026-11-30T09:00:00+01:00",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 9 * * 1", "a weekday is written mon, tue"),
        ("0 9 * * */2", "a weekday is written mon, tue"),
        ("0 9 * *", "it has 4 fields where five are needed"),
        ("", "it has 0 fields"),
        ("@weekly", "it has 1 fields"),
        ("61 9 * * mon", "the minute “61” cannot be"),
        ("0 25 * * mon", "the hour “25” cannot be"),
        ("0 9 * * moonday", "the weekday “moonday” cannot be"),
        ("0 9 * * sun-tue", "the weekday “sun-tue” cannot be"),
        ("0 9 * foo mon", "the month “foo” cannot be"),
        ("0 9 1 * mon", "it names a day of the month and a weekday"),
        ("0 9 31 2 *", "there is no such day in any year"),
    ],
)
def test_a_bad_expression_is_refused_with_what_is_wrong_and_an_example(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_cron(text, BERLIN)
    assert why in str(caught.value)
    assert f"“{text}”" in str(caught.value)
    assert "0 9 * * mon" in str(caught.value)


def test_a_fixed_hour_fires_once_where_clocks_go_back() -> None:
    trigger = parse_cron("30 2 * * *", BERLIN)
    assert firings(trigger, datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]
    between = datetime(2026, 10, 25, 2, 45, tzinfo=BERLIN)
    assert firings(trigger, between, 1) == ["2026-10-26T02:30:00+01:00"]


def test_every_half_hour_stays_every_half_hour_where_clocks_change() -> None:
    trigger = parse_cron("*/30 * * * *", BERLIN)
    for start in (datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 3, 28, 23, tzinfo=UTC)):
        moments = [datetime.fromisoformat(text) for text in firings(trigger, start, 12)]
        assert {later - sooner for sooner, later in pairwise(moments)} == {timedelta(minutes=30)}


def test_a_time_that_clocks_skip_fires_as_much_later_as_they_jump() -> None:
    trigger = parse_cron("30 2 * * *", BERLIN)
    assert firings(trigger, datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == [
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_skipped_time_and_the_time_it_moves_to_are_one_firing() -> None:
    trigger = parse_cron("30 2,3 * * *", BERLIN)
    assert firings(trigger, datetime(2026, 3, 29, 0, tzinfo=UTC), 2) == [
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


@pytest.mark.parametrize(
    "zone", ["Australia/Lord_Howe", "Africa/Cairo", "America/New_York", "Europe/Dublin", "Asia/Kathmandu", "UTC"]
)
@pytest.mark.parametrize("hour", ["0", "1", "2", "3", "23"])
def test_a_daily_job_fires_once_on_each_day_of_the_year_in_any_zone(zone: str, hour: str) -> None:
    trigger = parse_cron(f"15 {hour} * * *", ZoneInfo(zone))
    days = [text[:10] for text in firings(trigger, datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)), 365, ZoneInfo(zone))]
    assert len(set(days)) == 365


def test_the_latest_firing_is_found_however_long_ago_the_last_one_was() -> None:
    trigger = parse_cron("0 9 * * mon", BERLIN)
    now = datetime(2026, 11, 18, 12, tzinfo=UTC)
    monday = datetime(2026, 11, 16, 9, tzinfo=BERLIN)
    for since in (datetime(2020, 1, 1, tzinfo=UTC), monday - timedelta(microseconds=1), now - timedelta(days=9)):
        assert trigger.latest(since, now) == monday
    assert trigger.latest(monday, now) is None
    assert trigger.latest(monday - timedelta(hours=1), monday) == monday


def test_a_yearly_schedule_is_found_too() -> None:
    trigger = parse_cron("0 9 1 jan *", UTC)
    since, now = datetime(2020, 6, 1, tzinfo=UTC), datetime(2026, 11, 18, tzinfo=UTC)
    assert trigger.latest(since, now) == datetime(2026, 1, 1, 9, tzinfo=UTC)
