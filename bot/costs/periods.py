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
class Period:
    """From the start of today, this week or this month to the end of today; in UTC, `until` not in it."""

    name: PeriodName
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
        return cls(name, midnight(first, zone), midnight(today + timedelta(days=1), zone))

    @classmethod
    def whole(cls, name: PeriodName, now: datetime, zone: tzinfo) -> Period:
        """The whole day, week or month that `now` lies in, to its last moment."""
        begun = cls.of(name, now, zone)
        first = begun.since.astimezone(zone).date()
        after = {
            "today": first + timedelta(days=1),
            "week": first + timedelta(days=7),
            "month": (first.replace(day=28) + timedelta(days=4)).replace(day=1),
        }[name]
        return cls(name, begun.since, midnight(after, zone))


def midnight(day: date, zone: tzinfo) -> datetime:
    """The first moment of a day in a zone, in UTC. Where clocks skip midnight, the moment they jump."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
