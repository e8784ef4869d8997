"""The composition root: the house, and the door by which Slack reaches it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog
from aiohttp import ClientSession, ClientTimeout, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.core import Clock, Core
from bot.errors import ConfigError
from bot.health import health_routes, metrics_routes
from bot.house import House, open_house
from bot.secrets import SlackSecrets
from handlers.bolt import Bolt

log = structlog.get_logger("bot.app")

MANIFEST = Path(__file__).resolve().parent.parent / "deploy" / "slack" / "manifest.json"

SLACK_SECONDS = 15
"""How long a call of Slack's Web API may take."""
PING_SECONDS = 3
"""How often a socket is asked whether it still lives: the longest that a dead one goes unnoticed."""


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
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=SLACK_SECONDS)))
        bolt = _bolt(settings, secrets, session)
        house = await stack.enter_async_context(open_house(settings, bolt, clock=clock, drain_seconds=drain_seconds))
        await _open_metrics(stack, house.core)
        url = await _open_door(stack, bolt, house.core, secrets)
        yield App(house, url)


def _bolt(settings: Settings, secrets: SlackSecrets, session: ClientSession) -> Bolt:
    assert secrets.bot_token is not None
    client = AsyncWebClient(
        token=secrets.bot_token.get_secret_value(),
        base_url=settings.slack.base_url,
        session=session,  # else every call opens a connection of its own
        retry_handlers=[
            AsyncConnectionErrorRetryHandler(),
            AsyncRateLimitErrorRetryHandler(max_retry_count=3),
            AsyncServerErrorRetryHandler(max_retry_count=2),
        ],
    )
    signing = secrets.signing_secret.get_secret_value() if secrets.signing_secret else None
    return Bolt(client=client, signing_secret=signing, request_verification_enabled=secrets.mode == "http")


async def _open_door(stack: AsyncExitStack, bolt: Bolt, core: Core, secrets: SlackSecrets) -> str | None:
    if secrets.mode == "http":
        return await _listen(stack, bolt, core)
    assert secrets.app_token is not None
    socket = AsyncSocketModeHandler(bolt, secrets.app_token.get_secret_value(), ping_interval=PING_SECONDS)
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
    return None


async def _listen(stack: AsyncExitStack, bolt: Bolt, core: Core) -> str:
    settings = core.settings

    async def events(request: web.Request) -> web.Response:
        answer: web.Response = await to_aiohttp_response(await bolt.async_dispatch(await to_bolt_request(request)))
        return answer

    server = web.Application()
    server.add_routes([web.post("/slack/events", events), *health_routes(core)])
    return await _serve(stack, server, settings.http.host, settings.http.port, "SWITCHBOARD_HTTP__PORT")


async def _open_metrics(stack: AsyncExitStack, core: Core) -> str | None:
    """Where /metrics is served; None where nobody asked for it."""
    settings = core.settings.metrics
    if core.metrics is None:
        return None
    server = web.Application()
    server.add_routes([*health_routes(core), *metrics_routes(core)])
    url = await _serve(stack, server, settings.host, settings.port, "SWITCHBOARD_METRICS__PORT")
    log.info("metrics_served", url=f"{url}/metrics")
    return url


async def _serve(stack: AsyncExitStack, server: web.Application, host: str, port: int, setting: str) -> str:
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ConfigError(
            f"Port {port} on {host} cannot be opened ({error.strerror}). Choose another with {setting}."
        ) from error
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
