"""The bot with real parts, connected to a workspace over Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.core import Core, open_core
from deploy.workspace import APP_TOKEN, BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver
from handlers.register import Inbound, register

SWITCHBOARD = "<@U0SWITCH>"


@dataclass
class ConnectedBot:
    """A bot that runs."""

    core: Core
    inbound: Inbound
    client: AsyncWebClient
    socket: AsyncSocketModeHandler

    async def idle(self, person: Driver) -> None:
        """Waits until all that it was sent is acknowledged and worked off."""
        await person.quiet()
        await self.inbound.idle()


@asynccontextmanager
async def connected_bot(
    workspace: Workspace, settings: Settings, *, drain_seconds: float = 5
) -> AsyncIterator[ConnectedBot]:
    """Starts the bot, with its documents read. It stops when the block is left, `drain_seconds` after at the latest."""
    async with open_core(settings) as core:
        await core.knowledge.refresh()
        retry = AsyncRateLimitErrorRetryHandler(max_retry_count=2)
        client = AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url, retry_handlers=[retry])
        app = AsyncApp(client=client)
        inbound = register(app, core)
        socket = AsyncSocketModeHandler(app, APP_TOKEN, ping_interval=0.2)
        await socket.connect_async()  # type: ignore[no-untyped-call]
        await inbound.resume()
        try:
            yield ConnectedBot(core, inbound, client, socket)
        finally:
            await inbound.drain(drain_seconds)
            await socket.close_async()  # type: ignore[no-untyped-call]
