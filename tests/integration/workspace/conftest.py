"""A workspace on a free port, people in it, and a real Bolt app over Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import APP_TOKEN, BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver

COMMANDS: list[dict[str, Any]] = [
    {"command": "/echo", "description": "Says it again", "usage_hint": "[text]"},
    {"command": "/quote", "description": "Says it again, names resolved", "should_escape": True},
]
SHORTCUTS = [{"name": "Ask about this", "callback_id": "ask_about", "type": "message"}]


@pytest.fixture
def ack_seconds() -> float:
    """How long the app may take to acknowledge; tests of what comes after that make it short."""
    return 3.0


@pytest.fixture
def trigger_seconds() -> float:
    """How long a trigger id is good."""
    return 3.0


@pytest.fixture
async def workspace(ack_seconds: float, trigger_seconds: float) -> AsyncIterator[Workspace]:
    running = Workspace(
        port=0,
        commands=COMMANDS,
        shortcuts=SHORTCUTS,
        ack_seconds=ack_seconds,
        retry_seconds=(0, 0, 0),
        trigger_seconds=trigger_seconds,
    )
    async with running:
        yield running


@pytest.fixture
async def maya(workspace: Workspace) -> AsyncIterator[Driver]:
    async with Driver(workspace.url, as_user="U0MAYA") as driver:
        yield driver


@pytest.fixture
async def leo(workspace: Workspace) -> AsyncIterator[Driver]:
    async with Driver(workspace.url, as_user="U0LEO") as driver:
        yield driver


@pytest.fixture
def client(workspace: Workspace) -> AsyncWebClient:
    """The bot's Web API client."""
    return AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url)


@pytest.fixture
def app(client: AsyncWebClient) -> AsyncApp:
    """A Bolt app without listeners yet."""
    return AsyncApp(client=client, raise_error_for_unhandled_request=False)


@pytest.fixture
async def handler(app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app's Socket Mode connection, open; listeners may be added to the app afterwards."""
    handler = AsyncSocketModeHandler(app, APP_TOKEN, ping_interval=0.2)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    yield handler
    await handler.close_async()  # type: ignore[no-untyped-call]
