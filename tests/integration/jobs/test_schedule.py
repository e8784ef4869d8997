import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from bot.errors import ConfigError, SwitchboardError
from bot.jobs.runs import INTERRUPTED
from bot.jobs.schedule import Schedule
from bot.storage.tables import job_runs
from bot.worker import Worker

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 16, 9, tzinfo=BERLIN)
WEEKLY = "0 9 * * mon"


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Fired:
    """Work that remembers for which firings it ran."""

    def __init__(self) -> None:
        self.at: list[datetime] = []
        self.happened = asyncio.Event()

    async def __call__(self, fire_at: datetime) -> None:
        self.at.append(fire_at)
        self.happened.set()

    async def once(self) -> None:
        async with asyncio.timeout(10):
            await self.happened.wait()


Make = Callable[..., Awaitable[Schedule]]


@pytest.fixture
async def make(engine: AsyncEngine) -> AsyncIterator[Make]:
    """Makes started schedules with one job, "report", and closes them."""
    made: list[Schedule] = []

    async def make(clock: Clock, work: Any, cron: str = WEEKLY, *, catch_up: bool = True) -> Schedule:
        schedule = Schedule(engine, BERLIN, clock)
        schedule.add("report", cron, work, catch_up)
        made.append(schedule)
        await schedule.start()
        return schedule

    yield make
    for schedule in made:
        await schedule.close()


async def runs(engine: AsyncEngine) -> list[Any]:
    async with engine.connect() as connection:
        return list((await connection.execute(sa.select(job_runs).order_by(job_runs.c.fire_at))).all())


async def test_a_job_fires_at_its_time_and_not_before(make: Make) -> None:
    clock, fired = Clock(MONDAY - timedelta(minutes=1)), Fired()
    schedule = await make(clock, fired)
    await schedule.run_due(MONDAY - timedelta(microseconds=1))
    assert fired.at == []
    await schedule.run_due(MONDAY)
    assert fired.at == [MONDAY]
    assert fired.at[0].tzinfo is BERLIN


async def test_a_firing_happens_once_however_often_it_is_asked_for(make: Make) -> None:
    fired = Fired()
    schedule = await make(Clock(MONDAY - timedelta(days=1)), fired)
    for minutes in range(5):
        await schedule.run_due(MONDAY + timedelta(minutes=minutes))
    await schedule.run_due(MONDAY + timedelta(days=7))
    assert fired.at == [MONDAY, MONDAY + timedelta(days=7)]


async def test_replicas_share_the_firings_and_never_run_one_twice(make: Make) -> None:
    clock = Clock(MONDAY - timedelta(days=1))
    fired = Fired()
    replicas = [await make(clock, fired) for _ in range(3)]
    for week in range(3):
        now = MONDAY + timedelta(days=7 * week)
        await asyncio.gather(*(replica.run_due(now) for replica in replicas))
    assert fired.at == [MONDAY, MONDAY + timedelta(days=7), MONDAY + timedelta(days=14)]


async def test_what_was_missed_while_no_process_ran_is_made_up_for_once(make: Make) -> None:
    clock, before, after, again = Clock(MONDAY - timedelta(days=1)), Fired(), Fired(), Fired()
    await (await make(clock, before)).close()
    clock.now = MONDAY + timedelta(days=16, hours=3)  # three Mondays went by
    await (await make(clock, after)).close()
    assert before.at == []
    assert after.at == [MONDAY + timedelta(days=14)]
    schedule = await make(clock, again)
    await schedule.run_due(clock.now)
    assert again.at == []


async def test_a_restart_after_a_firing_does_not_repeat_it(make: Make) -> None:
    clock, first, second = Clock(MONDAY - timedelta(days=1)), Fired(), Fired()
    schedule = await make(clock, first)
    await schedule.run_due(MONDAY)
    await schedule.close()
    clock.now = MONDAY + timedelta(minutes=1)
    restarted = await make(clock, second)
    await restarted.run_due(clock.now)
    assert (first.at, second.at) == ([MONDAY], [])


async def test_a_first_start_makes_up_for_nothing(make: Make) -> None:
    clock, fired = Clock(MONDAY + timedelta(minutes=5)), Fired()
    schedule = await make(clock, fired)
    await schedule.run_due(clock.now)
    assert fired.at == []


