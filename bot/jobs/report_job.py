"""Posts the weekly cost report."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo

from bot.costs.ledger import Ledger
from bot.costs.periods import Week
from bot.costs.report import WeeklyReport, weekly_report
from bot.jobs.schedule import Work
from bot.learning.feedback import Feedback
from bot.learning.promotion import Standing


def report_job(
    ledger: Ledger,
    feedback: Feedback,
    zone: tzinfo,
    post: Callable[[WeeklyReport], Awaitable[None]],
    standing: Callable[[], Awaitable[Standing]] | None = None,
    shadows: Callable[[Week], Awaitable[str]] | None = None,
    trials: Callable[[Week], Awaitable[tuple[tuple[str, str], ...]]] | None = None,
) -> Work:
    """Work that reports on the last whole week before its firing, also where it is caught up days later. `standing`
    tells who chooses now, `shadows` what shadow runs of a week say and `trials` what its trials (None: the report
    does not)."""

    async def work(fire_at: datetime) -> None:
        choosing = "" if standing is None else (await standing()).sentence
        week = Week.before(fire_at, zone)
        shadowed = "" if shadows is None else await shadows(week)
        tried = () if trials is None else await trials(week)
        await post(await weekly_report(ledger, feedback.counts, week, choosing, shadowed, tried))

    return work
