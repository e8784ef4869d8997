"""Posts the cost reports, and adds up at night what they are made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, tzinfo

import structlog

from bot.costs.days import Days
from bot.costs.periods import Month, Span, Week
from bot.costs.report import WeeklyReport
from bot.jobs.schedule import Work

MONTHLY = "0 9 1 * *"
NIGHTLY = "15 3 * * *"

log = structlog.get_logger("bot.jobs")

Make = Callable[[Span, str], Awaitable[WeeklyReport]]
"""Reads a week or month of a channel ("": of all)."""
Post = Callable[[str, WeeklyReport, datetime], Awaitable[None]]
"""Posts a report in a channel; the moment is when it was due."""


def report_job(
    span: type[Week] | type[Month], zone: tzinfo, make: Make, post: Post, channel: str, own: Sequence[str] = ()
) -> Work:
    """Work that reports on the last whole week or month before its firing, also where it is caught up days later: all
    of it in `channel`, and in each channel of `own` what was spent there, where there was anything.

    A channel that cannot be written to does not keep the others from theirs; the first error is raised after them.
    """

    async def work(fire_at: datetime) -> None:
        reported = span.before(fire_at, zone)
        errors: list[Exception] = []
        for place in filter(None, dict.fromkeys((channel, *own))):
            scope = "" if place == channel else place
            try:
                report = await make(reported, scope)
                if not (scope and report.empty):
                    await post(place, report, fire_at)
            except Exception as error:  # the job's own door tells the first of them
                log.warning("report_not_posted", channel=place, problem=str(error))
                errors.append(error)
        if errors:
            raise errors[0]

    return work


def days_job(days: Days, zone: tzinfo) -> Work:
    """Work that adds up the days that are over, so that a report reads sums and not a million rows."""

    async def work(fire_at: datetime) -> None:
        if kept := await days.keep(zone):
            log.info("days_added_up", days=kept)

    return work
