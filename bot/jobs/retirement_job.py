"""Each day: which models in use end, told at 90, 30, 7 and 0 days, with their successor tried on recent questions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.core import Core
from bot.evaluation.ends import Ending, Ends
from bot.evaluation.succession import Replaying, Succession
from bot.jobs.schedule import Work
from bot.models.sync import sync

log = structlog.get_logger("bot.jobs")

DAILY = "30 7 * * *"

Tell = Callable[[Ending, Succession | None], Awaitable[None]]


def retirement_job(core: Core, replaying: Replaying, tell: Tell) -> Work:
    """Work that asks every server for its models, and has `tell` bring each end to the admins once a stage."""

    async def work(_fire_at: datetime) -> None:
        now = core.clock()
        await sync(core.models.catalogue, core.models.endpoints(), core.lifecycle, now)
        core.models.told_shutdowns(await core.lifecycle.told(core.models.catalogue))
        ends = Ends(core)
        for ending in await ends.coming(now):
            stage = ending.stage(now.date())
            if stage is None or not await ends.claim(ending, stage, now):
                continue
            successor = ending.successor
            replay = await replaying.of(ending.card, successor, now) if successor is not None else None
            await tell(ending, replay)
            await ends.confirm(ending, stage, core.clock())
            log.info("end_of_model_told", model=ending.card.name, day=str(ending.end.day), stage=stage)

    return work
