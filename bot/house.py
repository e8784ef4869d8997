"""One workspace's house: its core, connected to its Slack, with its schedule. Nothing in it is another workspace's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.audit import Action
from bot.config import Settings
from bot.core import Clock, Core, open_core
from bot.costs.crossings import Crossings
from bot.errors import ConfigError, SwitchboardError
from bot.jobs.budget_watch import watch_budgets
from bot.jobs.cron import parse_cron
from bot.jobs.refresh_job import log_refresh
from bot.jobs.schedule import HandOver, Schedule
from bot.jobs.switch_job import switch_model
from bot.logs import mask
from bot.news import News
from bot.timetable import REFRESH, timetable
from bot.tuning.following import Following
from handlers.audience import Places
from handlers.bolt import Bolt
from handlers.budget_news import BudgetNews
from handlers.inbound import Inbound
from handlers.register import register
from handlers.slack_client import SlackClient
from handlers.slack_files import SlackFiles
from handlers.under_way import UnderWay
from knowledge.errors import KnowledgeError
from knowledge.reports import RefreshProgress

if TYPE_CHECKING:
    from bot.costs.metrics import Metrics
    from bot.jobs.queue import Queue

SOURCES_CHANGED = (Action.SOURCE_ADDED, Action.SOURCE_CHANGED, Action.SOURCE_FORGOTTEN)
CHOICE_CHANGED = (Action.PROMOTED, Action.PROMOTION_UNDONE)
TUNED_CHANGED = (Action.MODEL_REGISTERED, Action.MODEL_RETIRED)
WORDS_WENT = (Action.TRAINING_CONSENT, Action.FORGOTTEN, Action.DATASET_EMPTIED)
"""After these training data may lack rows."""

log = structlog.get_logger("bot.house")


@dataclass(frozen=True, slots=True)
class House:
    """What answers for one workspace (its Slack id). `bolt` takes its requests; `first_refresh` ends when it has
    read, or has given that to workers."""

    workspace: str
    core: Core
    bolt: Bolt
    inbound: Inbound | None
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

    async def refuse(self) -> None:
        """The first step at the end: what comes from now on is not acknowledged, and nothing that waits is begun."""
        self.under_way.refuse()
        if self.inbound is not None:
            await self.inbound.stop()


@asynccontextmanager
async def open_house(
    settings: Settings,
    bolt: Bolt,
    *,
    clock: Clock = lambda: datetime.now(UTC),
    metrics: Metrics | None = None,
    drain_seconds: float = 20,
    workspace: str = "",
    queue: Queue | None = None,
    answers: bool = True,
) -> AsyncIterator[House]:
    """Opens all of one workspace, takes up what was left and reads; whoever has the door hands requests to its `bolt`.

    `workspace`: its id, where that is known before Slack is asked whose token it is. `queue`: where work by the clock
    goes (None: it is done here). Without `answers` nothing comes in by `bolt`: this is a worker's. Nothing may be
    handed to it once the block is left: it then finishes within `drain_seconds` what it began. Raises ConfigError where
    Slack refuses the token, and what `open_core` raises.
    """
    async with AsyncExitStack() as stack:
        core = await stack.enter_async_context(open_core(settings, clock=clock, metrics=metrics))
        found = await _check_token(bolt.client)
        workspace = workspace or found
        await core.sources.connect("slack", bolt.client)
        core.enclosing.connect(SlackFiles(bolt.client))
        tuned = Following(core)
        news = News(
            core.engine,
            {
                **dict.fromkeys(SOURCES_CHANGED, core.sources.sync),
                **dict.fromkeys(CHOICE_CHANGED, core.learning.reread),
                **dict.fromkeys(TUNED_CHANGED, tuned.reread),
                **dict.fromkeys(WORDS_WENT, tuned.sweep),
            },
        )
        await news.open()
        await core.sources.sync()
        await tuned.sweep()
        stack.push_async_callback(_cancel, asyncio.create_task(news.run()))
        hand_over = partial(queue.defer, workspace) if queue is not None else None
        inbound = None
        places = Places(bolt.client)
        if answers:
            refreshes = parse_cron(settings.knowledge.refresh, settings.report.zone)
            inbound = register(bolt, core, refreshes.after, places)
            stack.push_async_callback(bolt.under_way.drain, drain_seconds)
        schedule = timetable(core, bolt.client, places, hand_over)
        stack.push_async_callback(schedule.close)
        if inbound is not None:
            stack.push_async_callback(inbound.stop)
            await inbound.start()
        await schedule.start()
        refresh = asyncio.create_task(_first_refresh(core, hand_over))
        stack.push_async_callback(_cancel, refresh)
        if answers:
            budget_news = BudgetNews(bolt.client, settings.report.channel, core.budgets.zone)
            watch = asyncio.create_task(
                watch_budgets(Crossings(core.engine, core.budgets), budget_news.tell, core.clock)
            )
            stack.push_async_callback(_cancel, watch)
        yield House(workspace, core, bolt, inbound, schedule, refresh)


async def _check_token(client: AsyncWebClient) -> str:
    """The workspace whose token it is, by its id."""
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
    return str(me["team_id"])


async def _first_refresh(core: Core, hand_over: HandOver | None) -> None:
    shown = 0

    def show(progress: RefreshProgress) -> None:
        nonlocal shown
        percent = 100 * progress.done // max(progress.total, 1)
        if percent >= shown + 10:
            log.info("reading", source=progress.source, documents=f"{progress.done} of {progress.total}")
            shown = percent

    try:
        if hand_over is not None:  # by the minute: replicas that start together ask for it once
            await hand_over(REFRESH, core.clock().replace(second=0, microsecond=0))
            return
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
