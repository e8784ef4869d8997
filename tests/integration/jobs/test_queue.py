"""Jobs that workers take from procrastinate's queue, on a real PostgreSQL."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import StorageError
from bot.jobs import queue as queues
from bot.jobs.queue import Queue, open_queue
from bot.jobs.schedule import Schedule
from bot.storage.tables import job_runs

MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)
WEEKLY = "0 9 * * mon"
PATIENT = 60
SUPPORT = Path(__file__).parents[2] / "support"


@pytest.fixture
def url(postgres_engine: AsyncEngine) -> str:
    return postgres_engine.url.render_as_string(hide_password=False)


@pytest.fixture
async def queue(url: str) -> AsyncIterator[Queue]:
    async with open_queue(url) as opened:
        yield opened


class Log:
    """What was worked off, and an event for each."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, datetime]] = []
        self.news = asyncio.Event()

    async def perform(self, workspace: str, job: str, fire_at: datetime, died: bool) -> None:
        self.done.append((workspace, job, fire_at))
        self.news.set()

    async def until(self, count: int) -> None:
        async with asyncio.timeout(PATIENT):
            while len(self.done) < count:
                await self.news.wait()
                self.news.clear()


class Working:
    """A worker in this process while the block lasts."""

    def __init__(self, queue: Queue, perform: queues.Perform, at_once: int = 2) -> None:
        self._work = queue.work(perform, at_once=at_once, grace=0)

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._work)

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def test_a_firing_waits_once_however_many_put_it_there(queue: Queue) -> None:
    await asyncio.gather(*(queue.defer("T1", "report", MONDAY) for _ in range(8)))
    await queue.defer("T2", "report", MONDAY)
    assert await queue.waiting() == 2
    log = Log()
    async with Working(queue, log.perform):
        await log.until(2)
    assert sorted(log.done) == [("T1", "report", MONDAY), ("T2", "report", MONDAY)]
    assert await queue.waiting() == 0


async def test_what_replicas_hand_over_one_worker_does_once(postgres_engine: AsyncEngine, url: str) -> None:
    fired: list[datetime] = []
    async with open_queue(url) as queue, open_queue(url) as other:

        async def work(fire_at: datetime) -> None:
            fired.append(fire_at)

        def schedule(of: Queue) -> Schedule:
            async def hand_over(job: str, fire_at: datetime) -> None:
                await of.defer("T1", job, fire_at)

            made = Schedule(postgres_engine, UTC, lambda: MONDAY + timedelta(seconds=1), hand_over)
            made.add("report", WEEKLY, work, catch_up=True, resume=True)
            return made

        replicas = [schedule(queue), schedule(other)]
        for replica in replicas:
            replica._jobs["report"].since = MONDAY - timedelta(days=1)
        await asyncio.gather(*(replica.run_due(MONDAY + timedelta(seconds=1)) for replica in replicas))
        assert fired == []
        log = Log()

        async def perform(workspace: str, job: str, fire_at: datetime, died: bool) -> None:
            await replicas[0].perform(job, fire_at, died=died)
            await log.perform(workspace, job, fire_at, died)

        async with Working(queue, perform), Working(other, perform):
            await log.until(1)
            # Whoever is late hands it over once more; it has been done.
            await other.defer("T1", "report", MONDAY)
            await log.until(2)
    assert fired == [MONDAY]
    async with postgres_engine.connect() as connection:
        (row,) = (await connection.execute(sa.select(job_runs))).all()
    assert row.finished_at is not None
    assert row.problem is None


async def test_what_a_killed_worker_had_in_hand_another_one_finishes(
    queue: Queue, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "DEAD_SECONDS", 0.3)
    await queue.defer("T1", "report", MONDAY)
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import asyncio, sys, killed_worker; asyncio.run(killed_worker.hang(sys.argv[1]))",
        url,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SUPPORT), str(SUPPORT.parents[1])])},
    )
    assert worker.stdout is not None
    async with asyncio.timeout(PATIENT):
        assert await worker.stdout.readline() == b"begun\n"
    worker.send_signal(signal.SIGKILL)
    await worker.wait()
    died: list[bool] = []
    log = Log()

    async def perform(workspace: str, job: str, fire_at: datetime, has_died: bool) -> None:
        died.append(has_died)
        await log.perform(workspace, job, fire_at, has_died)

    async with Working(queue, perform):
        await log.until(1)
    assert died == [True]


async def test_what_a_worker_that_ends_has_no_time_for_goes_back(queue: Queue, url: str) -> None:
    begun, log = asyncio.Event(), Log()

    async def hang(workspace: str, job: str, fire_at: datetime, died: bool) -> None:
        begun.set()
        await asyncio.Event().wait()

    await queue.defer("T1", "report", MONDAY)
    async with Working(queue, hang):
        async with asyncio.timeout(PATIENT):
            await begun.wait()
    async with open_queue(url) as other, Working(other, log.perform):
        await log.until(1)
    assert log.done == [("T1", "report", MONDAY)]


async def test_a_queue_that_cannot_be_reached_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="The queue of work cannot be opened"):
        async with open_queue(f"postgresql+psycopg://postgres:@/postgres?host={tmp_path}"):
            pass
