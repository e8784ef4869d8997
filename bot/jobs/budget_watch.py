"""Looks each minute whether half of a budget, 80% or all of it is spent, and tells it once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.costs.crossings import Crossing, Crossings

SECONDS = 60.0

log = structlog.get_logger("bot.jobs")

Tell = Callable[[Crossing], Awaitable[bool]]
"""Tells a crossing; whether anybody heard of it."""


async def watch_budgets(crossings: Crossings, tell: Tell, clock: Callable[[], datetime]) -> None:
    """Looks until it is cancelled. No job of the schedule: each crossing is claimed by itself, whoever looks."""
    while True:
        try:
            await tell_crossings(crossings, tell, clock())
        except Exception:  # the outermost door of this task: what was not told is told in a minute
            log.exception("budgets_not_watched")
        await asyncio.sleep(SECONDS)


async def tell_crossings(crossings: Crossings, tell: Tell, now: datetime) -> None:
    """Tells what was crossed and not told yet. What nobody heard of is anybody's again, and tried in a minute."""
    for crossing in await crossings.claim(now):
        heard, budget = False, crossing.standing.budget
        try:
            heard = await tell(crossing)
        finally:
            await (crossings.confirm if heard else crossings.release)(crossing)
        log.info("budget_told" if heard else "budget_not_told", budget=budget.id, share=crossing.share)
