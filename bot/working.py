"""`switchboard work`: does the work by the clock that bots hand over, as one of as many workers as are started."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from rich.console import Console

from bot.app import bolt_of, open_metrics, open_probes, queue_check, queue_of
from bot.config import Settings
from bot.core import Core
from bot.errors import ConfigError, NotInstalled
from bot.health import Health, chroma_checks, health_routes, metrics_routes
from bot.house import House, open_house
from bot.secrets import SlackSecrets, slack_secrets
from bot.tenancy.many import open_houses
from bot.tenancy.whose import Whose
from handlers.slack_client import slack_session

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics
    from bot.jobs.queue import Queue

GRACE = 20.0
"""Seconds that work under way is given when the worker ends; what needs longer another one does."""

log = structlog.get_logger("bot.jobs")


async def work(settings: Settings, out: Console, stop: asyncio.Event) -> None:
    """Works until `stop` is set. Raises what `open_worker` raises."""
    async with open_worker(settings, slack_secrets()) as working:
        out.print("\n  This worker is ready: it does what the bots hand over.   (Ctrl+C stops it)\n")
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        out.print("  Stopping: finishing the work that is under way.")


@asynccontextmanager
async def open_worker(settings: Settings, secrets: SlackSecrets) -> AsyncIterator[asyncio.Task[None]]:
    """A worker, as the task that ends with it; when the block is left it finishes what it can, and gives back the rest.

    Raises ConfigError where the configuration has no work for workers or lacks Slack's token, and what `open_house` and
    `open_queue` raise.
    """
    health, metrics, cores = Health(), open_metrics(settings), list[Core]()
    async with AsyncExitStack() as stack:
        if metrics is not None:
            await open_probes(stack, settings, [*health_routes(health), *metrics_routes(metrics, cores)], metrics)
        queue = await stack.enter_async_context(queue_of(settings))
        if queue is None:
            raise ConfigError(
                "There is nothing for a worker to do: the bots do the work by the clock themselves. Set jobs.workers = "
                "true for the bots and for this worker."
            )
        house_of = await _houses(stack, settings, secrets, queue, metrics, cores)

        async def perform(workspace: str, job: str, fire_at: datetime, died: bool) -> None:
            try:
                house = await house_of(workspace)
            except NotInstalled:
                log.warning("job_of_nobody", left=workspace, job=job)
                return
            await house.schedule.perform(job, fire_at, died=died)

        health.add(lambda: [queue_check(queue, needed=True)])
        health.add(lambda: [check for core in cores for check in chroma_checks(core)])
        health.opened()
        stack.callback(health.closing)
        working = asyncio.create_task(queue.work(perform, at_once=settings.jobs.at_once, grace=GRACE))
        try:
            yield working
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working


async def _houses(
    stack: AsyncExitStack,
    settings: Settings,
    secrets: SlackSecrets,
    queue: Queue,
    metrics: Metrics | None,
    cores: list[Core],
) -> Callable[[str], Awaitable[House]]:
    """Gives the house of a workspace, which has no door here. Raises NotInstalled."""
    if secrets.mode == "workspace":
        raise ConfigError("A worker posts what there is to tell: give it the Slack tokens that the bots have.")
    if secrets.many:
        tenancy = await stack.enter_async_context(open_houses(settings, secrets, queue))
        return lambda workspace: tenancy.house(Whose(workspace, None))
    session = await stack.enter_async_context(slack_session())
    bolt = bolt_of(settings, secrets, session, metrics)
    house = await stack.enter_async_context(open_house(settings, bolt, metrics=metrics, queue=queue, answers=False))
    cores.append(house.core)
    stack.callback(cores.clear)

    async def the_one(workspace: str) -> House:
        if workspace != house.workspace:
            raise NotInstalled(workspace, "")
        return house

    return the_one
