"""Questions that were asked once more another way, and which of the two answers people kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import UnusableQuestion
from bot.learning.labels import Labels, Signal
from bot.storage.tables import alternatives
from bot.storage.upsert import insert


class Alternatives:
    """Pairs of a question and the one that was asked before it."""

    def __init__(
        self, engine: AsyncEngine, labels: Labels, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._labels = labels
        self._clock = clock

    async def add(self, question_id: str, first_id: str, by: str) -> None:
        """Writes down that a question is another way to answer the first one. Asked again after a crash, it stays."""
        values = {"first_id": first_id, "asked_by": by, "asked_at": self._clock()}
        async with self._engine.begin() as connection:
            statement = insert(connection, alternatives).values(question_id=question_id, **values)
            await connection.execute(statement.on_conflict_do_nothing(index_elements=["question_id"]))

    async def first_of(self, question_id: str) -> str | None:
        """The id of the question that this one is another way of; None where it stands alone."""
        query = sa.select(alternatives.c.first_id).where(alternatives.c.question_id == question_id)
        async with self._engine.connect() as connection:
            found: str | None = (await connection.execute(query)).scalar_one_or_none()
        return found

    async def later_than(self, question_id: str) -> tuple[str, ...]:
        """The ids of those that were asked as another way of this one, oldest first."""
        query = (
            sa.select(alternatives.c.question_id)
            .where(alternatives.c.first_id == question_id)
            .order_by(alternatives.c.asked_at, alternatives.c.question_id)
        )
        async with self._engine.connect() as connection:
            return tuple((await connection.execute(query)).scalars())

    async def judge(self, question_id: str, person: str, *, kept: bool) -> str:
        """Keeps which of the two answers a person takes: this one, or the first. Their last word counts.

        Gives the id of the answer that was taken. Raises UnusableQuestion where there was no answer before.
        """
        first = await self.first_of(question_id)
        if first is None:
            raise UnusableQuestion("There is no other answer to compare this one with.")
        taken, left = (question_id, first) if kept else (first, question_id)
        await self._labels.add(taken, person, Signal.KEPT)
        await self._labels.add(left, person, Signal.DROPPED)
        return taken
