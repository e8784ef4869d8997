"""What processes that run on one database tell each other: which embedding model each wants, and what it cannot mend.

With two models, each would undo the other's work, so nothing is switched or read anew for a model while a living
process wants another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa

from knowledge.database import Database
from knowledge.leases import SECONDS
from knowledge.schema import processes

BEAT = SECONDS / 3
"""Seconds between two signs of life."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NOW = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)


class Processes:
    """The process `worker` among the others. Raises StoreUnavailable; a SQLite has one process."""

    def __init__(self, database: Database, worker: str) -> None:
        self._database = database
        self._worker = worker

    async def beat(self, wanted: str, failing: Mapping[str, str] = _NOTHING) -> frozenset[str]:
        """A sign of life of this process, with why which of its indexes could not be rebuilt; gives the other models
        that processes which gave one lately want."""
        if not self._database.is_shared:
            return frozenset()
        values = {"wanted": wanted, "failing": dict(failing), "until": _NOW + SECONDS}
        row = self._database.insert(processes).values(worker=self._worker, **values)
        living = sa.select(processes.c.wanted).where(processes.c.until >= _NOW, processes.c.wanted != wanted)
        async with self._database.writing() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["worker"], set_=values))
            await connection.execute(sa.delete(processes).where(processes.c.until < _NOW - 3600))
            return frozenset((await connection.execute(living)).scalars())

    async def failing(self) -> dict[str, str]:
        """Why an index of another living process could not be rebuilt, by its name."""
        if not self._database.is_shared:
            return {}
        others = sa.select(processes.c.failing).where(processes.c.until >= _NOW, processes.c.worker != self._worker)
        async with self._database.reading() as connection:
            told = (await connection.execute(others)).scalars().all()
        return {name: why for each in told for name, why in each.items()}

    async def leave(self) -> None:
        """This process ends."""
        if self._database.is_shared:
            async with self._database.writing() as connection:
                await connection.execute(sa.delete(processes).where(processes.c.worker == self._worker))
