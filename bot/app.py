"""The composition root: the core, connected to Slack, with its schedule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
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
from bot.core import Clock, Core, open_core
from bot.costs.crossings import Crossings
from bot.costs.periods import Month, Span, Week
from bot.costs.posted import PostedReports
from bot.costs.report import WeeklyReport
from bot.errors import ConfigError, SwitchboardError
from bot.evaluation.shadow_scores import Scoring
from bot.evaluation.shadowing import Shadowing
from bot.evaluation.succession import Replaying
from bot.health import health_routes, metrics_routes
from bot.jobs.budget_watch import watch_budgets
from bot.jobs.learning_job import NIGHTLY, learning_job
from bot.jobs.lost_job import OFTEN as LOST_AT
from bot.jobs.lost_job import lost_job
from bot.jobs.prune_job import prune_job
from bot.jobs.refresh_job import log_refresh, refresh_job
from bot.jobs.report_job import MONTHLY, days_job, report_job
from bot.jobs.report_job import NIGHTLY as DAYS_AT
from bot.jobs.retirement_job import DAILY, retirement_job
from bot.jobs.schedule import Schedule, parse_cron
from bot.jobs.shadow_job import NIGHTLY as SCORED_AT
from bot.jobs.shadow_job import OFTEN, scoring_job, shadow_job
from bot.jobs.switch_job import switch_model
from bot.jobs.told import ToldProblems
from bot.logs import mask
from bot.reporting import report_of
from bot.secrets import SlackSecrets
from handlers.audience import Places
from handlers.bolt import Bolt
from handlers.budget_news import BudgetNews
from handlers.posts import post_report, tell_channel
from handlers.register import register
from handlers.retiring import post_ending
from handlers.slack_files import SlackFiles
from handlers.under_way import UnderWay
from knowledge.errors import KnowledgeError
from knowledge.reports import RefreshProgress

log = structlog.get_logger("bot.app")

MANIFEST = Path(__file__).resolve().parent.parent / "deploy" / "slack" / "manifest.json"

SLACK_SECONDS = 15
"""How long a call of Slack's Web API may take."""
PING_SECONDS = 3
"""How often a socket is asked whether it still lives: the longest that a dead one goes unnoticed."""


@dataclass(frozen=True, slots=True)
class App:
    """The running bot. `url` is where HTTP mode listens, None in Socket Mode; `first_refresh` ends when it has read."""

    core: Core
    client: AsyncWebClient
    under_way: UnderWay
    schedule: Schedule
    url: str | None
    first_refresh: asyncio.Task[None]


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
        core = await stack.enter_async_context(open_core(settings, clock=clock))
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=SLACK_SECONDS)))
        bolt = _bolt(settings, secrets, session)
        await _check_token(bolt.client)
        await core.sources.connect("slack", bolt.client)
        core.enclosing.connect(SlackFiles(bolt.client))
        refreshes = parse_cron(settings.knowledge.refresh, settings.report.zone)
        inbound = register(bolt, core, refreshes.after)
        stack.push_async_callback(bolt.under_way.drain, drain_seconds)
        schedule = _schedule(core, bolt.client)
        stack.push_async_callback(schedule.close)
        await _open_metrics(stack, core)
        url = await _open_door(stack, bolt, core, secrets)
        await inbound.resume()
        await schedule.start()
        refresh = asyncio.create_task(_first_refresh(core))
        stack.push_async_callback(_cancel, refresh)
        news = BudgetNews(bolt.client, settings.report.channel, core.budgets.zone)
        watch = asyncio.create_task(watch_budgets(Crossings(core.engine, core.budgets), news.tell, core.clock))
        stack.push_async_callback(_cancel, watch)
        yield App(core, bolt.client, bolt.under_way, schedule, url, refresh)


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


