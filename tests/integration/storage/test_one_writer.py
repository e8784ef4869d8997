"""Writers of one SQLite database stand in line, and what somebody waits for goes first."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.inbox import Inbox
from bot.storage.engine import open_engine, upgrade
from bot.storage.tables import inbox


async def opened(folder: Path) -> AsyncEngine:
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'line.db'}")
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    return engine


async def in_line() -> None:
    """Lets everybody who was started come as far as the line."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_writers_take_their_turns_and_an_event_that_slack_waits_for_goes_first(tmp_path: Path) -> None:
    engine = await opened(tmp_path)
    order: list[str] = []

    async def write(name: str) -> None:
        async with engine.begin() as connection:
            await connection.execute(sa.text("UPDATE inbox SET attempts = attempts"))
            order.append(name)

    async def keep(name: str) -> None:
        await Inbox(engine).keep(name, "event", {})
        order.append(name)

    async with engine.begin() as connection:
        await connection.execute(sa.text("UPDATE inbox SET attempts = attempts"))
        tasks = [asyncio.create_task(write(name)) for name in ("first", "second", "third")]
        await in_line()
        tasks.append(asyncio.create_task(keep("event")))
        await in_line()
        assert order == []
    async with asyncio.timeout(10):
        await asyncio.gather(*tasks)
    assert order == ["event", "first", "second", "third"]
    await engine.dispose()


async def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine = await opened(tmp_path)
    async with asyncio.timeout(10), engine.begin() as writing:
        await writing.execute(sa.text("UPDATE inbox SET attempts = attempts"))
        async with engine.connect() as reading:
            assert (await reading.execute(sa.select(sa.func.count()).select_from(inbox))).scalar_one() == 0
    await engine.dispose()


async def test_a_writer_that_gives_up_or_fails_holds_nobody_up(tmp_path: Path) -> None:
    engine = await opened(tmp_path)

    async def write() -> None:
        async with engine.begin() as connection:
            await connection.execute(sa.text("SELECT 1"))

    async with engine.begin():
        gone, called, last = (asyncio.create_task(write()) for _ in range(3))
        await in_line()
        gone.cancel()
        await in_line()
    called.cancel()  # its turn has come in the same moment
    with pytest.raises(sa.exc.OperationalError):
        async with asyncio.timeout(10), engine.begin() as connection:
            await connection.execute(sa.text("SELECT wrong"))
    async with asyncio.timeout(10):
        await last
        await write()
    assert gone.cancelled()
    await engine.dispose()
