"""A copy in memory of the examples in use, with their vectors, renewed when another process changed the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Example
from bot.learning.reviewed import example_of
from bot.storage.tables import examples
from knowledge.documents import Vector
from knowledge.embedding.base import Embedder

_BYTES = np.dtype("<f4")
Stamp = tuple[int, int, datetime | None]


@dataclass(frozen=True, slots=True)
class Shelf:
    """The examples in use as the table was when its stamp was taken, oldest first; `questions` and `answers` are their
    vectors, a row each, and `last_days` the days after which they end."""

    stamp: Stamp
    examples: tuple[Example, ...]
    questions: Vector
    answers: Vector
    last_days: tuple[date | None, ...]

    def lasting(self, today: date) -> NDArray[np.bool_]:
        """Which of them have not ended."""
        return np.array([last is None or last >= today for last in self.last_days], bool)


class ExampleShelf:
    """Gives the examples as they are now."""

    def __init__(self, engine: AsyncEngine, embedder: Embedder) -> None:
        self._engine = engine
        self._embedder = embedder
        self._shelf: Shelf | None = None

    async def current(self) -> Shelf:
        """Reads the table anew where it changed."""
        columns = (
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(examples.c.version), 0),
            sa.func.max(examples.c.saved_at),
        )
        async with self._engine.connect() as connection:
            count, versions, newest = (await connection.execute(sa.select(*columns).select_from(examples))).one()
        stamp = (count, int(versions), newest)
        if self._shelf is None or self._shelf.stamp != stamp:
            self._shelf = await self._read(stamp)
        return self._shelf

    async def vectors_of(self, question: str, answer: str) -> dict[str, Any]:
        """The columns with the vectors of an example."""
        return (await self.all_vectors_of([(question, answer)]))[0]

    async def all_vectors_of(self, pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
        """The same of many questions with their answers."""
        if not pairs:
            return []
        vectors = await self._embedder.embed([text for pair in pairs for text in pair])
        name = self._embedder.name
        return [
            {"embedder": name, "vector": _packed(vectors[2 * n]), "answer_vector": _packed(vectors[2 * n + 1])}
            for n in range(len(pairs))
        ]

    async def _read(self, stamp: Stamp) -> Shelf:
        in_use = sa.select(examples).where(examples.c.retired_at.is_(None))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(in_use.order_by(examples.c.saved_at, examples.c.id))).all()
        # Vectors of another embedding model cannot be compared, so those are made anew and kept.
        stale = [row for row in rows if row.embedder != self._embedder.name or row.answer_vector is None]
        made = await self.all_vectors_of([(row.question, row.answer) for row in stale])
        anew = {row.id: columns for row, columns in zip(stale, made, strict=True)}
        if anew:
            async with self._engine.begin() as connection:
                for row in stale:
                    here = (examples.c.id == row.id) & (examples.c.version == row.version)
                    await connection.execute(examples.update().where(here).values(anew[row.id]))
        return Shelf(
            stamp=stamp,
            examples=tuple(map(example_of, rows)),
            questions=self._unpacked([anew.get(row.id, row._mapping)["vector"] for row in rows]),
            answers=self._unpacked([anew.get(row.id, row._mapping)["answer_vector"] for row in rows]),
            last_days=tuple(date.fromisoformat(row.valid_until) if row.valid_until else None for row in rows),
        )

    def _unpacked(self, packed: list[bytes]) -> Vector:
        return np.frombuffer(b"".join(packed), _BYTES).reshape(len(packed), self._embedder.dimensions)


def _packed(vector: Vector) -> bytes:
    return vector.astype(_BYTES).tobytes()
