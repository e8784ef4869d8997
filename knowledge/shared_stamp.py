"""The stamp of an index that all processes of a database have in common: kept in the database, where all see it.

One process at a time keeps the index: whoever has its lease. Nobody else changes the stamp, but anybody may say that
the index does not work.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import sqlalchemy as sa

from knowledge.database import Database
from knowledge.errors import KnowledgeError
from knowledge.leases import Leases
from knowledge.schema import leases as lease_rows
from knowledge.schema import shared_indexes as rows
from knowledge.stamp import Stamp, stamp_of


class NotKept(KnowledgeError):
    """Another process keeps the index now."""


@dataclass(frozen=True, slots=True)
class SharedStamps:
    """The stamp of the index `name`, which is its lease's name too. All raise StoreUnavailable."""

    database: Database
    leases: Leases
    name: str

    async def look(self) -> tuple[Stamp | None, str]:
        """The stamp, and why the index cannot be used now."""
        async with self.database.reading() as connection:
            row = (await connection.execute(sa.select(rows).where(rows.c.name == self.name))).one_or_none()
        return (None, "nobody has built it yet") if row is None else (stamp_of(row.stamp), row.trouble)

    async def read(self) -> Stamp | None:
        """The stamp alone."""
        return (await self.look())[0]

    async def set(self, stamp: Stamp, trouble: str = "") -> None:
        """What the index holds now. Raises NotKept where this process may not say so any more."""
        values = {"stamp": asdict(stamp), "trouble": trouble}
        async with self.database.writing() as connection:
            # Nobody takes the lease over until this is written.
            held = sa.select(lease_rows.c.name).where(self.leases.has(self.name))
            if (await connection.execute(held.with_for_update())).first() is None:
                raise NotKept("another process keeps it now")
            row = self.database.insert(rows).values(name=self.name, **values)
            await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))

    async def tell(self, place: str, trouble: str) -> None:
        """Says that the index does not work as it is at `place`; the process that keeps it looks what it is."""
        async with self.database.writing() as connection:
            row = (await connection.execute(sa.select(rows).where(rows.c.name == self.name))).one_or_none()
            if row is None or row.trouble or row.stamp.get("place") != place:
                return
            same = (rows.c.name == self.name) & (rows.c.trouble == "")
            await connection.execute(sa.update(rows).where(same).values(trouble=trouble))

    async def drop(self) -> None:
        """There is no such index any more."""
        async with self.database.writing() as connection:
            await connection.execute(sa.delete(rows).where(rows.c.name == self.name))
