"""Work by the clock: every firing of a job is claimed in SQL, so that it runs once, whoever else runs too."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from textwrap import shorten

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import ConfigError, SwitchboardError
from bot.logs import mask
from bot.storage.engine import reason
from bot.storage.tables import job_runs
from bot.storage.upsert import insert

log = structlog.get_logger("bot.jobs")

Work = Callable[[datetime], Awaitable[None]]

CLOSING = 10.0
"""Seconds that running jobs are given to finish when the program stops."""
LEFT_ALONE = timedelta(minutes=5)
"""For how long a run of a job that can be resumed is nobody else's, even where its process has died."""
TRIED_AGAIN = timedelta(minutes=15)
GIVEN_UP = timedelta(days=7)
INTERRUPTED = "The process ended before this was finished."

_FIELDS = {"minute": "minute", "hour": "hour", "day": "day of the month", "month": "month", "day_of_week": "weekday"}
_WINDOWS = (timedelta(hours=1), timedelta(days=1), timedelta(days=8), timedelta(days=32))


class Trigger:
    """The moments at which a cron expression fires in a time zone.

    Where clocks go back, a fixed hour fires in the first of the two alone, and “every hour” in both. A time that
    clocks skip fires as much later as they jump. All moments it gives are in UTC: Python compares two moments of
    one zone by what the clock shows.
    """

    def __init__(self, cron: CronTrigger, zone: tzinfo, *, every_hour: bool) -> None:
        self._cron = cron
        self._zone = zone
        self._every_hour = every_hour

    def after(self, moment: datetime) -> datetime | None:
        """The first firing after a moment; None where there is never another."""
        while True:
            start = moment.astimezone(self._zone)
            found = self._cron.get_next_fire_time(start, start)
            if found is None:
                return None
            moment = found.astimezone(UTC)  # a time that clocks skip becomes one that there is
            if self._every_hour or not moment.astimezone(self._zone).fold:
                return moment

    def latest(self, since: datetime, now: datetime) -> datetime | None:
        """The last firing after `since` and up to `now`; None where there was none."""
        since, now = since.astimezone(UTC), now.astimezone(UTC)
        for window in _WINDOWS:
            if now - window > since and (fire_at := self._last(now - window, now)):
                return fire_at
        return self._last(since, now)

    def _last(self, since: datetime, now: datetime) -> datetime | None:
        last, fire_at = None, self.after(since)
        while fire_at and fire_at <= now:
            last, fire_at = fire_at, self.after(fire_at)
        return last


def parse_cron(text: str, zone: tzinfo) -> Trigger:
    """A cron expression of five fields. Raises ConfigError with a sentence that says what is wrong with it."""
    values = text.split()
    if len(values) != len(_FIELDS):
        raise _refused(text, f"it has {len(values)} fields where five are needed")
    fields = dict(zip(_FIELDS, values, strict=True))
    if any(char.isdigit() for char in fields["day_of_week"]):
        raise _refused(
            text, "a weekday is written mon, tue, wed, thu, fri, sat or sun, as numbers are read differently"
        )
    if fields["day"] != "*" and fields["day_of_week"] != "*":
        raise _refused(text, "it names a day of the month and a weekday; give one and * for the other")
    for name, value in fields.items():
        try:
            CronTrigger(**{name: value}, timezone=zone)
        except ValueError as error:
            raise _refused(text, f"the {_FIELDS[name]} “{value}” cannot be") from error
    trigger = Trigger(CronTrigger(**fields, timezone=zone), zone, every_hour=fields["hour"] == "*")
    if trigger.after(datetime.now(UTC)) is None:
        raise _refused(text, "there is no such day in any year")
    return trigger


def _refused(text: str, why: str) -> ConfigError:
    return ConfigError(
        f"“{text}” is no schedule: {why}. Write minute, hour, day of the month, month and weekday, for example "
        "“0 9 * * mon” for Mondays at 9:00."
    )


@dataclass(slots=True, kw_only=True)
class _Job:
    name: str
    trigger: Trigger
    work: Work
    catch_up: bool
    resume: bool
    since: datetime  # firings up to here are settled
    running: bool = False


