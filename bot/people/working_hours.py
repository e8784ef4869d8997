"""When people work: Monday to Friday, nine to five, where the reports are read."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo

BEGIN, END = time(9), time(17)
_SATURDAY = 5


def after_hours(moment: datetime, hours: float, zone: tzinfo) -> datetime:
    """The moment when people have worked so many hours after another one; always within their working hours."""
    left, now = timedelta(hours=hours), moment.astimezone(zone)
    while True:
        begin, end = now.replace(hour=BEGIN.hour, minute=0, second=0, microsecond=0), _end(now)
        if now.weekday() >= _SATURDAY or now >= end:
            now = (begin + timedelta(days=1)).replace(hour=BEGIN.hour)
            continue
        now = max(now, begin)
        if now + left <= end:
            return (now + left).astimezone(moment.tzinfo)
        left -= end - now
        now = end


def _end(now: datetime) -> datetime:
    return now.replace(hour=END.hour, minute=0, second=0, microsecond=0)
