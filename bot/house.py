"""One workspace's house: its core, connected to its Slack, with its schedule. Nothing in it is another workspace's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.core import Clock, Core, open_core
from bot.costs.crossings import Crossings
from bot.errors import ConfigError, SwitchboardError
from bot.jobs.budget_watch import watch_budgets
from bot.jobs.cron import parse_cron
from bot.jobs.refresh_job import log_refresh
from bot.jobs.schedule import Schedule
from bot.jobs.switch_job import switch_model
from bot.logs import mask
from bot.timetable import timetable
from handlers.bolt import Bolt
from handlers.budget_news import BudgetNews
from handlers.register import register
from handlers.slack_client import SlackClient
from handlers.slack_files import SlackFiles
from handlers.under_way import UnderWay
from knowledge.errors import KnowledgeError
from knowledge.reports import RefreshProgress

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics

log = structlog.get_logger("bot.house")


@dataclass(frozen=True, slots=True)
class House:
    """What answers for one workspace. `bolt` takes its requests; `first_refresh` ends when it has read."""

    core: Core
    bolt: Bolt
    schedule: Schedule
    first_refresh: asyncio.Task[None]

    @property
    def client(self) -> SlackClient:
        """Slack's Web API with the workspace's token."""
        return self.bolt.client

    @property
    def under_way(self) -> UnderWay:
        """What was begun and is not finished."""
        return self.bolt.under_way


@asynccontextmanager
async def open_house(
    settings: Settings,
    bolt: Bolt,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    metrics: Metrics | None = None,
    drain_seconds: float = 20,
) -> AsyncIterator[House]:
    """Opens all of one workspace, takes up what was left and reads; whoever has the door hands requests to its `bolt`.

    Nothing may be handed to it once the block is left: it then finishes within `drain_seconds` what it began. Raises
    ConfigError where Slack refuses the token, and what `open_core` raises.
    """
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings, clock=clock, metrics=metrics))
        await _check_token(bolt.client)
        await core.sources.connect("slack", bolt.client)
        core.enclosing.connect(SlackFiles(bolt.client))
        refreshes = parse_cron(settings.knowledge.refresh, settings.report.zone)
        inbound = register(bolt, core, refreshes.after)
        stack.push_async_callback(bolt.under_way.drain, drain_seconds)
        schedule = timetable(core, bolt.client)
        stack.push_async_callback(schedule.close)
        await inbound.resume()
        await schedule.start()
        refresh = asyncio.create_task(_first_refresh(core))
        stack.push_async_callback(_cancel, refresh)
        news = BudgetNews(bolt.client, settings.report.channel, core.budgets.zone)
        watch = asyncio.create_task(watch_budgets(Crossings(core.engine, core.budgets), news.tell, core.clock))
        stack.push_async_callback(_cancel, watch)
        yield House(core, bolt, schedule, refresh)


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
    log.info("connected", team=me.get("team_id"), user=me.get("user_id"))


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
