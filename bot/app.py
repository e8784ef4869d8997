"""The composition root: the house, and the door by which Slack reaches it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp import ClientSession, web
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError

from bot.config import Http, Settings
from bot.core import Clock, Core
from bot.errors import ConfigError, SlackAway
from bot.health import Check, Health, checks, health_routes, metrics_routes, watch_loop
from bot.house import House, open_house
from bot.replays import Replays
from bot.secrets import SlackSecrets
from handlers.bolt import Bolt, Dispatcher, SocketDoor, take
from handlers.http_door import HEAD_SECONDS, HttpDoor, ServerLog, application
from handlers.slack_client import SlackClient, slack_session

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics
    from bot.jobs.queue import Queue

log = structlog.get_logger("bot.app")

MANIFEST = Path(__file__).resolve().parent.parent / "deploy" / "slack" / "manifest.json"

PING_SECONDS = 3
"""How often a socket is asked whether it still lives: the longest that a dead one goes unnoticed."""
WITHOUT_TLS = "Whoever reaches this address reaches the bot, and nothing is encrypted: put TLS in front."


@dataclass(frozen=True, slots=True)
class App:
    """The running bot. `url` is where HTTP mode listens, None in Socket Mode."""

    house: House
    url: str | None


@asynccontextmanager
async def open_app(
    settings: Settings,
    secrets: SlackSecrets,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    drain_seconds: float = 20,
) -> AsyncIterator[App]:
    """Connects to Slack and answers until the block is left; then finishes within `drain_seconds` what it began.

    Raises ConfigError where Slack refuses the token, and what `open_core` raises.
    """
    health, metrics, cores = Health(clock), open_metrics(settings), list[Core]()
    async with AsyncExitStack() as stack:
        if metrics is not None:
            await open_probes(stack, settings, [*health_routes(health), *metrics_routes(metrics, cores)], metrics)
        session = await stack.enter_async_context(slack_session())
        bolt = bolt_of(settings, secrets, session, metrics)
        queue = await stack.enter_async_context(queue_of(settings))
        opening = open_house(settings, bolt, clock=clock, metrics=metrics, drain_seconds=drain_seconds, queue=queue)
        house = await stack.enter_async_context(opening)
        cores.append(house.core)
        stack.callback(cores.clear)
        health.add(lambda: checks(house.core))
        health.add(lambda: [Check("slack", bolt.client.how)])
        if queue is not None:
            health.add(lambda: [queue_check(queue)])
        url: str | None = None
        if secrets.mode == "http":
            assert secrets.signing_secret is not None
            route = events_route(bolt, secrets.signing_secret, Replays(house.core.engine, clock))
            url = await listen(stack, settings.http, [route, *health_routes(health)])
        elif secrets.app_token is not None:
            await open_socket(stack, bolt, secrets.app_token, health)
        health.opened()
        stack.push_async_callback(house.refuse)
        stack.callback(health.closing)
        yield App(house, url)


def open_metrics(settings: Settings) -> Metrics | None:
    """Counters, where the configuration asks for them."""
    if not settings.metrics.port:
        return None
    from bot.costs.metrics import Metrics  # its library takes a tenth of a second to load

    return Metrics()


@asynccontextmanager
async def queue_of(settings: Settings) -> AsyncIterator[Queue | None]:
    """Where work by the clock is handed to workers; None where the bots do it. Raises StorageError and ConfigError."""
    if not settings.jobs.workers:
        yield None
        return
    try:
        from bot.jobs.queue import open_queue
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"jobs.workers needs the library {error.name}, which is not here. Install it: "
            "`.venv/bin/pip install 'procrastinate>=3.10,<4'`."
        ) from error

    async with open_queue(settings.database_url) as queue:
        yield queue


def queue_check(queue: Queue, *, needed: bool = False) -> Check:
    """Questions are answered without the queue; a worker does nothing without it."""

    async def look() -> str:
        return f"It answers; firings that wait for a worker: {await queue.waiting()}."

    return Check("queue", look, needed)


def bolt_of(settings: Settings, secrets: SlackSecrets, session: ClientSession, metrics: Metrics | None = None) -> Bolt:
    """Bolt with the workspace's token."""
    assert secrets.bot_token is not None
    client = SlackClient(
        secrets.bot_token.get_secret_value(),
        metrics=metrics,
        base_url=settings.slack.base_url,
        session=session,
    )
    signing = secrets.signing_secret.get_secret_value() if secrets.signing_secret else None
    return Bolt(client=client, signing_secret=signing, request_verification_enabled=secrets.mode == "http")


async def open_socket(stack: AsyncExitStack, door: Dispatcher, app_token: SecretStr, health: Health) -> None:
    """Opens a socket by which Slack's requests come in. Raises ConfigError where Slack refuses the app token."""
    token = app_token.get_secret_value()
    # All that it uses of an app is what a dispatcher has.
    socket = SocketDoor(door, token, ping_interval=PING_SECONDS)  # type: ignore[arg-type]
    stack.push_async_callback(socket.close_async)
    try:
        # Where the SDK asks for the address itself, it takes a refusal for a passing fault and tries for ever.
        socket.client.wss_uri = await socket.client.issue_new_wss_url()
    except SlackApiError as error:
        raise ConfigError(
            f"Slack refused the app token: {error.response['error']}. Copy SLACK_APP_TOKEN again from “Basic "
            "Information › App-Level Tokens”; it needs the scope connections:write."
        ) from error
    await socket.connect_async()  # type: ignore[no-untyped-call]

    async def connected() -> str:
        if not await socket.client.is_connected():
            raise SlackAway("It is not connected; that is tried again by itself.")
        return "It is connected."

    health.add(lambda: [Check("slack socket", connected)])


def events_route(door: Dispatcher, secret: SecretStr, replays: Replays) -> web.RouteDef:
    """POST /slack/events, for all that Slack sends and has signed with the secret."""
    checked = HttpDoor(secret.get_secret_value(), partial(take, door), replays.is_new)
    return web.post("/slack/events", checked.events)


async def listen(stack: AsyncExitStack, http: Http, routes: Sequence[web.RouteDef]) -> str:
    """Serves routes where the configuration says. Raises ConfigError where the port is taken."""
    server = application(*routes)
    return await _serve(stack, server, http.host, http.port, "SWITCHBOARD_HTTP__PORT")


async def open_probes(
    stack: AsyncExitStack, settings: Settings, routes: Sequence[web.RouteDef], metrics: Metrics
) -> None:
    """Opened first and closed last, so that starting and stopping can be watched."""
    server = application(*routes)
    where = settings.metrics
    url = await _serve(stack, server, where.host, where.port, "SWITCHBOARD_METRICS__PORT")
    log.info("metrics_served", url=f"{url}/metrics")
    lateness = asyncio.create_task(watch_loop(metrics))
    stack.push_async_callback(_cancel, lateness)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _serve(stack: AsyncExitStack, server: web.Application, host: str, port: int, setting: str) -> str:
    runner = web.AppRunner(server, access_log=None, logger=ServerLog(), keepalive_timeout=HEAD_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ConfigError(
            f"Port {port} on {host} cannot be opened ({error.strerror}). Choose another with {setting}."
        ) from error
    host, port = runner.addresses[0][:2]
    if not ip_address(host).is_loopback:
        log.warning("open_to_the_network", address=f"{host}:{port}", advice=WITHOUT_TLS)
    return f"http://{host}:{port}"
