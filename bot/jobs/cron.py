"""When a cron expression fires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from apscheduler.triggers.cron import CronTrigger

from bot.errors import ConfigError

_FIELDS = {"minute": "minute", "hour": "hour", "day": "day of the month", "month": "month", "day_of_week": "weekday"}
_WINDOWS = (timedelta(hours=1), timedelta(days=1), timedelta(days=8), timedelta(days=32))


class Trigger:
    """The moments at which a cron expression fires in a time zone.

    Where clocks go back, a fixed hour fires in the first of the two alone, and “every hour” in both. A time that
    clocks skip fires as much later as they jump. All moments it gives are in UTC: Python compares two moments of
    one zone by what the clock shows.
    """

    def __init__(self, cron: CronTrigger, zone: tzinfo, *, every_hour: bool) -> None:
        self._cron = cron
        self._zone = zone
        self._every_hour = every_hour

    def after(self, moment: datetime) -> datetime | None:
        """The first firing after a moment; None where there is never another."""
        while True:
            start = moment.astimezone(self._zone)
            found = self._cron.get_next_fire_time(start, start)
            if found is None:
                return None
            moment = found.astimezone(UTC)  # a time that clocks skip becomes one that there is
            if self._every_hour or not moment.astimezone(self._zone).fold:
                return moment

    def latest(self, since: datetime, now: datetime) -> datetime | None:
        """The last firing after `since` and up to `now`; None where there was none."""
        since, now = since.astimezone(UTC), now.astimezone(UTC)
        for window in _WINDOWS:
            if now - window > since and (fire_at := self._last(now - window, now)):
                return fire_at
        return self._last(since, now)

    def _last(self, since: datetime, now: datetime) -> datetime | None:
        last, fire_at = None, self.after(since)
        while fire_at and fire_at <= now:
            last, fire_at = fire_at, self.after(fire_at)
        return last


def parse_cron(text: str, zone: tzinfo) -> Trigger:
    """A cron expression of five fields. Raises ConfigError with a sentence that says what is wrong with it."""
    values = text.split()
    if len(values) != len(_FIELDS):
        raise _refused(text, f"it has {len(values)} fields where five are needed")
    fields = dict(zip(_FIELDS, values, strict=True))
    if any(char.isdigit() for char in fields["day_of_week"]):
        raise _refused(
            text, "a weekday is written mon, tue, wed, thu, fri, sat or sun, as numbers are read differently"
        )
    if fields["day"] != "*" and fields["day_of_week"] != "*":
        raise _refused(text, "it names a day of the month and a weekday; give one and * for the other")
    for name, value in fields.items():
        try:
            CronTrigger(**{name: value}, timezone=zone)
        except ValueError as error:
            raise _refused(text, f"the {_FIELDS[name]} “{value}” cannot be") from error
    trigger = Trigger(CronTrigger(**fields, timezone=zone), zone, every_hour=fields["hour"] == "*")
    if trigger.after(datetime.now(UTC)) is None:
        raise _refused(text, "there is no such day in any year")
    return trigger


def _refused(text: str, why: str) -> ConfigError:
    return ConfigError(
        f"“{text}” is no schedule: {why}. Write minute, hour, day of the month, month and weekday, for example "
        "“0 9 * * mon” for Mondays at 9:00."
    )
