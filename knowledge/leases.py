"""What one process at a time does: whoever has the lease, until it is done or nobody has heard of it for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog

from knowledge.database import Database
from knowledge.errors import StoreUnavailable
from knowledge.schema import leases

SECONDS = 15.0
"""How long a lease lasts without a sign of life."""
_BEAT = SECONDS / 3
_LOOK = 0.25  # seconds between two looks at a lease that another process has
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Lease:
    """A lease that this process has. `lost` is set where it did not give a sign of life in time.

    `done_meanwhile`: while it was waited for, another process began and ended well what it is for.
    """

    name: str
    turn: int
    done_meanwhile: bool
    done_well: bool = False
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class Leases:
    """Leases in the name of one process (`worker`). Raises StoreUnavailable."""

    def __init__(self, database: Database, worker: str) -> None:
        self._database = database
        self._worker = worker

    async def clear(self) -> None:
        """Takes all away from those who had them: for a database that one process alone uses."""
        async with self._database.writing() as connection:
            await connection.execute(sa.update(leases).values(until=0.0))

    @asynccontextmanager
    async def held(self, name: str) -> AsyncIterator[Lease]:
        """Waits for its turn. Set `done_well` before leaving where it came to a good end."""
        asked = await self._turns(name)
        waits = False
        while (found := await self._take(name)) is None:
            if not waits:
                _log.info("knowledge.waits", name=name, why="another process is at it")
            waits = True
            await asyncio.sleep(_LOOK)
        turn, finished = found
        lease = Lease(name, turn, done_meanwhile=finished > asked)
        beating = asyncio.create_task(self._beat(lease))
        try:
            yield lease
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
            await self._give_back(lease)

    async def hold(self, name: str) -> bool:
        """Takes a lease that is free, or renews one's own: whether one has it, for another while."""
        now = self._now()
        mine = sa.or_(leases.c.until < now, leases.c.holder == self._worker)
        async with self._database.writing() as connection:
            await connection.execute(self._row(name))
            return await self._won(connection, name, mine, {"until": now + SECONDS})

    async def let_go(self, name: str) -> None:
        """Gives back what `hold` took."""
        ours = (leases.c.name == name) & (leases.c.holder == self._worker)
        async with self._database.writing() as connection:
            await connection.execute(sa.update(leases).where(ours).values(until=0.0))

    def has(self, name: str) -> sa.ColumnElement[bool]:
        """A condition on rows of leases: that this process has this one now."""
        return sa.and_(leases.c.name == name, leases.c.holder == self._worker, leases.c.until >= self._now())

    async def _take(self, name: str) -> tuple[int, int] | None:
        now = self._now()
        values = {"holder": self._worker, "until": now + SECONDS, "turns": leases.c.turns + 1}
        taking = sa.update(leases).where(leases.c.name == name, leases.c.until < now).values(values)
        async with self._database.writing() as connection:
            row = (await connection.execute(taking.returning(leases.c.turns, leases.c.finished))).first()
        return None if row is None else (row.turns, row.finished)

    async def _turns(self, name: str) -> int:
        async with self._database.writing() as connection:
            await connection.execute(self._row(name))
            query = sa.select(leases.c.turns).where(leases.c.name == name)
            turns: int = (await connection.execute(query)).scalar_one()
            return turns

    async def _beat(self, lease: Lease) -> None:
        ours = (leases.c.holder == self._worker) & (leases.c.turns == lease.turn)
        heard = time.monotonic()
        while not lease.lost.is_set():
            await asyncio.sleep(_BEAT)
            with suppress(StoreUnavailable):
                async with self._database.writing() as connection:
                    if not await self._won(connection, lease.name, ours, {"until": self._now() + SECONDS}):
                        break
                heard = time.monotonic()
            if time.monotonic() - heard > SECONDS:
                break
        _log.warning("knowledge.lease_lost", name=lease.name)
        lease.lost.set()

    async def _give_back(self, lease: Lease) -> None:
        ours = (leases.c.name == lease.name) & (leases.c.holder == self._worker) & (leases.c.turns == lease.turn)
        values: dict[str, Any] = {"until": 0.0} | ({"finished": lease.turn} if lease.done_well else {})
        with suppress(StoreUnavailable):  # then it ends by itself
            async with self._database.writing() as connection:
                await connection.execute(sa.update(leases).where(ours).values(values))

    async def _won(self, connection: Any, name: str, condition: Any, values: dict[str, Any]) -> bool:
        change = sa.update(leases).where(leases.c.name == name, condition).values(holder=self._worker, **values)
        return (await connection.execute(change.returning(leases.c.name))).first() is not None

    def _row(self, name: str) -> Any:
        row = self._database.insert(leases).values(name=name, holder="", until=0.0, turns=0, finished=0)
        return row.on_conflict_do_nothing(index_elements=["name"])

    def _now(self) -> Any:
        """By the database's clock, which all have in common; a SQLite is on this machine."""
        if self._database.is_shared:
            return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
        return sa.literal(time.time(), sa.Double)
