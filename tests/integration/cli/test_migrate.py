"""`switchboard migrate` on an empty database of each kind."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from rich.console import Console

from bot.config import Settings, Storage
from bot.errors import AlreadyRunning, StorageError
from bot.lock import DataFolderLock
from bot.migrating import migrate
from bot.storage.engine import open_engine
from bot.storage.revisions import PACKAGES
from knowledge.schema import documents


async def test_an_empty_sqlite_gets_its_tables_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    await migrated_twice("", tmp_path)


async def test_an_empty_postgresql_gets_its_tables_and_a_second_time_changes_nothing(
    tmp_path: Path, empty_postgres: str
) -> None:
    await migrated_twice(empty_postgres, tmp_path)


async def migrated_twice(url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", storage=Storage(url=SecretStr(url)))
    told = io.StringIO()
    await migrate(settings, Console(file=told, width=200))
    newest = [package.known()[-1] for package in PACKAGES]
    assert told.getvalue().splitlines() == [
        f"The schema of the bot is {newest[0]}.",
        f"The schema of the knowledge is {newest[1]}.",
        "The database is up to date.",
    ]
    engine = open_engine(settings.database_url)
    async with engine.connect() as connection:
        tables = await connection.run_sync(lambda one: sa.inspect(one).get_table_names())
    await engine.dispose()
    assert {"inbox", "ledger", documents.name} <= set(tables)
    await migrate(settings, Console(file=told, width=200))
    assert told.getvalue().count("up to date") == 2


async def test_a_bot_that_runs_and_a_database_that_is_away_are_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    lock = DataFolderLock(tmp_path)
    lock.acquire()
    with pytest.raises(AlreadyRunning):
        await migrate(settings, Console(file=io.StringIO()))
    lock.release()
    away = Storage(url=SecretStr("postgresql+psycopg://bot:geheim@127.0.0.1:9/x"))
    with pytest.raises(StorageError) as told:
        await migrate(Settings(data_dir=tmp_path, storage=away), Console(file=io.StringIO()))
    assert "geheim" not in str(told.value)
