"""The whole bot, connected to a workspace over Socket Mode or over signed HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import pytest
from machines import Machines, machines, refreshed
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import open_app
from bot.config import Http, Limits, Settings
from bot.core import Core
from bot.jobs.schedule import Schedule
from bot.secrets import SlackSecrets
from deploy.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Workspace
from deploy.workspace.driver import Driver
from handlers.under_way import UnderWay

SWITCHBOARD = "<@U0SWITCH>"

Mode = Literal["socket", "http"]
BOTH_DOORS = pytest.mark.parametrize("mode", ["socket", "http"], indirect=True)
"""For what depends on how Slack reaches the bot; all else is the same behind both and is shown over the socket."""


@dataclass(frozen=True, slots=True)
class ConnectedBot:
    """A bot that runs. `url` is where it listens in HTTP mode."""

    core: Core
    under_way: UnderWay
    client: AsyncWebClient
    url: str | None
    schedule: Schedule
    beside: tuple[UnderWay, ...] = ()
    """What is under way in another bot that shares Slack's events with it."""

    async def idle(self, person: Driver) -> None:
        """Waits until all that it was sent is acknowledged and worked off."""
        await person.quiet()
        for each in (self.under_way, *self.beside, self.under_way):  # what one began, the other may go on with
            await each.idle()


@asynccontextmanager
async def connected_bot(
    workspace: Workspace,
    settings: Settings,
    *,
    mode: Mode = "socket",
    drain_seconds: float = 5,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[ConnectedBot]:
    """Starts the bot, with its documents read. It stops when the block is left, `drain_seconds` after at the latest."""
    slack = settings.slack.model_copy(update={"base_url": workspace.api_url})
    settings = settings.model_copy(update={"slack": slack, "http": Http(port=0)})
    if "limits" not in settings.model_fields_set:  # one person of a test asks many questions in a minute
        settings = settings.model_copy(update={"limits": Limits(person=0, channel=0)})
    if (engines := machines()) is not None:
        async with _on(engines, workspace, settings, mode, drain_seconds, clock) as bot:
            yield bot
        return
    async with open_app(settings, _secrets(mode), clock=clock, drain_seconds=drain_seconds) as app:
        if app.url is not None:
            async with Driver(workspace.url) as person:
                await person.control("set_delivery", mode="http", events_url=f"{app.url}/slack/events")
        house = app.house
        await house.first_refresh
        yield ConnectedBot(house.core, house.under_way, house.client, app.url, house.schedule)


@asynccontextmanager
async def _on(
    engines: Machines,
    workspace: Workspace,
    settings: Settings,
    mode: Mode,
    drain_seconds: float,
    clock: Callable[[], datetime],
) -> AsyncIterator[ConnectedBot]:
    """Two bots and two workers. Over HTTP, where a balancer would spread the events, the first bot has them all."""
    since, secrets = clock().replace(second=0, microsecond=0), _secrets(mode)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(engines.workers(settings, secrets))
        first, second = [
            await stack.enter_async_context(
                open_app(await engines.settings(settings, number), secrets, clock=clock, drain_seconds=drain_seconds)
            )
            for number in (1, 2)
        ]
        if first.url is not None:
            async with Driver(workspace.url) as person:
                await person.control("set_delivery", mode="http", events_url=f"{first.url}/slack/events")
        await refreshed([first.house.core, second.house.core], since)
        house, beside = first.house, (second.house.under_way,)
        yield ConnectedBot(house.core, house.under_way, house.client, first.url, house.schedule, beside)


def _secrets(mode: Mode) -> SlackSecrets:
    if mode == "http":
        return SlackSecrets(SecretStr(BOT_TOKEN), None, SecretStr(SIGNING_SECRET))
    return SlackSecrets(SecretStr(BOT_TOKEN), SecretStr(APP_TOKEN), None)
