"""The inbox: every event is kept before it is acknowledged, so that a crash loses nothing and a repeat does nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.one_writer import begin_first
from bot.storage.tables import inbox
from bot.storage.upsert import insert


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that is not finished. `attempts`: how often work on it was started."""

    event_id: str
    kind: str
    payload: dict[str, Any]
    attempts: int


def _now() -> datetime:
    return datetime.now(UTC)


class Inbox:
    """Events by id, in the states waiting, working, done and failed."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = _now) -> None:
        self._engine = engine
        self._clock = clock

    async def keep(self, event_id: str, kind: str, payload: Mapping[str, Any]) -> bool:
        """Keeps an event for work; False where it was seen before, and then nothing changes."""
        async with begin_first(self._engine) as connection:  # Slack waits for its acknowledgement
            statement = insert(connection, inbox).values(
                event_id=event_id,
                kind=kind,
                payload=dict(payload),
                state="waiting",
                attempts=0,
                received_at=self._clock(),
            )
            new = statement.on_conflict_do_nothing(index_elements=["event_id"]).returning(inbox.c.event_id)
            return (await connection.execute(new)).first() is not None

    async def start(self, event_id: str) -> None:
        """Work on the event begins."""
        await self._set(event_id, state="working", attempts=inbox.c.attempts + 1)

    async def done(self, event_id: str) -> None:
        """The event is finished. What it held is not needed any more and is forgotten."""
        await self._set(event_id, state="done", payload={}, finished_at=self._clock(), problem=None)

    async def failed(self, event_id: str, problem: str) -> None:
        """The event was given up; `problem` is one sentence for the admin."""
        await self._set(event_id, state="failed", finished_at=self._clock(), problem=problem)

    async def waiting(self) -> list[Kept]:
        """Events that were kept and not finished, oldest first: after a crash, what is to be done again."""
        query = (
            sa.select(inbox.c.event_id, inbox.c.kind, inbox.c.payload, inbox.c.attempts)
            .where(inbox.c.state.in_(("waiting", "working")))
            .order_by(inbox.c.received_at, inbox.c.event_id)
        )
        async with self._engine.connect() as connection:
            return [Kept(*row) for row in await connection.execute(query)]

    async def prune(self, before: datetime) -> int:
        """Forgets finished events received before a moment; says how many."""
        statement = sa.delete(inbox).where(inbox.c.state.in_(("done", "failed")), inbox.c.received_at < before)
        async with self._engine.begin() as connection:
            return (await connection.execute(statement)).rowcount

    async def _set(self, event_id: str, **values: object) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(inbox).where(inbox.c.event_id == event_id).values(**values))
