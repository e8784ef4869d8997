"""Workspaces in one PostgreSQL: each engine sees its own schema, and all together open few connections."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.config import Settings, Storage
from bot.storage import shared_pool
from bot.storage.engine import open_engine
from bot.tenancy.place import make_room, remove
from bot.tenancy.settings import schema_of, settings_of

TEAMS = [f"T0{number}" for number in range(6)]


async def test_engines_of_many_workspaces_see_their_own_tables_and_share_a_limit_of_connections(
    empty_postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_pool, "MOST", 4)
    monkeypatch.setattr(shared_pool, "KEPT", 2)
    url = SecretStr(f"{empty_postgres}&application_name=house")
    settings = Settings(data_dir=tmp_path, storage=Storage(url=url))
    registry = open_engine(empty_postgres)
    engines: dict[str, AsyncEngine] = {}
    opened: list[psycopg.AsyncConnection] = []
    for team in TEAMS:
        await asyncio.gather(
            *(make_room(registry, settings, team) for _ in range(3))
        )  # also where several begin at once
        engines[team] = open_engine(settings_of(settings, team).database_url)
        sa.event.listen(engines[team].sync_engine, "connect", lambda made, _: opened.append(made.driver_connection))
        async with engines[team].begin() as connection:
            await connection.exec_driver_sql("CREATE TABLE secrets (text TEXT)")
            await connection.execute(sa.text("INSERT INTO secrets VALUES (:team)"), {"team": team})

    most = 0

    async def read(team: str) -> None:
        nonlocal most
        async with engines[team].connect() as connection:
            assert await _open(registry) >= 1
            most = max(most, sum(not each.closed for each in opened))
            assert (await connection.exec_driver_sql("SELECT text FROM secrets")).scalars().all() == [team]
            assert (await connection.exec_driver_sql("SHOW search_path")).scalar() == schema_of(team)

    await asyncio.gather(*(read(team) for team in TEAMS for _ in range(10)))
    assert 2 <= most <= 4
    await _closed_down_to(registry, 2)
    # What cannot be opened counts no more.
    broken = open_engine(settings_of(settings, "T0NONE").database_url.replace("/empty_", "/missing_"))
    for _ in range(6):
        with pytest.raises(sa.exc.OperationalError):
            async with broken.connect():
                pass
    await asyncio.gather(*(read(team) for team in TEAMS))

    async with registry.begin() as connection:
        await remove(connection, settings, "T00")
    await engines["T00"].dispose()
    with pytest.raises(sa.exc.ProgrammingError, match="secrets"):
        await read("T00")
    await read("T01")
    for engine in (*engines.values(), broken):
        await engine.dispose()
    await _closed_down_to(registry, 0)
    await registry.dispose()


async def _open(registry: AsyncEngine) -> int:
    """How many connections the workspaces have open."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'house'"
    async with registry.connect() as connection:
        return int((await connection.exec_driver_sql(query)).scalar_one())


async def _closed_down_to(registry: AsyncEngine, number: int) -> None:
    """A backend of PostgreSQL is gone a moment after its connection."""
    async with asyncio.timeout(30):
        while await _open(registry) > number:
            pass
