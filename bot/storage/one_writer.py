"""An engine for SQLite, where one connection writes at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.line import Line


class OneWriter(AsyncEngine):
    """Transactions that write (`begin`) stand in line here; those that only read (`connect`) never wait.

    Left to itself, SQLite lets writers try again and sleep up to 0.1 s between their tries, in no order: with ten
    questions at once, one event in twenty waited 0.3 s for its acknowledgement.
    """

    def __init__(self, sync_engine: sa.Engine) -> None:
        super().__init__(sync_engine)
        self._line = Line()

    @asynccontextmanager
    async def begin(self, *, first: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed when the block ends. Never begin one inside another."""
        async with self._line.turn(first=first), super().begin() as connection:
            yield connection


def begin_first(engine: AsyncEngine) -> AbstractAsyncContextManager[AsyncConnection]:
    """A transaction that goes before all that stand in line: somebody outside waits for it."""
    return engine.begin(first=True) if isinstance(engine, OneWriter) else engine.begin()
