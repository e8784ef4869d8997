"""Days, weeks and months as people in one time zone count them, also where clocks change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal, get_args

PeriodName = Literal["today", "week", "month"]
PERIODS: tuple[PeriodName, ...] = get_args(PeriodName)


@dataclass(frozen=True, slots=True)
class Week:
    """The seven days from `monday` in a time zone."""

    monday: date
    zone: tzinfo

    @classmethod
    def before(cls, moment: datetime, zone: tzinfo) -> Week:
        """The last whole week, Monday to Sunday, before the one that `moment` lies in."""
        today = moment.astimezone(zone).date()
        return cls(today - timedelta(days=today.weekday() + 7), zone)

    @property
    def noun(self) -> str:
        """What it is called."""
        return "week"

    @property
    def id(self) -> str:
        """For example "week-2026-11-16"."""
        return f"week-{self.monday}"

    @property
    def previous(self) -> Week:
        """The week before this one."""
        return Week(self.monday - timedelta(days=7), self.zone)

    @property
    def days(self) -> tuple[date, ...]:
        """Its seven days."""
        return tuple(self.monday + timedelta(days=number) for number in range(7))

    @property
    def since(self) -> datetime:
        """Its first moment, in UTC."""
        return midnight(self.monday, self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after it, in UTC."""
        return midnight(self.monday + timedelta(days=7), self.zone)

    def __str__(self) -> str:
        """For example "9–15 November 2026" or "30 November – 6 December 2026"."""
        first, last = self.days[0], self.days[-1]
        if first.month == last.month:
            return f"{first.day}–{last.day} {last:%B %Y}"
        year = "" if first.year == last.year else f" {first.year}"
        return f"{first.day} {first:%B}{year} – {last.day} {last:%B %Y}"


@dataclass(frozen=True, slots=True)
class Month:
    """The calendar month that begins on `first` in a time zone."""

    first: date
    zone: tzinfo

    @classmethod
    def of(cls, day: date, zone: tzinfo) -> Month:
        """The month of a day."""
        return cls(day.replace(day=1), zone)

    @classmethod
    def before(cls, moment: datetime, zone: tzinfo) -> Month:
        """The last whole month before the one that `moment` lies in."""
        return cls.of(moment.astimezone(zone).date().replace(day=1) - timedelta(days=1), zone)

    @property
    def noun(self) -> str:
        """What it is called."""
        return "month"

    @property
    def id(self) -> str:
        """For example "month-2026-11-01"."""
        return f"month-{self.first}"

    @property
    def previous(self) -> Month:
        """The month before this one."""
        return Month.of(self.first - timedelta(days=1), self.zone)

    @property
    def days(self) -> tuple[date, ...]:
        """Its days."""
        return tuple(
            self.first + timedelta(days=number) for number in range((_after_month(self.first) - self.first).days)
        )

    @property
    def since(self) -> datetime:
        """Its first moment, in UTC."""
        return midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """The first moment after it, in UTC."""
        return midnight(_after_month(self.first), self.zone)

    def __str__(self) -> str:
        """For example "November 2026"."""
        return f"{self.first:%B %Y}"


Span = Week | Month


_TITLES: dict[PeriodName, str] = {"today": "Today", "week": "This week", "month": "This month"}


@dataclass(frozen=True, slots=True)
class Period:
    """From the start of a day to the end of today; in UTC, `until` not in it. `title` begins a sentence."""

    title: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, name: PeriodName, now: datetime, zone: tzinfo) -> Period:
        """The period that `now` lies in, as the zone's calendar has it. A week begins on Monday."""
        today = now.astimezone(zone).date()
        first = {
            "today": today,
            "week": today - timedelta(days=today.weekday()),
            "month": today.replace(day=1),
        }[name]
        return cls(_TITLES[name], midnight(first, zone), midnight(today + timedelta(days=1), zone))

    @classmethod
    def last(cls, days: int, now: datetime, zone: tzinfo) -> Period:
        """As many days of the zone, today among them."""
        today = now.astimezone(zone).date()
        since = midnight(today - timedelta(days=days - 1), zone)
        return cls(f"The last {days} days", since, midnight(today + timedelta(days=1), zone))

    @classmethod
    def whole(cls, name: PeriodName, now: datetime, zone: tzinfo) -> Period:
        """The whole day, week or month that `now` lies in, to its last moment."""
        begun = cls.of(name, now, zone)
        first = begun.since.astimezone(zone).date()
        after = {
            "today": first + timedelta(days=1),
            "week": first + timedelta(days=7),
            "month": _after_month(first.replace(day=1)),
        }[name]
        return cls(begun.title, begun.since, midnight(after, zone))


def _after_month(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day in a zone, in UTC. Where clocks skip midnight, the moment they jump."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
