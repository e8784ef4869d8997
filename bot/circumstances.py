"""What the selector is told beside a question and its evidence: what is usual, measured, fitted and indexed now."""

from __future__ import annotations

import time
from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.learning.learning import Learning
from bot.selection.fits import Fits
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

    async def now(
        self,
        value: Value | None = None,
        barred: frozenset[str] = frozenset(),
        *,
        needs: Collection[str] = (),
    ) -> Circumstances:
        """`value`: how money and time are weighed in the place; `barred`: models that may not be asked from there;
        `needs`: what the question needs beside text."""
        fit = await self._fits.current()
        return Circumstances(
            value=value,
            usual=await self._recent.usual(),
            means=await self._learning.means() if self._learning is not None else {},
            barred=barred,
            needs=needs,
            weights=fit.weights,
            proven=fit.proven,
            index=await self._index_version(),
            embedder=self._knowledge.embedder.name,
        )

    async def _index_version(self) -> str:
        """Read anew every few minutes: it changes with each document, and telling it takes a look at all of them."""
        now = time.monotonic()
        if self._index is None or now - self._index[0] > INDEX_KEPT_SECONDS:
            self._index = now, await self._knowledge.version()
        return self._index[1]
