"""Budgets of which half, 80% or all is spent: each crossing is claimed, told and confirmed, so that it is told once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budget import Standing
from bot.costs.budgets import Budgets
from bot.storage.cost_tables import budget_use

TAKEN_OVER = timedelta(minutes=5)
"""A claim that nobody confirmed for so long was left by a process that ended: another one tells then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A share (in percent) of a budget that is spent now. `taken_over`: from a process that ended, and may have told
    it."""

    standing: Standing
    share: int
    at: datetime
    taken_over: bool = False


class Crossings:
    """Beside what was spent, in SQL: whichever process claims a crossing tells it."""

    def __init__(self, engine: AsyncEngine, budgets: Budgets) -> None:
        self._engine = engine
        self._budgets = budgets

    async def claim(self, now: datetime) -> tuple[Crossing, ...]:
        """The crossings that are this process's to tell: of each budget the highest that was not told."""
        due = [standing for standing in await self._budgets.standing(now) if standing.reached > standing.told]
        claims = [await self._claimed(standing, now) for standing in due]
        return tuple(crossing for crossing in claims if crossing is not None)

    async def confirm(self, crossing: Crossing) -> None:
        """It was told."""
        await self._end(crossing, told=crossing.share)

    async def release(self, crossing: Crossing) -> None:
        """It could not be told, and is anybody's again."""
        await self._end(crossing)

    async def _claimed(self, standing: Standing, now: datetime) -> Crossing | None:
        mine = _row(standing)
        free = budget_use.c.claimed_at.is_(None) | (budget_use.c.claimed_at < now - TAKEN_OVER)
        async with self._engine.begin() as connection:
            before = (
                await connection.execute(sa.select(budget_use.c.claimed_at).where(mine).with_for_update())
            ).first()
            change = sa.update(budget_use).where(mine, free, budget_use.c.told < standing.reached)
            done = await connection.execute(change.values(claimed_at=now))
        if before is None or not done.rowcount:
            return None
        return Crossing(standing=standing, share=standing.reached, at=now, taken_over=before.claimed_at is not None)

    async def _end(self, crossing: Crossing, **values: int) -> None:
        mine = _row(crossing.standing) & (budget_use.c.claimed_at == crossing.at)
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(budget_use).where(mine).values(claimed_at=None, **values))


def _row(standing: Standing) -> sa.ColumnElement[bool]:
    return (budget_use.c.budget == standing.budget.id) & (budget_use.c.since == standing.since)
