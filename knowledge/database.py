"""The database of knowledge, on SQLite and PostgreSQL alike: how it is read and written, and how it fails."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.errors import StorageFull, StoreUnavailable
from knowledge.schema import sources

_T = TypeVar("_T")
AT_ONCE = 500  # names in one IN list, rows in one fetch: both databases take it, and memory stays small


class Database:
    """Transactions on the tables of `knowledge:migrations`. All raise StorageFull or StoreUnavailable."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        #: Whether several processes may use it at once.
        self.is_shared = engine.dialect.name == "postgresql"
        #: What a connection beside those of the engine is opened with.
        self.arguments = dict(engine.dialect.create_connect_args(engine.url)[1])
        #: An INSERT that knows ON CONFLICT, which both kinds spell alike.
        self.insert = postgresql.insert if self.is_shared else sqlite.insert

    async def ping(self) -> None:
        """Raises StoreUnavailable where the database does not answer or has no tables of knowledge."""
        async with self.reading() as connection:
            await connection.execute(sa.select(sources.c.name).limit(1))

    async def schema(self) -> str:
        """The schema of PostgreSQL that the tables are in."""
        async with self.reading() as connection:
            return str((await connection.execute(sa.select(sa.func.current_schema()))).scalar_one())

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with."""
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (DBAPIError, OSError) as error:
            raise _explained(error) from error

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed as a whole, or nothing of it stays."""
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, OSError) as error:
            raise _explained(error) from error


def parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """As many at a time as one statement takes."""
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def _explained(error: DBAPIError | OSError) -> StoreUnavailable:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    text = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    full = getattr(cause, "sqlstate", None) == "53100" or getattr(cause, "errno", None) == errno.ENOSPC
    if full or "database or disk is full" in text:
        return StorageFull(
            "There is no room left to write knowledge to the database. What was written before is whole: "
            "make room and refresh again."
        )
    return StoreUnavailable(f"The database of knowledge could not be read or written: {text}")
