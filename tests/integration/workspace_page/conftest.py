"""A workspace on a free port, a Bolt app in it, and a real browser that looks at its page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from house import PATIENT
from playwright.async_api import Browser, Page
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import APP_TOKEN, BOT_TOKEN, Workspace

LIMIT_MS = 10_000
COMMANDS = [
    {"command": "/ask", "description": "Ask privately", "usage_hint": "your question"},
    {"command": "/model", "description": "Switch models", "usage_hint": "[list | use NAME]"},
]
SHORTCUTS = [{"name": "Save as example", "callback_id": "save_example", "type": "message"}]


@pytest.fixture(scope="session")
def gallery() -> dict[str, list[dict[str, Any]]]:
    """Messages that together hold every kind of block."""
    found: dict[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "gallery.json").read_text())
    return found


@pytest_asyncio.fixture(loop_scope="module")
async def workspace() -> AsyncIterator[Workspace]:
    async with Workspace(port=0, commands=COMMANDS, shortcuts=SHORTCUTS, trigger_seconds=PATIENT) as running:
        yield running


@pytest.fixture
def client(workspace: Workspace) -> AsyncWebClient:
    """The bot's Web API client."""
    return AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url)


@pytest_asyncio.fixture(loop_scope="module")
async def app(client: AsyncWebClient) -> AsyncIterator[AsyncApp]:
    """A Bolt app that is connected; tests add their listeners."""
    app = AsyncApp(client=client, raise_error_for_unhandled_request=False)
    # After four intervals without a pong the client takes another socket, and a click in that moment is lost.
    handler = AsyncSocketModeHandler(app, APP_TOKEN, ping_interval=1)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    yield app
    await handler.close_async()  # type: ignore[no-untyped-call]


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, workspace: Workspace) -> AsyncIterator[Page]:
    """The page as Maya sees it, in #help; an error on its console fails the test."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(LIMIT_MS)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
    await page.goto(workspace.url)
    await page.get_by_test_id("composer").wait_for()
    yield page
    await context.close()
    assert not broken