async def _check_token(client: AsyncWebClient) -> None:
    try:
        me = await client.auth_test()
    except SlackApiError as error:
        raise ConfigError(
            f"Slack refused the bot token: {error.response['error']}. Copy SLACK_BOT_TOKEN again from “OAuth & "
            "Permissions”, and install the app in the workspace."
        ) from error
    except (OSError, TimeoutError) as error:
        raise ConfigError(f"Slack cannot be reached at {client.base_url}: {mask(str(error))}.") from error
    log.info("connected", team=me.get("team"), user=me.get("user"))


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


def _schedule(core: Core, client: AsyncWebClient) -> Schedule:
    settings = core.settings
    channel = settings.report.channel
    schedule = Schedule(core.engine, settings.report.zone, clock=core.clock)

    async def tell(sentence: str) -> None:
        await tell_channel(client, channel, sentence)

    told = ToldProblems(core.engine)
    look = refresh_job(core.knowledge, told, tell if channel else None, core.sources.told_to_all)

    async def refresh(fire_at: datetime) -> None:
        await look(fire_at)
        await switch_model(core.knowledge)

    schedule.add("refresh", settings.knowledge.refresh, refresh, catch_up=False)
    schedule.add("lost-calls", LOST_AT, lost_job(core.ledger), catch_up=False)
    schedule.add("prune", "30 3 * * *", prune_job(core.inbox), catch_up=True)
    if settings.selection.learning:
        schedule.add("learning", NIGHTLY, learning_job(core.learning, core.models.usable), catch_up=True)
    audience = Places(client).audience_of
    if settings.selection.shadow_share:
        schedule.add("shadows", OFTEN, shadow_job(Shadowing(core, audience)), catch_up=False)
    schedule.add("shadow-scores", SCORED_AT, scoring_job(Scoring(core, audience)), catch_up=True)
    if channel:
        retirement = retirement_job(
            core,
            Replaying(core, audience),
            lambda ending, replay: post_ending(client, core, channel, ending, replay),
        )
        schedule.add("retirement", DAILY, retirement, catch_up=True)
    schedule.add("days", DAYS_AT, days_job(core.ledger.days, settings.report.zone), catch_up=True)
    _add_reports(schedule, core, client)
    return schedule


def _add_reports(schedule: Schedule, core: Core, client: AsyncWebClient) -> None:
    settings, posted = core.settings.report, PostedReports(core.engine, core.clock)
    if not settings.channel and not settings.channels:
        return

    # A call that broke off may have been taken all the same: it is not repeated blindly, but looked for the next time.
    careful = AsyncWebClient(
        token=client.token,
        base_url=client.base_url,
        session=client.session,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=3)],
    )

    async def post(channel: str, report: WeeklyReport, due: datetime) -> None:
        await post_report(careful, channel, report, posted=posted, now=core.clock(), due=due)

    async def make(span: Span, channel: str) -> WeeklyReport:
        return await report_of(core, span, channel)

    spans: list[tuple[str, str, type[Week] | type[Month]]] = [("report", settings.schedule, Week)]
    if settings.monthly:
        spans.append(("monthly-report", MONTHLY, Month))
    for name, cron, span in spans:
        work = report_job(span, settings.zone, make, post, settings.channel, settings.channels)
        schedule.add(name, cron, work, catch_up=True, resume=True)


async def _first_refresh(core: Core) -> None:
    shown = 0

    def show(progress: RefreshProgress) -> None:
        nonlocal shown
        percent = 100 * progress.done // max(progress.total, 1)
        if percent >= shown + 10:
            log.info("reading", source=progress.source, documents=f"{progress.done} of {progress.total}")
            shown = percent

    try:
        report = await core.knowledge.refresh(progress=show)
        log_refresh(report, report.problems)
        await switch_model(core.knowledge)
    except (SwitchboardError, KnowledgeError) as error:
        log.error("first_refresh_failed", problem=str(error))
    except Exception:  # the outermost door of this task: the bot answers on from what it knew before
        log.exception("first_refresh_failed")


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
