"""Short pieces of writing: one hop each, a transaction for those that wait together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import open_engine
from bot.storage.one_writer import write
from bot.storage.tables import told_problems
from knowledge.uninterrupted import uninterrupted

ROW = {"source": "s", "sentence": "", "told_at": datetime(2026, 11, 18, tzinfo=UTC)}


def adding(path: str, *, then_fail: bool = False) -> Callable[[sa.Connection], str]:
    def work(connection: sa.Connection) -> str:
        connection.execute(told_problems.insert().values(**ROW, path=path))
        if then_fail:
            raise LookupError(path)
        return path

    return work


async def paths(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set((await connection.execute(sa.select(told_problems.c.path))).scalars())


async def test_of_many_at_once_each_gets_its_own_result_and_a_failing_one_leaves_nothing(engine: AsyncEngine) -> None:
    works = [adding(str(number), then_fail=number % 3 == 0) for number in range(30)]
    works.append(adding("1"))  # which is there already
    results = await asyncio.gather(*(write(engine, work) for work in works), return_exceptions=True)
    kept = {str(number) for number in range(30) if number % 3}
    assert await paths(engine) == kept
    assert {result for result in results if isinstance(result, str)} == kept
    assert [str(error) for error in results if isinstance(error, LookupError)] == [str(n) for n in range(0, 30, 3)]
    assert isinstance(results[-1], IntegrityError)
    assert await write(engine, adding("after")) == "after"


async def test_those_that_wait_together_share_a_transaction(sqlite_engine: AsyncEngine) -> None:
    commits: list[object] = []
    async with sqlite_engine.begin() as connection:
        waiting = [asyncio.create_task(write(sqlite_engine, adding(str(number)))) for number in range(20)]
        await asyncio.sleep(0)
        sa.event.listen(sqlite_engine._direct, "commit", commits.append)  # type: ignore[attr-defined]
        await connection.execute(told_problems.insert().values(**ROW, path="before"))
    await asyncio.gather(*waiting)
    assert len(await paths(sqlite_engine)) == 21
    assert len(commits) == 1


async def test_whoever_goes_away_before_its_turn_wants_nothing_written(sqlite_engine: AsyncEngine) -> None:
    async with sqlite_engine.begin():
        gone = asyncio.create_task(write(sqlite_engine, adding("gone")))
        stays = asyncio.create_task(write(sqlite_engine, adding("stays")))
        await asyncio.sleep(0)
        gone.cancel()
    assert await stays == "stays"
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert await paths(sqlite_engine) == {"stays"}


async def test_where_the_disk_is_full_whoever_wrote_hears_that_and_nothing_is_kept(sqlite_engine: AsyncEngine) -> None:
    def fill(connection: sa.Connection) -> None:  # SQLite's own limit ends in the same error
        connection.exec_driver_sql("PRAGMA max_page_count=1")  # no less than there are
        connection.execute(told_problems.insert().values(ROW | {"path": "large", "sentence": "large" * 10_000}))

    works = (adding("before"), fill, adding("after"))
    results = await asyncio.gather(*(write(sqlite_engine, work) for work in works), return_exceptions=True)
    assert ["database or disk is full" in str(result) for result in results] == [True] * 3
    assert await paths(sqlite_engine) == set()
    assert await write(sqlite_engine, adding("small")) == "small"


async def test_another_process_reads_what_was_written_once_it_returned(sqlite_engine: AsyncEngine) -> None:
    await write(sqlite_engine, adding("kept"))
    other = open_engine(sqlite_engine.url.render_as_string())
    assert await paths(other) == {"kept"}
    await other.dispose()


def test_a_loop_that_ends_stops_whoever_waits_for_the_writer(tmp_path: Path) -> None:
    """It cancels the writer with all others: nobody is left who would serve what comes after that."""
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'ending.db'}")
    begun, may_end = threading.Event(), threading.Event()
    ended = []

    def slow(_connection: sa.Connection) -> None:
        begun.set()
        may_end.wait()

    async def late() -> None:
        try:
            await uninterrupted(write(engine, slow))
        finally:
            ended.append(await asyncio.gather(write(engine, lambda _connection: 1), return_exceptions=True))

    async def main() -> None:
        waiting = [asyncio.create_task(late()) for _ in range(3)]
        await asyncio.to_thread(begun.wait)
        assert not any(task.done() for task in waiting)
        threading.Timer(0, may_end.set).start()

    asyncio.run(main())
    assert len(ended) == 3