async def test_a_job_that_need_not_catch_up_waits_for_its_next_time(make: Make, engine: AsyncEngine) -> None:
    clock, first, second = Clock(MONDAY - timedelta(days=1)), Fired(), Fired()
    schedule = await make(clock, first, "*/30 * * * *", catch_up=False)
    await schedule.run_due(MONDAY)
    await schedule.close()
    clock.now = MONDAY + timedelta(hours=5, minutes=1)
    restarted = await make(clock, second, "*/30 * * * *", catch_up=False)
    await restarted.run_due(clock.now)
    assert second.at == []
    await restarted.run_due(clock.now + timedelta(minutes=30))
    assert second.at == [MONDAY + timedelta(hours=5, minutes=30)]


async def test_a_job_at_a_repeated_time_fires_once_when_clocks_go_back(make: Make) -> None:
    evening = datetime(2026, 10, 24, 20, tzinfo=UTC)
    fired = Fired()
    schedule = await make(Clock(evening), fired, "30 2 * * *")
    for minutes in range(0, 12 * 60, 10):
        await schedule.run_due(evening + timedelta(minutes=minutes))
    assert [moment.isoformat() for moment in fired.at] == ["2026-10-25T02:30:00+02:00"]


async def test_a_job_at_a_skipped_time_fires_once_when_clocks_go_forward(make: Make) -> None:
    evening = datetime(2026, 3, 28, 20, tzinfo=UTC)
    fired = Fired()
    schedule = await make(Clock(evening), fired, "30 2 * * *")
    for minutes in range(0, 12 * 60, 10):
        await schedule.run_due(evening + timedelta(minutes=minutes))
    assert [moment.isoformat() for moment in fired.at] == ["2026-03-29T03:30:00+02:00"]


async def test_the_scheduler_itself_asks_what_is_due(make: Make) -> None:
    clock, fired = Clock(MONDAY - timedelta(days=1)), Fired()
    schedule = await make(clock, fired)
    clock.now = MONDAY
    (beat,) = schedule._scheduler.get_jobs()
    assert str(beat.trigger) == "cron[second='0']"
    beat.modify(next_run_time=datetime.now(UTC))
    await fired.once()
    assert fired.at == [MONDAY]


async def test_a_failed_job_is_noted_with_its_sentence_and_the_next_one_runs(make: Make, engine: AsyncEngine) -> None:
    async def work(_fire_at: datetime) -> None:
        raise SwitchboardError("Slack has no channel C404. Choose another with report.channel.")

    schedule = await make(Clock(MONDAY - timedelta(days=1)), work)
    with capture_logs() as logs:
        await schedule.run_due(MONDAY)
    problem = (await runs(engine))[-1].problem
    assert problem.startswith("Slack has no channel C404. Choose another with report.channel. (correlation id ")
    (line,) = [line for line in logs if line["event"] == "job_failed"]
    assert line["problem"].startswith("Slack has no channel C404")
    await schedule.run_due(MONDAY + timedelta(days=7))
    assert [run.fire_at for run in await runs(engine)][1:] == [MONDAY, MONDAY + timedelta(days=7)]


async def test_an_unforeseen_error_is_noted_without_the_secrets_in_its_words(make: Make, engine: AsyncEngine) -> None:
    async def work(_fire_at: datetime) -> None:
        raise RuntimeError("no answer from\npostgresql://me:hunter2@db")

    schedule = await make(Clock(MONDAY - timedelta(days=1)), work)
    with capture_logs() as logs:
        await schedule.run_due(MONDAY)
    run = (await runs(engine))[-1]
    assert run.problem.startswith(
        "It broke: RuntimeError: no answer from postgresql://me:[secret: password in an address]@db (correlation id "
    )
    assert run.finished_at is not None
    assert [line["event"] for line in logs] == ["job_failed"]


async def test_one_failing_job_does_not_keep_another_from_running(engine: AsyncEngine) -> None:
    async def broken(_fire_at: datetime) -> None:
        raise RuntimeError

    fired = Fired()
    schedule = Schedule(engine, BERLIN, Clock(MONDAY - timedelta(days=1)))
    schedule.add("broken", WEEKLY, broken, catch_up=True)
    schedule.add("report", WEEKLY, fired, catch_up=True)
    await schedule.start()
    await schedule.run_due(MONDAY)
    await schedule.close()
    assert fired.at == [MONDAY]


