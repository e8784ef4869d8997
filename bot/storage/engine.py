"""Opens the database and brings its tables up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import StorageError
from bot.storage.direct import transaction
from bot.storage.one_writer import OneWriter
from bot.storage.revisions import Package
from bot.storage.shared_pool import open_shared


def open_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite+aiosqlite:///…` or `postgresql+psycopg://…`.

    SQLite runs in WAL mode with foreign keys on, and overwrites what is deleted; writers of this process stand in
    line, and wait ten seconds for another process before they give up.
    """
    if "search_path" in str(sa.make_url(url).query.get("options", "")):
        return open_shared(url)  # one workspace of many
    if not url.startswith("sqlite"):
        # A burst of questions waits for its turn: that is better than a question that is lost.
        return create_async_engine(url, pool_pre_ping=True, pool_timeout=120)
    asynchronous = create_async_engine(url, connect_args={"timeout": 10}).sync_engine
    direct = sa.create_engine(sa.make_url(url).set(drivername="sqlite"), connect_args={"timeout": 10})
    for engine in (asynchronous, direct):
        sa.event.listen(engine, "connect", _configure)
    # The driver's own way begins a transaction late, and never before a savepoint.
    sa.event.listen(direct, "connect", _begin_nothing)
    sa.event.listen(direct, "begin", _begin_writing)
    return OneWriter(asynchronous, direct)


def open_vital(url: str, engine: AsyncEngine) -> AsyncEngine:
    """An engine on the same database for what cannot stand behind a burst of questions: signs of life, and events that
    Slack waits for. SQLite's own line lets those go first; PostgreSQL gets three connections more."""
    if url.startswith("sqlite"):
        return engine
    return create_async_engine(url, pool_pre_ping=True, pool_size=3, max_overflow=0)


@asynccontextmanager
async def open_existing(url: str, missing: str, what: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the database as it is, without the lock on the data folder: the bot may run meanwhile.

    Raises StorageError: with `missing` where SQLite has no file yet, with `what` where it cannot be read.
    """
    file = sa.make_url(url).database
    if url.startswith("sqlite") and not (file and Path(file).is_file()):
        raise StorageError(f"{missing}: {file} is not there. `switchboard run` starts the bot.")
    engine = open_engine(url)
    try:
        yield engine
    except (DBAPIError, OSError) as error:
        raise StorageError(
            f"{what} could not be read ({reason(error)}). `switchboard run` brings the database up to date."
        ) from error
    finally:
        await engine.dispose()


def _configure(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_nothing(connection: Any, _record: object) -> None:
    connection.isolation_level = None


def _begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def upgrade(engine: AsyncEngine, location: str, version_table: str) -> None:
    """Runs the migrations of one package (`"bot.storage:migrations"`) up to the newest: all of them, or none.

    `version_table` keeps the packages' versions apart. Of several processes that start at once one migrates. Raises
    NewerSchema, and StorageError where the database cannot be reached or written.
    """
    url = engine.url.render_as_string(hide_password=False)
    try:
        await asyncio.to_thread(_upgrade, url, Package(location, version_table))
    except (DBAPIError, OSError) as error:
        raise StorageError(f"The database {_shown(engine)} could not be brought up to date: {reason(error)}") from error


async def ping(engine: AsyncEngine) -> None:
    """Raises StorageError where the database does not answer."""
    try:
        async with asyncio.timeout(5), engine.connect() as connection:
            await connection.execute(sa.select(1))
    except (DBAPIError, OSError, TimeoutError) as error:
        raise StorageError(f"The database {_shown(engine)} does not answer: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """The driver's own first line, without SQL and parameters."""
    cause = error.orig if isinstance(error, (DBAPIError, OperationalError)) and error.orig else error
    text = str(cause).strip()
    return text.splitlines()[0] if text else type(cause).__name__


def _shown(engine: AsyncEngine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _upgrade(url: str, package: Package) -> None:
    with transaction(url, "rebuild") as connection:
        package.upgrade(connection)
