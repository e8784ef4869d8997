"""An engine for SQLite, where one connection writes at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.storage.line import Line

T = TypeVar("T")
Work = Callable[[sa.Connection], T]

AT_ONCE = 100
"""So many pieces of work share a transaction at most: nobody waits longer than these take."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    work: Work[Any]
    done: asyncio.Future[Any]


@dataclass(slots=True)
class _Group:
    """Those that wait for their turn together, and what serves them."""

    waiting: list[_Waiting] = field(default_factory=list)
    writing: asyncio.Task[None] | None = None


class OneWriter(AsyncEngine):
    """Transactions that write (`begin`, `write`) stand in line here; those that only read (`connect`) never wait.

    Left to itself, SQLite lets writers try again and sleep up to 0.1 s between their tries, in no order: with ten
    questions at once, one event in twenty waited 0.3 s for its acknowledgement. `direct` is an engine without asyncio
    on the same file, for `write`: its statements do not cross threads one by one.
    """

    def __init__(self, sync_engine: sa.Engine, direct: sa.Engine) -> None:
        super().__init__(sync_engine)
        self._direct = direct
        self._line = Line()
        self._connection: sa.Connection | None = None  # the thread's own
        self._thread: ThreadPoolExecutor | None = None
        self._groups = {True: _Group(), False: _Group()}  # those who may go first, and the others

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed when the block ends. Never begin one inside another."""
        async with self._line.turn(), super().begin() as connection:
            yield connection

    async def write(self, work: Work[T], *, first: bool = False) -> T:
        """As the function `write` has it. What waits for its turn together shares one transaction."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        group = self._groups[first]
        group.waiting.append(_Waiting(work, done))
        if group.writing is None or group.writing.done():
            group.writing = asyncio.create_task(self._write(group, first))
        return await done

    async def dispose(self, close: bool = True) -> None:
        """Closes the connections."""
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._direct.dispose(close)
            self._thread.shutdown()
            self._thread = None
        await super().dispose(close)

    async def _write(self, group: _Group, first: bool) -> None:
        turn: list[_Waiting] = []
        try:
            await self._write_turns(group, first, turn)
        finally:
            # A loop that ends cancels this: whoever waits hears of it, now that nobody will serve them.
            left, group.waiting = [*turn, *group.waiting], []
            for one in left:
                one.done.cancel()

    async def _write_turns(self, group: _Group, first: bool, under_way: list[_Waiting]) -> None:
        """`under_way` holds those that are being served."""
        self._thread = self._thread or ThreadPoolExecutor(1, "sqlite-writer")
        while group.waiting:
            async with self._line.turn(first=first):
                turn, group.waiting = group.waiting[:AT_ONCE], group.waiting[AT_ONCE:]
                # Whoever went away before its turn wants nothing written.
                turn = [one for one in turn if not one.done.cancelled()]
                under_way[:] = turn
                works = [one.work for one in turn]
                results = await asyncio.get_running_loop().run_in_executor(self._thread, self._together, works)
            for one, result in zip(turn, results, strict=True):
                if one.done.cancelled():
                    continue
                if isinstance(result, BaseException):
                    one.done.set_exception(result)
                else:
                    one.done.set_result(result)

    def _together(self, works: list[Work[Any]]) -> list[Any]:
        """What came of each, an exception included; one that fails takes nothing of the others with it."""
        try:
            self._connection = self._connection or self._direct.connect()
            with self._connection.begin():
                return [_alone(self._connection, work) for work in works]
        except Exception as error:  # the transaction itself: nothing of it is kept
            self._close()
            return [error] * len(works)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _alone(connection: sa.Connection, work: Work[Any]) -> Any:
    # By the driver itself: SQLAlchemy would compile each savepoint anew.
    driver: Any = connection.connection.driver_connection
    driver.execute("SAVEPOINT work")
    try:
        result = work(connection)
    except Exception as error:
        if not driver.in_transaction:  # SQLite ended it itself, as where the disk is full: nothing of it is kept
            raise
        driver.execute("ROLLBACK TO work")
        result = error
    driver.execute("RELEASE work")
    return result


async def write(engine: AsyncEngine, work: Work[T], *, first: bool = False) -> T:
    """One transaction of a few short statements: what `work` does with the connection, kept once this returns.
    `first`: it goes before all that stand in line, since somebody outside waits for it.

    `work` runs elsewhere than the event loop (SQLite: on a thread), in one go, and awaits nothing; on an exception
    nothing of it is kept. Cancelling leaves open whether it is kept.
    """
    if isinstance(engine, OneWriter):
        return await engine.write(work, first=first)
    async with engine.begin() as connection:
        return await connection.run_sync(work)
