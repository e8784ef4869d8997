"""Work by the clock spread over workers: procrastinate's queue in PostgreSQL, in a schema of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job
from procrastinate.schema import SchemaManager
from psycopg import sql
from sqlalchemy.engine import make_url

from bot.errors import StorageError

SCHEMA = "procrastinate"
CONNECTIONS = 4
DEAD_SECONDS = 30
"""After so long without a sign of life a worker's job is another one's; workers give one every ten seconds."""
ATTEMPTS = 10
_TASK = "perform"
_LOCK = 0x5B0A4D  # of the making of the schema, over all processes

log = structlog.get_logger("bot.jobs")

Perform = Callable[[str, str, datetime, bool], Awaitable[None]]
"""Works a firing off: the workspace, the job's name, its moment, and whether a worker that had begun it has died."""


class Queue:
    """Gives jobs to workers. Made by `open_queue`."""

    def __init__(self, app: procrastinate.App) -> None:
        self._app = app

    async def defer(self, workspace: str, job: str, fire_at: datetime) -> None:
        """Puts a firing into the queue, once however many do. Raises StorageError where the queue is away."""
        firing = {"workspace": workspace, "job": job, "fire_at": fire_at.isoformat()}
        # One at a time of each job; the same firing waits once.
        lock = f"{workspace}:{job}"
        task = self._app.configure_task(_TASK, lock=lock, queueing_lock=f"{lock}:{firing['fire_at']}")
        try:
            await task.defer_async(**firing)
        except AlreadyEnqueued:
            return
        except (ConnectorException, OSError) as error:
            raise StorageError(f"The queue of work does not answer: {type(error).__name__}.") from error
        log.info("job_handed_over", job=job, fire_at=firing["fire_at"])

    async def waiting(self) -> int:
        """How many firings wait for a worker. Raises StorageError where the queue is away."""
        try:
            return len(list(await self._app.job_manager.list_jobs_async(status="todo")))
        except (ConnectorException, OSError) as error:
            raise StorageError(f"The queue of work does not answer: {type(error).__name__}.") from error

    async def work(self, perform: Perform, *, at_once: int, grace: float) -> None:
        """Works off what comes, `at_once` firings at a time, until it is cancelled: then what is under way is given
        `grace` seconds, and back to the queue where that is not enough."""

        async def one(context: procrastinate.JobContext, workspace: str, job: str, fire_at: str) -> None:
            await perform(workspace, job, datetime.fromisoformat(fire_at), context.job.attempts > 0)

        # Whatever keeps a firing from being worked off, it is tried again; what a job says went wrong is no exception.
        again = procrastinate.RetryStrategy(max_attempts=ATTEMPTS, exponential_wait=2)
        self._app.task(name=_TASK, pass_context=True, retry=again)(one)
        rescue = asyncio.create_task(self._rescue())
        try:
            await self._app.run_worker_async(
                concurrency=at_once,
                install_signal_handlers=False,
                delete_jobs="always",
                shutdown_graceful_timeout=grace,
            )
        finally:
            rescue.cancel()
            with suppress(asyncio.CancelledError):
                await rescue

    async def _rescue(self) -> None:
        """Puts back what a worker had in hand when it died."""
        while True:
            try:
                stalled = await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_SECONDS)
                for job in stalled:
                    await self._put_back(job)
            except (ConnectorException, OSError) as error:
                log.warning("queue_away", error=type(error).__name__)
            await asyncio.sleep(DEAD_SECONDS / 3)

    async def _put_back(self, job: Job) -> None:
        log.warning("worker_died", **{name: job.task_kwargs.get(name) for name in ("job", "fire_at")})
        await self._app.job_manager.retry_job(job)


@asynccontextmanager
async def open_queue(url: str) -> AsyncIterator[Queue]:
    """The queue in the database of that address (postgresql+psycopg://…), made where it is not there yet.

    Raises StorageError where the database cannot be reached.
    """
    arguments = _arguments(url)
    try:
        await _make(arguments)
    except (psycopg.Error, OSError) as error:
        raise StorageError(f"The queue of work cannot be opened: {str(error).splitlines()[0]}") from error
    kwargs = {**arguments, "options": f"-c search_path={SCHEMA}"}
    connector = procrastinate.PsycopgConnector(kwargs=kwargs, min_size=1, max_size=CONNECTIONS)
    app = procrastinate.App(connector=connector)
    async with app.open_async():
        yield Queue(app)


async def _make(arguments: dict[str, Any]) -> None:
    async with await psycopg.AsyncConnection.connect(**arguments) as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        there = await connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.procrastinate_jobs",))
        if (await there.fetchone()) != (None,):
            return
        await connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA)))
        await connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(SCHEMA)))
        await connection.execute(SchemaManager.get_schema().encode())


def _arguments(url: str) -> dict[str, Any]:
    """What psycopg is connected with, from SQLAlchemy's address."""
    address = make_url(url)
    return dict(address.get_dialect()().create_connect_args(address)[1])