async def test_a_job_still_running_is_not_begun_again_and_makes_up_for_it_after(make: Make) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    at: list[datetime] = []

    async def slow(fire_at: datetime) -> None:
        at.append(fire_at)
        begun.set()
        await go.wait()

    schedule = await make(Clock(MONDAY - timedelta(minutes=1)), slow, "* * * * *")
    running = asyncio.create_task(schedule.run_due(MONDAY))
    async with asyncio.timeout(10):
        await begun.wait()
    for minutes in (1, 2):
        await schedule.run_due(MONDAY + timedelta(minutes=minutes))
    assert at == [MONDAY]
    go.set()
    await running
    await schedule.run_due(MONDAY + timedelta(minutes=3))
    assert at == [MONDAY, MONDAY + timedelta(minutes=3)]


async def test_a_firing_that_could_not_be_claimed_is_due_again(make: Make, engine: AsyncEngine) -> None:
    fired = Fired()
    schedule = await make(Clock(MONDAY - timedelta(days=1)), fired)
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE job_runs RENAME TO away"))
    with capture_logs() as logs:
        await schedule.run_due(MONDAY)
    assert fired.at == []
    assert [line["event"] for line in logs] == ["job_not_recorded"]
    async with engine.begin() as connection:
        await connection.execute(sa.text("ALTER TABLE away RENAME TO job_runs"))
    await schedule.run_due(MONDAY + timedelta(minutes=1))
    assert fired.at == [MONDAY]


async def test_closing_waits_for_a_running_job(engine: AsyncEngine) -> None:
    clock, begun, finished = Clock(MONDAY - timedelta(days=1)), asyncio.Event(), asyncio.Event()

    async def work(_fire_at: datetime) -> None:
        begun.set()
        for _ in range(20):
            await asyncio.sleep(0)
        finished.set()

    first = Schedule(engine, BERLIN, clock)
    first.add("report", WEEKLY, Fired(), catch_up=True)
    await first.start()
    await first.close()
    clock.now = MONDAY
    second = Schedule(engine, BERLIN, clock)
    second.add("report", WEEKLY, work, catch_up=True)
    await second.start()
    async with asyncio.timeout(10):
        await begun.wait()
    await second.close()
    assert finished.is_set()
    assert (await runs(engine))[-1].finished_at == MONDAY


async def test_a_run_that_a_dead_process_left_is_named_and_not_repeated(make: Make, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(job_runs.insert().values(job="report", fire_at=MONDAY, started_at=MONDAY))
    clock, fired = Clock(MONDAY + timedelta(hours=1)), Fired()
    with capture_logs() as logs:
        schedule = await make(clock, fired)
        await schedule.run_due(clock.now)
    assert fired.at == []
    assert (await runs(engine))[0].problem == INTERRUPTED
    assert [line["job"] for line in logs if line["event"] == "job_was_interrupted"] == ["report"]


async def test_a_run_that_a_living_process_is_at_is_neither_named_nor_taken_over(engine: AsyncEngine) -> None:
    clock, go = Clock(MONDAY - timedelta(minutes=1)), asyncio.Event()
    began, has_begun = list[str](), asyncio.Event()
    workers = [Worker(engine, alone=False) for _ in range(2)]

    def replica(name: str, worker: Worker) -> Schedule:
        async def work(_fire_at: datetime) -> None:
            began.append(name)
            has_begun.set()
            await go.wait()

        made = Schedule(engine, BERLIN, clock, worker=worker)
        made.add("report", WEEKLY, work, catch_up=True, resume=True)
        return made

    first, second = replica("first", workers[0]), replica("second", workers[1])
    for worker in workers:
        await worker.start()
    try:
        await first.recall()
        running = asyncio.create_task(first.run_due(MONDAY))
        async with asyncio.timeout(10):
            await has_begun.wait()
        clock.now = MONDAY + timedelta(hours=1)
        with capture_logs() as logs:
            await second.recall()
            await second.run_due(clock.now)
        assert (began, logs) == (["first"], [])
        assert (await runs(engine))[-1].problem is None
        running.cancel()
        await workers[0].close()
        go.set()
        with capture_logs() as logs:
            await second.recall()
            await second.run_due(clock.now)
        assert began == ["first", "second"]
        assert [line["event"] for line in logs] == ["job_was_interrupted", "job_done"]
    finally:
        for worker in workers:
            await worker.close()


async def test_a_bad_schedule_is_refused_when_it_is_added(engine: AsyncEngine) -> None:
    with pytest.raises(ConfigError, match="no schedule"):
        Schedule(engine, BERLIN).add("report", "0 9 * * 1", Fired(), catch_up=True)


async def test_a_schedule_that_never_started_closes(engine: AsyncEngine) -> None:
    await Schedule(engine, BERLIN).close()
