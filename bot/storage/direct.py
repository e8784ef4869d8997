"""Connections without asyncio, for work on the whole database: migrations, backups, forgetting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

Purpose = Literal["read", "write", "rebuild"]
BUSY_SECONDS = 60.0
"""How long SQLite waits for a process that writes before it gives up."""


@contextmanager
def transaction(url: str, purpose: Purpose) -> Iterator[Connection]:
    """One transaction on `sqlite+aiosqlite:///…` or `postgresql+psycopg://…`: committed as a whole, or nothing stays.

    `read`: everything as it was at one moment, however long it takes, without holding up who writes. `write`: what is
    deleted is overwritten in SQLite's file. `rebuild`: the same without foreign keys, since SQLite takes a table that
    is made anew for one whose rows are gone. Raises what the driver raises.
    """
    engine = _engine(url, purpose)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def outside_transactions(url: str) -> Iterator[Connection]:
    """A connection whose statements stand alone, as cleaning up wants it."""
    engine = sa.create_engine(_address(url), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _address(url: str) -> sa.URL:
    address = sa.make_url(url)
    return address.set(drivername="sqlite") if address.get_backend_name() == "sqlite" else address


def _engine(url: str, purpose: Purpose) -> sa.Engine:
    address = _address(url)
    if address.get_backend_name() != "sqlite":
        level = "REPEATABLE READ" if purpose == "read" else "READ COMMITTED"
        return sa.create_engine(address, poolclass=sa.NullPool, isolation_level=level)
    engine = sa.create_engine(address, poolclass=sa.NullPool, connect_args={"timeout": BUSY_SECONDS})

    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver's own way begins a transaction late, and never before DDL
        cursor = connection.cursor()
        keys = "OFF" if purpose == "rebuild" else "ON"
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"foreign_keys={keys}", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if purpose == "read" else "BEGIN IMMEDIATE")

    sa.event.listen(engine, "connect", configure)
    sa.event.listen(engine, "begin", begin)
    return engine
