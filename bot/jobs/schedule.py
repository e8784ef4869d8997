"""Work by the clock: every firing of a job is claimed in SQL, so that it runs once, whoever else runs too."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from textwrap import shorten
from typing import TYPE_CHECKING

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import tracing
from bot.errors import StorageError, SwitchboardError
from bot.jobs.cron import Trigger, parse_cron
from bot.jobs.runs import Runs
from bot.logs import mask
from bot.storage.engine import reason
from bot.worker import Worker

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics

log = structlog.get_logger("bot.jobs")

Work = Callable[[datetime], Awaitable[None]]
PartWork = Callable[[datetime, str], Awaitable[None]]
"""The same for one part of a job, by its name."""
HandOver = Callable[[str, datetime], Awaitable[None]]
"""Gives a firing (a job's name, its moment in UTC) to whoever works it off, with `Schedule.perform`."""

CLOSING = 10.0
"""Seconds that running jobs are given to finish when the program stops."""


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
    """The jobs of one process. `time_zone` is the one that cron expressions speak of; `clock` gives now; `hand_over`
    gives what is due to other processes (None: it runs here); `worker` is this process among them (None: it is alone).

    Once a minute, when cron's times are, every job is asked whether it is due. So a machine that slept or a database
    that was away delays a firing by a minute at most and loses none.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        time_zone: tzinfo,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        hand_over: HandOver | None = None,
        metrics: Metrics | None = None,
        worker: Worker | None = None,
    ) -> None:
        self._runs = Runs(engine, clock, worker)
        self._hand_over = hand_over
        self._zone = time_zone
        self._clock = clock
        self._metrics = metrics
        self._jobs: dict[str, _Job] = {}
        self._parts: dict[str, PartWork] = {}
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

    def add_parts(self, name: str, work: PartWork) -> None:
        """What a job that is added spreads over workers: `hand_over` is given "JOB PART" for each part."""
        self._parts[name] = work

    async def start(self) -> None:
        """Begins, with what was missed. Does not wait for it."""
        await self.recall()
        for job in self._jobs.values():
            log.info("scheduled", job=job.name, next=str(job.trigger.after(self._clock())))
        self._scheduler.add_job(self._beat, CronTrigger(second=0, timezone=UTC), coalesce=True, misfire_grace_time=None)
        self._scheduler.start()
        self._spawn(self.run_due(self._clock()))

    async def recall(self) -> None:
        """Finds out what ran before, and what was interrupted. `start` does it first."""
        await self._note_interrupted()
        for job in self._jobs.values():
            # A job's first start is written down as well: what is missed from here on is caught up.
            job.since = await self._runs.last(job.name) if job.catch_up else self._clock()

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
        await asyncio.gather(*(self._again(job) for job in self._jobs.values() if job.resume and not job.running))

    async def _beat(self) -> None:
        self._spawn(self._minute())

    async def _minute(self) -> None:
        try:
            await self._note_interrupted()
        except (SQLAlchemyError, OSError) as error:
            log.error("job_not_recorded", problem=reason(error))
        await self.run_due(self._clock())

    async def _note_interrupted(self) -> None:
        for name, fire_at in await self._runs.note_interrupted():
            log.warning("job_was_interrupted", job=name, fire_at=str(fire_at))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def perform(self, name: str, fire_at: datetime, *, died: bool = False) -> bool:
        """Works a firing off that was handed over, unless somebody has; whether it did. `died`: whoever had begun it is
        known to have ended. Raises SQLAlchemyError and OSError where the database is away."""
        whole, _, part = name.partition(" ")
        job = self._jobs.get(whole)
        if job is None or (part and whole not in self._parts):
            log.warning("job_unknown", job=name, fire_at=str(fire_at))
            return False
        taken = await self._runs.claim(name, fire_at)
        if not taken and (died or job.resume):
            taken = await self._runs.take_over(name, fire_at, died=died)
        if taken:
            work = (lambda at: self._parts[whole](at, part)) if part else job.work
            await self._work(name, work, fire_at, resume=job.resume)
        return taken

    async def _run(self, job: _Job, fire_at: datetime) -> None:
        job.running = True
        try:
            if self._hand_over is not None:
                await self._hand_over(job.name, fire_at)
                job.since = fire_at
                return
            claimed = await self._runs.claim(job.name, fire_at)
            job.since = fire_at
            if claimed:
                await self._work(job.name, job.work, fire_at, resume=job.resume)
        except (SQLAlchemyError, OSError, StorageError) as error:
            # Unclaimed, it is still due in a minute.
            log.error("job_not_recorded", job=job.name, fire_at=str(fire_at), problem=reason(error))
        finally:
            job.running = False

    async def _again(self, job: _Job) -> None:
        """Does again what a dead process left, or what failed a while ago."""
        job.running = True
        try:
            for fire_at in await self._runs.left(job.name):
                if self._hand_over is not None:
                    await self._hand_over(job.name, fire_at)
                elif await self._runs.take_over(job.name, fire_at):
                    await self._work(job.name, job.work, fire_at, resume=job.resume)
        except (SQLAlchemyError, OSError, StorageError) as error:
            log.error("job_not_recorded", job=job.name, problem=reason(error))
        finally:
            job.running = False

    async def _work(self, name: str, work: Work, fire_at: datetime, *, resume: bool) -> None:
        correlation = uuid.uuid4().hex[:12]
        named = structlog.contextvars.bound_contextvars(correlation_id=correlation, job=name)
        with named, tracing.span(f"job {name}", {"switchboard.correlation_id": correlation}) as span:
            problem = None
            try:
                await work(fire_at.astimezone(self._zone))
                log.info("job_done", fire_at=str(fire_at))
            except SwitchboardError as error:
                problem = f"{error} (correlation id {correlation})"
                log.error("job_failed", fire_at=str(fire_at), problem=str(error))
            except Exception as error:
                words = shorten(mask(str(error)), 300, placeholder="…")  # they may hold an address with a password
                problem = f"It broke: {type(error).__name__}: {words} (correlation id {correlation})"
                log.exception("job_failed", fire_at=str(fire_at))
            if problem is not None:
                span.failed("failed")
            if self._metrics is not None:
                self._metrics.job_ended(name.partition(" ")[0], "done" if problem is None else "failed")
            await self._runs.finish(name, fire_at, problem, ended=problem is None or not resume)
