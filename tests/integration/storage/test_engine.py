from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import StorageError
from bot.storage.columns import metadata
from bot.storage.cost_tables import ledger
from bot.storage.engine import open_engine, ping, reason, upgrade
from bot.storage.tables import inbox

AWARE = datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=2)))


def call(cost: Decimal | None) -> dict[str, object]:
    return {
        "purpose": "answer",
        "provider": "p",
        "model": "m",
        "started_at": AWARE,
        "cost": cost,
        "outcome": "answered",
    }


async def test_the_migrations_make_every_table_and_run_twice_without_harm(engine: AsyncEngine) -> None:
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    assert set(metadata.tables) <= set(names)
    await ping(engine)


async def test_money_stays_exact_and_unknown_stays_unknown(engine: AsyncEngine) -> None:
    amounts = [Decimal("0.0000000001"), Decimal("0.1"), Decimal("1234567.123456789012"), None]
    async with engine.begin() as connection:
        await connection.execute(ledger.insert(), [call(amount) for amount in amounts])
        rows = (await connection.execute(sa.select(ledger.c.cost).order_by(ledger.c.id))).scalars().all()
    assert list(rows) == amounts


async def test_a_moment_comes_back_in_utc(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(ledger.insert().values(call(None)))
        moment = (await connection.execute(sa.select(ledger.c.started_at))).scalar_one()
    assert (moment, moment.tzinfo) == (AWARE, UTC)


async def test_a_moment_without_a_zone_is_refused(engine: AsyncEngine) -> None:
    with pytest.raises(StatementError, match="give it one"):
        async with engine.begin() as connection:
            await connection.execute(ledger.insert().values(call(None) | {"started_at": datetime(2026, 1, 1)}))  # noqa: DTZ001


async def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    engine = open_engine(f"postgresql+psycopg://bot:geheim@/switchboard?host={tmp_path}")
    for attempt in (ping(engine), upgrade(engine, "bot.storage:migrations", "alembic_version")):
        with pytest.raises(StorageError) as caught:
            await attempt
        assert "geheim" not in str(caught.value)
        assert str(tmp_path.name) in str(caught.value)
    await engine.dispose()


async def test_a_full_disk_loses_nothing_that_was_written(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'full.db'}")
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    row = {"kind": "message", "payload": {}, "state": "waiting", "attempts": 0, "received_at": AWARE}
    async with engine.begin() as connection:
        await connection.execute(inbox.insert().values(event_id="kept", **row))
    async with engine.connect() as connection:
        # SQLite's own limit raises the same error as a disk without room.
        pages = (await connection.execute(sa.text("PRAGMA page_count"))).scalar_one()
        await connection.execute(sa.text(f"PRAGMA max_page_count={pages}"))
        with pytest.raises(OperationalError) as caught:
            await connection.execute(
                inbox.insert().values(event_id="large", **row | {"payload": {"x": "y" * 10_000_000}})
            )
        assert reason(caught.value) == "database or disk is full"
        await connection.rollback()
        kept = (await connection.execute(sa.select(inbox.c.event_id))).scalars().all()
    assert list(kept) == ["kept"]
    await engine.dispose()


async def test_the_migrations_make_what_the_tables_say(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts={"include_name": _is_own}), metadata)
        )
    assert differences == []


def _is_own(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in metadata.tables
