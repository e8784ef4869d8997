"""What the selector is told beside a question and its evidence: what is usual, measured, fitted and indexed now."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Question
from bot.learning.learning import Learning
from bot.selection.fits import Fits
from bot.selection.rollouts import Rollouts, Stage
from bot.selection.room import Room
from bot.selection.selector import Circumstances
from bot.selection.usual import RecentCalls
from bot.selection.value import Value
from knowledge.knowledge_base import KnowledgeBase

INDEX_KEPT_SECONDS = 300.0


class Surroundings:
    """Gathers it from where it is kept. `learning` None: nothing was measured."""

    def __init__(self, engine: AsyncEngine, knowledge: KnowledgeBase, learning: Learning | None) -> None:
        self._knowledge = knowledge
        self._learning = learning
        self._recent = RecentCalls(engine)
        self._fits = Fits(engine)
        self._index: tuple[float, str] | None = None
        self.rollouts = Rollouts(engine)

    async def now(
        self,
        value: Value | None = None,
        barred: Mapping[str, str] | None = None,
        *,
        broken: Mapping[str, str] | None = None,
        needs: Collection[str] = (),
        room: Room | None = None,
        asked: Question | None = None,
    ) -> Circumstances:
        """`value`: how money and time are weighed in the place; `barred`: models that may not be asked from there, by
        name with the rule that keeps each out; `broken`: those that are left alone for now, and why; `needs`: what the
        question needs beside text; `room`: what hard budgets leave for the question. `asked`: the question that is to
        be answered; without one nobody reads an answer, so that models in the shadow may give it."""
        fit, rollouts = await self._fits.current(), await self.rollouts.all()
        if asked is not None:
            held = [one for one in rollouts if not one.draws(asked.id, asked.place.channel)]
        else:
            held = [one for one in rollouts if one.stage in (Stage.ROLLED_BACK, Stage.RETIRED)]
        shadows = [one.model for one in rollouts if one.stage is Stage.SHADOW and asked is None]
        return Circumstances(
            value=value,
            usual=await self._recent.usual(),
            means=await self._learning.means() if self._learning is not None else {},
            barred=barred or {},
            broken=broken or {},
            held={one.model: one.held for one in held},
            rollouts=rollouts,
            needs=needs,
            weights=fit.weights,
            proven={*fit.proven, *shadows},
            index=await self._index_version(),
            embedder=self._knowledge.embedder.name,
            room=room,
        )

    async def _index_version(self) -> str:
        """Read anew every few minutes: it changes with each document, and telling it takes a look at all of them."""
        now = time.monotonic()
        if self._index is None or now - self._index[0] > INDEX_KEPT_SECONDS:
            self._index = now, await self._knowledge.version()
        return self._index[1]
