"""The numbers of the writes, and what each did to chunks: how every process follows what any of them wrote.

Whoever writes first takes the next number by a row that it holds until its transaction ends. So writes of all
processes go one after the other, numbers become visible in their order, and so do the keys of chunks: whoever has seen
a number has seen all before it.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge.database import Database
from knowledge.key_sum import key_sum, signed
from knowledge.schema import changes, chunks, standing

KEPT = 5_000
"""How many writes are kept: an index that is further behind is rebuilt. About 2 kB each while much is read."""
CHANNEL = "knowledge"
"""Where PostgreSQL tells that something was written; what is said is the schema in which it was."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the writes stand: all up to `number` are in; the log has those after `floor`, the last is `logged`.

    `chunks` and `checksum` are the count of all chunks and the sum of their keys (see `knowledge.key_sum`).
    """

    number: int
    logged: int
    floor: int
    chunks: int
    checksum: int
    house: str


@dataclass(frozen=True, slots=True)
class Logged:
    """What some writes after another did, up to `number`: keys of chunks, each once."""

    number: int
    added: list[int]
    removed: list[int]
    moved: list[int]


class Change:
    """One write under way: say what it does to chunks before it ends."""

    def __init__(self, connection: AsyncConnection, row: Any) -> None:
        self.connection = connection
        self.number: int = row.number
        self.previous: int = row.logged
        """The number of the last write before it that did anything to chunks."""
        self._row = row
        self._keys: dict[str, list[int]] = {"added": [], "removed": [], "moved": []}

    def note(self, *, added: Iterable[int] = (), removed: Iterable[int] = (), moved: Iterable[int] = ()) -> None:
        """These chunks came, went, or stayed while something else is said of them."""
        for name, keys in (("added", added), ("removed", removed), ("moved", moved)):
            self._keys[name].extend(keys)

    async def end(self) -> None:
        """Writes down what was noted."""
        if not any(self._keys.values()):
            return
        row, added, removed = self._row, self._keys["added"], self._keys["removed"]
        values = {
            "logged": self.number,
            "chunks": row.chunks + len(added) - len(removed),
            "checksum": signed(row.checksum + key_sum(added) - key_sum(removed)),
        }
        if self.number > row.floor + 2 * KEPT:
            values["floor"] = self.number - KEPT
            await self.connection.execute(sa.delete(changes).where(changes.c.number <= values["floor"]))
        packed = {name: _packed(keys) for name, keys in self._keys.items()}
        await self.connection.execute(sa.insert(changes).values(number=self.number, **packed))
        await self.connection.execute(sa.update(standing).values(values))
        if self.connection.dialect.name == "postgresql":
            await self.connection.execute(sa.select(sa.func.pg_notify(CHANNEL, sa.func.current_schema())))


class ChangeLog:
    """Numbers writes and tells what they did. Raises StorageFull or StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.latest = 0
        """The greatest number that this process has heard of: all writes up to it were in before."""

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Change]:
        """A transaction that is a write: committed as a whole, after those of others and before the next."""
        async with self._database.writing() as connection:
            taking = sa.update(standing).values(number=standing.c.number + 1).returning(*standing.c)
            change = Change(connection, (await connection.execute(taking)).one())
            yield change
            await change.end()
        self._heard(change.number)

    async def standing(self) -> Standing:
        """Where the writes of all processes stand now."""
        async with self._database.reading() as connection:
            row = (await connection.execute(sa.select(standing))).one()
        self._heard(row.number)
        return Standing(row.number, row.logged, row.floor, row.chunks, row.checksum, row.house)

    async def since(self, number: int, most: int = 16) -> Logged | None:
        """What the next `most` writes after `number` did; None where there are none. Asked from `floor` on."""
        query = sa.select(changes).where(changes.c.number > number).order_by(changes.c.number).limit(most)
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            return None
        removed = dict.fromkeys(key for row in rows for key in _keys(row.removed))
        added = [key for row in rows for key in _keys(row.added) if key not in removed]
        moved = dict.fromkeys(key for row in rows for key in _keys(row.moved) if key not in removed)
        new = set(added)
        return Logged(rows[-1].number, added, [*removed], [key for key in moved if key not in new])

    async def rename(self) -> None:
        """Gives the database another name, after it was restored: no index of any machine fits it any more."""
        async with self.changing() as change:
            await change.connection.execute(sa.update(standing).values(house=uuid.uuid4().hex))

    async def recount(self) -> bool:
        """Counts the chunks themselves, as somebody else than this program may have written; whether they were others
        than it is said. Every process then loads all anew."""
        async with self._database.reading() as connection:
            counted, told = await _counted(connection), (await connection.execute(sa.select(standing))).one()
        if counted == (told.chunks, told.checksum):
            return False
        async with self.changing() as change:  # nobody else writes now
            counted = await _counted(change.connection)
            told = (await change.connection.execute(sa.select(standing))).one()
            if counted == (told.chunks, told.checksum):
                return False
            values = {"chunks": counted[0], "checksum": counted[1], "floor": change.number, "logged": change.number}
            await change.connection.execute(sa.update(standing).values(values))
            await change.connection.execute(sa.delete(changes))
        return True

    def _heard(self, number: int) -> None:
        self.latest = max(self.latest, number)


async def _counted(connection: AsyncConnection) -> tuple[int, int]:
    rows = await connection.stream(sa.select(chunks.c.key))
    count, checksum = 0, 0
    async for some in rows.scalars().partitions(10_000):
        count, checksum = count + len(some), signed(checksum + key_sum(some))
    return count, checksum


def _packed(keys: Sequence[int]) -> bytes:
    return np.asarray(keys, "<i8").tobytes()


def _keys(packed: bytes) -> list[int]:
    return [int(key) for key in np.frombuffer(packed, "<i8")]
