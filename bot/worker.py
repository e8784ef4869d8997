"""A worker: one running process, known to the others for as long as it gives signs of life.

What it works on is leased to it. The lease ends by the database's clock, where another worker that finds it over
deletes the row: that is the one moment from which the work is anybody's. The worker itself knows by a clock of its own
when it has not been able to renew for too long, and stops before that moment.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Literal

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import reason
from bot.storage.one_writer import write
from bot.storage.work_tables import workers

log = structlog.get_logger("bot.worker")

LEASE = 15.0
"""Seconds after its last sign of life that a worker is taken for dead: two may be missed, and nobody waits long."""
HEARTBEAT = 4.0
"""Seconds between two signs of life."""
MARGIN = 2.0
"""Seconds before the others may begin that a worker stops: a request that is on its way then has arrived."""
AGAIN = 1.0
"""Seconds after which a sign of life that failed is tried again."""

Reason = Literal["lost", "changed", "closing"]


class LeaseOver(asyncio.CancelledError):
    """This work is another worker's now, or has to begin anew: whoever is at it stops without a word."""


def _clock() -> float:
    """Seconds that go on also while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def moment(connection: sa.Connection, seconds: float = 0.0) -> sa.ColumnElement[datetime]:
    """So many seconds from now by the database's clock; SQLite's is this machine's."""
    later, kind = timedelta(seconds=seconds), workers.c.until.type
    if connection.dialect.name == "postgresql":
        return sa.type_coerce(sa.func.clock_timestamp() + sa.literal(later, sa.Interval), kind)
    return sa.literal(datetime.now(UTC) + later, kind)


def dead(worker: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a row's worker lives no more (or is not known)."""
    return worker.is_(None) | worker.not_in(sa.select(workers.c.id))


class Worker:
    """This process among those that share a database. `alone`: nobody else does, so nothing ever runs out.

    `on_lost` is called when its leases are over; it goes on under another id, as a new worker.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        alone: bool = True,
        on_lost: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = _clock,
    ) -> None:
        self.id = secrets.token_hex(8)
        self.on_lost = on_lost
        self._engine = engine
        self.alone = alone
        self._clock = clock
        self._until = float("inf")
        self._beating: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[bool] | None = None
        self._began = 0.0  # when

    async def start(self) -> None:
        """Makes it known, and gives signs of life from now on. Raises SQLAlchemyError."""
        await self._register()
        if not self.alone:
            self._beating = asyncio.create_task(self._beat())

    async def close(self) -> None:
        """It works no more: what it still holds is anybody's at once."""
        for task in (self._beating, self._renewing):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        with suppress(SQLAlchemyError, OSError):
            await write(self._engine, lambda connection: _forget(connection, self.id))

    def holds(self, worker: str) -> bool:
        """Whether what was leased to that id is this process's still, by its own clock."""
        return worker == self.id and self._clock() < self._until

    def bury(self, connection: sa.Connection) -> None:
        """Deletes those that gave no sign of life for too long: from now on their work is anybody's."""
        if not self.alone:
            late = sa.delete(workers).where(workers.c.until <= moment(connection), workers.c.id != self.id)
            connection.execute(late)

    async def _register(self) -> None:
        began, before, self.id = self._clock(), self.id, secrets.token_hex(8)

        def registered(connection: sa.Connection) -> None:
            # Alone, whatever else is there was left by processes that ended.
            connection.execute(sa.delete(workers).where(sa.true() if self.alone else workers.c.id == before))
            until = moment(connection, LEASE)
            connection.execute(sa.insert(workers).values(id=self.id, until=until))

        await write(self._engine, registered)
        if not self.alone:
            self._until = began + LEASE - MARGIN

    @property
    def _is_lost(self) -> bool:
        return self._until == float("-inf")

    async def _beat(self) -> None:
        pause = HEARTBEAT
        while True:
            await asyncio.sleep(pause if self._is_lost else max(0.0, min(pause, self._until - self._clock())))
            if self._clock() >= self._until:
                self._lose()
            try:
                pause = HEARTBEAT if await self._sign() else AGAIN
            except (SQLAlchemyError, OSError) as error:
                log.warning("no_sign_of_life", problem=reason(error))
                pause = AGAIN

    async def _sign(self) -> bool:
        """One sign of life; whether it arrived. What hangs is given up after as long as a lease lasts."""
        if self._renewing is None:
            self._renewing, self._began = asyncio.create_task(self._renew()), self._clock()
        done, _ = await asyncio.wait({self._renewing}, timeout=AGAIN)
        if not done:
            if self._clock() > self._began + LEASE:
                self._renewing.cancel()
                self._renewing = None
            return False
        renewing, self._renewing = self._renewing, None
        if not renewing.result():
            self._lose()
        return renewing.result()

    async def _renew(self) -> bool:
        """Whether the worker is there still, for another while; one whose leases are over becomes a new one."""
        if self._is_lost:
            await self._register()
            log.info("working_again", worker=self.id)
            return True
        began, me = self._clock(), self.id

        def renewed(connection: sa.Connection) -> bool:
            until = moment(connection, LEASE)
            return connection.execute(sa.update(workers).where(workers.c.id == me).values(until=until)).rowcount == 1

        found = await write(self._engine, renewed)
        if found and self._clock() < self._until:  # what came back too late gives no lease back
            self._until = began + LEASE - MARGIN
        return found

    def _lose(self) -> None:
        if not self._is_lost:
            log.error("leases_lost", worker=self.id, seconds=LEASE)
            self._until = float("-inf")
            self.on_lost()


def _forget(connection: sa.Connection, worker: str) -> None:
    connection.execute(sa.delete(workers).where(workers.c.id == worker))


class Lease:
    """A worker's hold on one piece of work. `fresh`: nobody has begun on it before; `changed`: what was asked is not
    what was asked first. `over`: why it ended, once it has."""

    def __init__(self, worker: Worker, *, fresh: bool = True, changed: bool = False) -> None:
        self._worker = worker
        self._holder = worker.id
        self.fresh = fresh
        self.changed = changed
        self.over: Reason | None = None

    @property
    def is_held(self) -> bool:
        """Whether anything may still be said on its behalf. Closing, a last sentence may."""
        return self.over in (None, "closing") and self._worker.holds(self._holder)


_current: ContextVar[Lease | None] = ContextVar("lease", default=None)


def current() -> Lease | None:
    """The lease that this task works under; None where it works under none."""
    return _current.get()


def work_under(lease: Lease) -> None:
    """This task, and all that it begins, works under a lease."""
    _current.set(lease)


def check() -> None:
    """To be called before anything is said outside. Raises LeaseOver where it is not this worker's to say any more."""
    lease = current()
    if lease is not None and not lease.is_held:
        raise LeaseOver(lease.over or "lost")


def is_fresh() -> bool:
    """Whether nobody can have begun on this work before."""
    lease = current()
    return lease is None or lease.fresh
