"""The runs of jobs in SQL: each firing is claimed once, whoever else fires."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.tables import job_runs
from bot.storage.upsert import insert
from bot.worker import Worker, dead

LEFT_ALONE = timedelta(minutes=5)
"""For how long a run of a job that can be resumed is nobody else's, even where its process has died: one that only
lost its lease may be at it still."""
TRIED_AGAIN = timedelta(minutes=15)
GIVEN_UP = timedelta(days=7)
_NAME = 60
INTERRUPTED = "The process ended before this was finished."


class Runs:
    """One row for each firing of each job. All moments are compared with those of `clock`.

    A run is `worker`'s who began it for as long as that one lives; with None it is nobody's from the start.
    """

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime], worker: Worker | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self._worker = worker

    async def claim(self, job: str, fire_at: datetime) -> bool:
        """Takes a firing; False where it was taken before, by whomever."""
        job = _named(job)
        async with self._engine.begin() as connection:
            row = {"job": job, "fire_at": fire_at, **self._begun()}
            statement = insert(connection, job_runs).values(row)
            claim = statement.on_conflict_do_nothing().returning(job_runs.c.job)
            return (await connection.execute(claim)).first() is not None

    async def left(self, job: str) -> list[datetime]:
        """The firings of the last week that a process left when it died, or that failed a while ago."""
        query = sa.select(job_runs.c.fire_at).where(job_runs.c.job == job, *self._is_left())
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def take_over(self, job: str, fire_at: datetime, *, died: bool = False) -> bool:
        """Takes a firing that is left; False where somebody else was faster. `died`: that its process is known to have
        ended, so that an unfinished run is nobody's."""
        one = (job_runs.c.job == _named(job), job_runs.c.fire_at == fire_at)
        left = (job_runs.c.finished_at.is_(None),) if died else self._is_left()
        change = sa.update(job_runs).where(*one, *left).values(self._begun() | {"problem": None})
        async with self._engine.begin() as connection:
            return (await connection.execute(change.returning(job_runs.c.job))).first() is not None

    async def finish(self, job: str, fire_at: datetime, problem: str | None, *, ended: bool) -> None:
        """A run is over: well, or with a problem; where it is to be tried again it has not `ended`."""
        change = sa.update(job_runs).where(job_runs.c.job == _named(job), job_runs.c.fire_at == fire_at)
        async with self._engine.begin() as connection:
            await connection.execute(change.values(finished_at=self._clock() if ended else None, problem=problem))

    async def last(self, job: str) -> datetime:
        """The last firing that was claimed; of a job that was never there, now, from where what is missed counts."""
        now = self._clock()
        async with self._engine.begin() as connection:
            newest = sa.select(sa.func.max(job_runs.c.fire_at)).where(job_runs.c.job == job)
            last: datetime | None = (await connection.execute(newest)).scalar_one()
            if last is not None:
                return last
            first = insert(connection, job_runs).values(job=job, fire_at=now, started_at=now, finished_at=now)
            await connection.execute(first.on_conflict_do_nothing())
        return now

    async def note_interrupted(self) -> list[tuple[str, datetime]]:
        """Names the runs that dead processes left, each once; one that only lost its lease puts its own row right."""
        unfinished = job_runs.c.finished_at.is_(None) & job_runs.c.problem.is_(None)
        change = job_runs.update().where(unfinished, dead(job_runs.c.worker)).values(problem=INTERRUPTED)
        async with self._engine.begin() as connection:
            if self._worker is not None:
                await connection.run_sync(self._worker.bury)
            left = await connection.execute(change.returning(job_runs.c.job, job_runs.c.fire_at))
            return [(job, fire_at) for job, fire_at in left]

    def _begun(self) -> dict[str, Any]:
        return {"started_at": self._clock(), "worker": self._worker.id if self._worker is not None else None}

    def _is_left(self) -> tuple[sa.ColumnElement[bool], ...]:
        table, now = job_runs.c, self._clock()
        died = table.problem.is_(None) | (table.problem == INTERRUPTED)
        left = died & dead(table.worker) & (table.started_at <= now - LEFT_ALONE)
        failed = sa.not_(died) & (table.started_at <= now - TRIED_AGAIN)
        return table.finished_at.is_(None), table.fire_at > now - GIVEN_UP, left | failed


def _named(job: str) -> str:
    """What a job is called in its column; a part may be named by a long name of somebody's."""
    return job if len(job) <= _NAME else f"{job[: _NAME - 13]}-{hashlib.sha256(job.encode()).hexdigest()[:12]}"