class Schedule:
    """The jobs of one process. `time_zone` is the one that cron expressions speak of; `clock` gives now.

    Once a minute, when cron's times are, every job is asked whether it is due. So a machine that slept or a database
    that was away delays a firing by a minute at most and loses none.
    """

    def __init__(
        self, engine: AsyncEngine, time_zone: tzinfo, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._zone = time_zone
        self._clock = clock
        self._jobs: dict[str, _Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._scheduler = AsyncIOScheduler(timezone=time_zone)

    def add(self, name: str, cron: str, work: Work, catch_up: bool, *, resume: bool = False) -> None:
        """Adds a job before the start. `work` gets the moment of the firing, in the schedule's zone.

        `catch_up`: firings missed while no process ran are made up for at the start, several of them by one.
        `resume`: a run that a process left when it died is done again by whoever is there, and one that failed is tried
        again every quarter of an hour, both for a week: the work has to bear being begun more than once.
        Raises ConfigError where `cron` is no schedule.
        """
        trigger = parse_cron(cron, self._zone)
        self._jobs[name] = _Job(
            name=name, trigger=trigger, work=work, catch_up=catch_up, resume=resume, since=self._clock()
        )

    async def start(self) -> None:
        """Begins, with what was missed. Does not wait for it."""
        await self._note_interrupted()
        for job in self._jobs.values():
            job.since = await self._known_since(job)
            log.info("scheduled", job=job.name, next=str(job.trigger.after(self._clock())))
        self._scheduler.add_job(self._beat, CronTrigger(second=0, timezone=UTC), coalesce=True, misfire_grace_time=None)
        self._scheduler.start()
        await self._beat()

    async def close(self) -> None:
        """Starts nothing more, gives running jobs ten seconds and stops those that need longer."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=CLOSING)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def due(self, now: datetime) -> list[tuple[str, datetime]]:
        """The jobs that are not running and have to, each with the firing (in UTC) that it answers."""
        firings = ((job, job.trigger.latest(job.since, now)) for job in self._jobs.values() if not job.running)
        return [(job.name, fire_at) for job, fire_at in firings if fire_at]

    async def run_due(self, now: datetime) -> None:
        """Runs what is due, all at once, unless another process has; returns when it is done."""
        due = [self._run(self._jobs[name], fire_at) for name, fire_at in self.due(now)]
        await asyncio.gather(*due)
        await asyncio.gather(*(self._again(job, now) for job in self._jobs.values() if job.resume and not job.running))

    async def _beat(self) -> None:
        self._spawn(self.run_due(self._clock()))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, job: _Job, fire_at: datetime) -> None:
        job.running = True
        try:
            claimed = await self._claim(job.name, fire_at)
            job.since = fire_at
            if claimed:
                await self._work(job, fire_at)
        except (SQLAlchemyError, OSError) as error:
            # Unclaimed, it is still due in a minute.
            log.error("job_not_recorded", job=job.name, fire_at=str(fire_at), problem=reason(error))
        finally:
            job.running = False

    async def _again(self, job: _Job, now: datetime) -> None:
        """Does again what a dead process left, or what failed a while ago."""
        job.running = True
        try:
            for fire_at in await self._take_over(job.name, now):
                await self._work(job, fire_at)
        except (SQLAlchemyError, OSError) as error:
            log.error("job_not_recorded", job=job.name, problem=reason(error))
        finally:
            job.running = False

    async def _take_over(self, name: str, now: datetime) -> list[datetime]:
        table = job_runs.c
        died = table.problem.is_(None) | (table.problem == INTERRUPTED)
        left = died & (table.started_at <= now - LEFT_ALONE)
        failed = sa.not_(died) & (table.started_at <= now - TRIED_AGAIN)
        mine = (table.job == name) & table.finished_at.is_(None) & (table.fire_at > now - GIVEN_UP)
        change = sa.update(job_runs).where(mine, left | failed).values(started_at=now, problem=None)
        async with self._engine.begin() as connection:
            return list((await connection.execute(change.returning(table.fire_at))).scalars())

    async def _work(self, job: _Job, fire_at: datetime) -> None:
        correlation = uuid.uuid4().hex[:12]
        with structlog.contextvars.bound_contextvars(correlation_id=correlation, job=job.name):
            problem = None
            try:
                await job.work(fire_at.astimezone(self._zone))
                log.info("job_done", fire_at=str(fire_at))
            except SwitchboardError as error:
                problem = f"{error} (correlation id {correlation})"
                log.error("job_failed", fire_at=str(fire_at), problem=str(error))
            except Exception as error:
                words = shorten(mask(str(error)), 300, placeholder="…")  # they may hold an address with a password
                problem = f"It broke: {type(error).__name__}: {words} (correlation id {correlation})"
                log.exception("job_failed", fire_at=str(fire_at))
            await self._finish(job.name, fire_at, problem, ended=problem is None or not job.resume)

    async def _claim(self, name: str, fire_at: datetime) -> bool:
        async with self._engine.begin() as connection:
            statement = insert(connection, job_runs).values(job=name, fire_at=fire_at, started_at=self._clock())
            claim = statement.on_conflict_do_nothing().returning(job_runs.c.job)
            return (await connection.execute(claim)).first() is not None

    async def _finish(self, name: str, fire_at: datetime, problem: str | None, *, ended: bool) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(
                job_runs.update()
                .where(job_runs.c.job == name, job_runs.c.fire_at == fire_at)
                .values(finished_at=self._clock() if ended else None, problem=problem)
            )

    async def _known_since(self, job: _Job) -> datetime:
        now = self._clock()
        if not job.catch_up:
            return now
        async with self._engine.begin() as connection:
            last: datetime | None = (
                await connection.execute(sa.select(sa.func.max(job_runs.c.fire_at)).where(job_runs.c.job == job.name))
            ).scalar_one()
            if last is not None:
                return last
            # A job's first start is written down as well: what is missed from here on is caught up.
            first = insert(connection, job_runs).values(job=job.name, fire_at=now, started_at=now, finished_at=now)
            await connection.execute(first.on_conflict_do_nothing())
        return now

    async def _note_interrupted(self) -> None:
        """Names the runs that a dead process left; one still under way elsewhere puts its own row right."""
        unfinished = job_runs.c.finished_at.is_(None) & job_runs.c.problem.is_(None)
        async with self._engine.begin() as connection:
            left = (await connection.execute(sa.select(job_runs.c.job, job_runs.c.fire_at).where(unfinished))).all()
            await connection.execute(job_runs.update().where(unfinished).values(problem=INTERRUPTED))
        for name, fire_at in left:
            log.warning("job_was_interrupted", job=name, fire_at=str(fire_at))
