"""Each hour: roll-outs that fell are rolled back, those whose model has ended are retired."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.evaluation.rolling_out import RollingOut
from bot.jobs.schedule import Work

HOURLY = "17 * * * *"

log = structlog.get_logger("bot.jobs")

Tell = Callable[[str], Awaitable[None]]
"""Brings a sentence to where reports go."""


def rollout_job(rolling: RollingOut, tell: Tell | None, *, promote: bool) -> Work:
    """Work that follows the rules; with `promote` also those that take a model further."""

    async def work(_fire_at: datetime) -> None:
        for rollout, why in await rolling.follow_rules(promote=promote):
            log.info("rollout_moved", model=rollout.model, stage=rollout.stage.value)
            if tell is not None:
                await tell(f"“{rollout.model}” is now {rollout.stage.words}. {why} `/tune` shows its figures.")

    return work
