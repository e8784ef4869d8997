"""What came over HTTP once and must not be done twice: signatures, remembered longer than Slack's are good for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.door_tables import taken_signatures
from bot.storage.one_writer import write
from bot.storage.upsert import insert

REMEMBERED = timedelta(minutes=11)
"""A signed request is good until its time-stamp is five minutes old, and from five minutes before it."""


class Replays:
    """The signatures in SQL, shared by all replicas."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def is_new(self, signature: str) -> bool:
        """Whether this request came for the first time; from now on it is known."""
        now = self._clock()

        def taken(connection: sa.Connection) -> bool:
            connection.execute(sa.delete(taken_signatures).where(taken_signatures.c.at < now - REMEMBERED))
            new = insert(connection, taken_signatures).values(signature=signature, at=now).on_conflict_do_nothing()
            return connection.execute(new.returning(taken_signatures.c.signature)).first() is not None

        return await write(self._engine, taken, first=True)
