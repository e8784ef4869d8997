"""Which embedding model each process wants that runs on one database: with two of them, each would undo the other's
work, so nothing is switched or read anew for a model while a living process wants another one."""

from __future__ import annotations

import sqlalchemy as sa

from knowledge.database import Database
from knowledge.leases import SECONDS
from knowledge.schema import processes

BEAT = SECONDS / 3
"""Seconds between two signs of life."""


class Processes:
    """The process `worker` among the others. Raises StoreUnavailable; a SQLite has one process."""

    def __init__(self, database: Database, worker: str) -> None:
        self._database = database
        self._worker = worker

    async def beat(self, wanted: str) -> frozenset[str]:
        """A sign of life of this process; gives the other models that processes which gave one lately want."""
        if not self._database.is_shared:
            return frozenset()
        now = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
        values = {"wanted": wanted, "until": now + SECONDS}
        row = self._database.insert(processes).values(worker=self._worker, **values)
        living = sa.select(processes.c.wanted).where(processes.c.until >= now, processes.c.wanted != wanted)
        async with self._database.writing() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["worker"], set_=values))
            await connection.execute(sa.delete(processes).where(processes.c.until < now - 3600))
            return frozenset((await connection.execute(living)).scalars())

    async def leave(self) -> None:
        """This process ends."""
        if self._database.is_shared:
            async with self._database.writing() as connection:
                await connection.execute(sa.delete(processes).where(processes.c.worker == self._worker))
