"""The bot for many workspaces, which install it by OAuth: one door, and a house for each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.app import MANIFEST, events_route, listen, open_metrics, open_probes, open_socket, queue_of
from bot.config import Settings
from bot.core import Clock
from bot.health import Health, health_routes
from bot.lock import DataFolderLock
from bot.replays import Replays
from bot.secrets import SlackSecrets
from bot.storage.engine import open_engine, upgrade
from bot.tenancy.front_door import FrontDoor
from bot.tenancy.installing import BACK, Installing
from bot.tenancy.oauth import OAuth
from bot.tenancy.registry import Registry
from bot.tenancy.settings import check_shared
from bot.tenancy.states import States
from bot.tenancy.tenancy import Tenancy, look_often
from bot.tenancy.watching import tenancy_checks, tenancy_metrics
from bot.vault import Vault
from handlers.slack_client import slack_session

if TYPE_CHECKING:
    from bot.jobs.queue import Queue

LOOK_SECONDS = 15.0
"""How often a process looks whether another one brought a token, a workspace or the end of one."""


@dataclass(frozen=True, slots=True)
class Many:
    """The running bot. `url` is where the pages of an installation are served, and in HTTP mode events taken."""

    tenancy: Tenancy
    url: str


@asynccontextmanager
async def open_many(
    settings: Settings,
    secrets: SlackSecrets,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    drain_seconds: float = 20,
    look_seconds: float = LOOK_SECONDS,
) -> AsyncIterator[Many]:
    """Serves every workspace that installed the bot, until the block is left; opens those that are installed already.

    Raises ConfigError where keys are missing or the configuration names one workspace's ids for all, UnreadableSecret
    where a token cannot be read with the keys that there are, StorageError and AlreadyRunning.
    """
    health = Health(clock)
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(queue_of(settings))
        tenancy = await _open_tenancy(stack, settings, secrets, clock, drain_seconds, queue=queue)
        health.add(lambda: tenancy_checks(tenancy))
        metrics = open_metrics(settings)
        if metrics is not None:
            await open_probes(stack, settings, [*health_routes(health), tenancy_metrics(tenancy, metrics)], metrics)
        _look_after(stack, tenancy, look_seconds)
        door = FrontDoor(tenancy)
        routes = [*Installing(tenancy, States(tenancy.engine, clock)).routes(), *health_routes(health)]
        if secrets.mode == "http":
            assert secrets.signing_secret is not None
            routes.append(events_route(door, secrets.signing_secret, Replays(tenancy.engine, clock)))
        url = await listen(stack, settings.http, routes)
        if secrets.app_token is not None:
            await open_socket(stack, door, secrets.app_token, health)
        health.opened()
        stack.callback(health.closing)
        yield Many(tenancy, url)


@asynccontextmanager
async def open_houses(settings: Settings, secrets: SlackSecrets, queue: Queue) -> AsyncIterator[Tenancy]:
    """The houses of a worker: nothing comes in there but work from the queue. Raises what `open_many` raises."""
    async with AsyncExitStack() as stack:
        clock, drain_seconds = (lambda: datetime.now(UTC)), 0.0
        tenancy = await _open_tenancy(stack, settings, secrets, clock, drain_seconds, queue=queue, answers=False)
        _look_after(stack, tenancy, LOOK_SECONDS)
        yield tenancy


def _look_after(stack: AsyncExitStack, tenancy: Tenancy, seconds: float) -> None:
    stack.push_async_callback(tenancy.close)
    stack.push_async_callback(_cancel, asyncio.create_task(look_often(tenancy, seconds)))


async def _open_tenancy(
    stack: AsyncExitStack,
    settings: Settings,
    secrets: SlackSecrets,
    clock: Clock,
    drain_seconds: float,
    *,
    queue: Queue | None,
    answers: bool = True,
) -> Tenancy:
    """All workspaces that are installed, none of their houses open yet. Raises as `open_many`."""
    check_shared(settings)
    vault = Vault.of_environment()
    lock = DataFolderLock(settings.data_dir)
    lock.acquire()
    stack.callback(lock.release)
    engine = open_engine(settings.database_url)
    stack.push_async_callback(engine.dispose)
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    session = await stack.enter_async_context(slack_session())
    assert secrets.client_secret is not None
    public = settings.http.public_url.rstrip("/")
    redirect = f"{public}{BACK}" if public else ""
    base_url = settings.slack.base_url
    oauth = OAuth(base_url, session, secrets.client_id, secrets.client_secret, _scopes(), clock, redirect)
    registry = Registry(engine, vault, clock)
    await registry.installations()  # says so now where a token cannot be read
    return Tenancy(settings, engine, registry, oauth, clock, drain_seconds, queue=queue, answers=answers)


def _scopes() -> list[str]:
    """Those of the manifest: what the app asks for is what it was made with."""
    scopes: list[str] = json.loads(MANIFEST.read_text(encoding="utf-8"))["oauth_config"]["scopes"]["bot"]
    return scopes


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
