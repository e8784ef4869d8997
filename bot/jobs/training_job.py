"""Each minute: shows how far training runs have come, in one message a run that is edited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.jobs.schedule import Work
from bot.tuning.progress import progress
from bot.tuning.runs import Runs

MINUTELY = "* * * * *"
LOOKED_BACK = timedelta(hours=1)
"""A run that ended longer ago is left: its last word stands, but where no bot ran for so long."""

Show = Callable[[str, str], Awaitable[None]]
"""Brings a run's line to where reports go: its id, and the line as it is now."""


def training_job(runs: Runs, show: Show) -> Work:
    """Work that shows what changed."""
    shown: dict[str, str] = {}

    async def work(fire_at: datetime) -> None:
        for run in await runs.all():
            if run.ended_at is not None and run.ended_at < fire_at - LOOKED_BACK:
                continue
            line = progress(run, await runs.steps(run.id))
            if shown.get(run.id) != line:
                await show(run.id, line)
                shown[run.id] = line

    return work
