"""Connections to PostgreSQL that many engines of a process share a limit of, each with its own search path."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool
from sqlalchemy.pool.base import ConnectionPoolEntry
from sqlalchemy.util import await_only

MOST = 40
"""So many connections all workspaces of a process have open together; PostgreSQL takes 100 as it comes."""
KEPT = 20
"""So many of them stay open while nobody uses them: the rest is there for whoever needs them."""
SECONDS = 120
"""How long somebody waits for one. A burst of questions waits for its turn: better than a question that is lost."""


class _Limit:
    """How many connections a loop has open."""

    def __init__(self) -> None:
        self.open = 0
        self._free = asyncio.Semaphore(MOST)

    async def take(self) -> None:
        await asyncio.wait_for(self._free.acquire(), SECONDS)
        self.open += 1

    def give_back(self) -> None:
        self.open -= 1
        self._free.release()


_limits: WeakKeyDictionary[asyncio.AbstractEventLoop, _Limit] = WeakKeyDictionary()


class _SharedPool(AsyncAdaptedQueuePool):
    """Keeps a connection that comes back only as long as there are few in the whole process."""

    limit: _Limit

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self.limit.open <= KEPT:
            super()._do_return_conn(record)
            return
        try:
            record.close()
        finally:
            self._dec_overflow()

    def _close_connection(self, connection: DBAPIConnection, *, terminate: bool = False) -> None:
        # SQLAlchemy's own event comes before it is closed: somebody else would have opened one too many by then.
        try:
            super()._close_connection(connection, terminate=terminate)
        finally:
            self.limit.give_back()

    def recreate(self) -> _SharedPool:
        """After `dispose`."""
        pool: Any = super().recreate()
        pool.limit = self.limit
        return pool  # type: ignore[no-any-return]


def open_shared(url: str) -> AsyncEngine:
    """An engine on `postgresql+psycopg://…` whose connections count with those of all others. Call it in a loop."""
    engine = create_async_engine(url, pool_pre_ping=True, pool_timeout=SECONDS, poolclass=_SharedPool)
    limit = _limits.setdefault(asyncio.get_running_loop(), _Limit())
    pool: Any = engine.sync_engine.pool
    pool.limit = limit

    def connect(dialect: Any, _record: object, arguments: Any, named: Any) -> Any:
        await_only(limit.take())
        try:
            return dialect.connect(*arguments, **named)
        except BaseException:
            limit.give_back()
            raise

    sa.event.listen(engine.sync_engine, "do_connect", connect)
    return engine
