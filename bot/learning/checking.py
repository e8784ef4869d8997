"""Holds examples against what changed in the knowledge, and flags those that it says otherwise than."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Example
from bot.learning.examples import Examples
from bot.learning.kept import Kept
from bot.learning.outdated import contradicted
from knowledge import access
from knowledge.embedding.base import Embedder
from knowledge.knowledge_base import KnowledgeBase
from knowledge.records import IndexedChunk

CHECKED = "examples checked"
VERSION = 1
NEAR = 0.35
"""From this cosine of a text and an example's question on, the text may speak of it."""
MOST = 2000
"""So many changed texts are looked at after one refresh: a first reading of a large source is no change."""
BY = "refresh"
_QUOTED = 300
_LISTED = frozenset({access.OUTSIDERS, access.EVERYONE})

log = structlog.get_logger("bot.learning")


class CheckingExamples:
    """Run where a refresh ends. What was looked at is kept in the database, so it is looked at once, whoever refreshes
    next; where two processes are at it, an example is flagged once all the same."""

    def __init__(
        self,
        engine: AsyncEngine,
        knowledge: KnowledgeBase,
        examples: Examples,
        embedder: Embedder,
        clock: Callable[[], datetime],
    ) -> None:
        self._kept = Kept(engine)
        self._knowledge = knowledge
        self._examples = examples
        self._embedder = embedder
        self._clock = clock

    async def run(self) -> int:
        """How many examples were flagged."""
        before = await self._kept.get(CHECKED, VERSION)
        number, changed = await self._knowledge.texts_since(before["number"] if before else None, MOST)
        flagged = await self._check(changed) if changed else 0
        if before is None or before["number"] != number:
            await self._kept.put(CHECKED, VERSION, self._clock(), {"number": number})
        if flagged:
            log.info("examples_flagged", count=flagged)
        return flagged

    async def _check(self, changed: list[IndexedChunk]) -> int:
        in_use = [one.example for one in await self._examples.listed(None) if not one.retired and not one.flag]
        if not in_use:
            return 0
        texts = await self._embedder.embed([chunk.text for chunk in changed])
        questions = await self._embedder.embed([example.question for example in in_use])
        near = questions @ texts.T
        flagged = 0
        for example, cosines in zip(in_use, near, strict=True):
            nearest = np.argsort(-cosines, kind="stable")
            texts_near = [changed[place] for place in nearest[cosines[nearest] >= NEAR].tolist()]
            for chunk in await asyncio.to_thread(_otherwise, example, texts_near):
                if await self._flag(example, chunk):
                    flagged += 1
                    break
        return flagged

    async def _flag(self, example: Example, chunk: IndexedChunk) -> bool:
        """Whether the chunk says otherwise and nothing in its document says what the example does."""
        pieces = await self._knowledge.pieces_of(chunk.document_id, None)
        document = "\n\n".join(text for _, text in pieces.parts) if pieces is not None else ""
        sentence = await asyncio.to_thread(_said_otherwise, example, chunk, document)
        if sentence is None:
            return False
        quoted = sentence if len(sentence) <= _QUOTED else f"{sentence[: _QUOTED - 1]}…"
        why = f"It may be out of date: {chunk.title or chunk.path} says “{quoted}”"
        return await self._examples.flag(example.id, why, BY, chunk.document_id)


def _otherwise(example: Example, chunks: Sequence[IndexedChunk]) -> list[IndexedChunk]:
    """Those that say otherwise by themselves. What none of those whom the example is for may read says nothing to
    them."""
    readers = example.readers | _LISTED
    return [
        chunk
        for chunk in chunks
        if access.readable(chunk.readers, readers) and _said_otherwise(example, chunk) is not None
    ]


def _said_otherwise(example: Example, chunk: IndexedChunk, document: str = "") -> str | None:
    above = ". ".join((chunk.title, *chunk.heading))
    return contradicted(example.question, example.answer, chunk.text, document, about=above)
