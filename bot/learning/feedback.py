"""What people make of the answers: thumbs up and down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.tables import feedback
from bot.storage.upsert import insert


class Feedback:
    """One thumb a person and question; the newest counts."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def give(self, question_id: str, person: str, value: Literal[1, -1], comment: str | None = None) -> None:
        """Keeps a thumb: 1 is up, -1 is down. A comment stays until another replaces it."""
        changed: dict[str, object] = {"value": value, "given_at": self._clock()}
        if comment is not None:
            changed["comment"] = comment
        async with self._engine.begin() as connection:
            statement = insert(connection, feedback).values(question_id=question_id, person=person, **changed)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["question_id", "person"], set_=changed)
            )

    async def counts(self, since: datetime, until: datetime) -> tuple[int, int]:
        """Thumbs up and thumbs down given from `since` up to but without `until`."""
        query = sa.select(
            sa.func.count().filter(feedback.c.value == 1), sa.func.count().filter(feedback.c.value == -1)
        ).where(feedback.c.given_at >= since, feedback.c.given_at < until)
        async with self._engine.connect() as connection:
            up, down = (await connection.execute(query)).one()
        return up, down
