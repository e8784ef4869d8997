"""A real workspace that is read, over a bare connection or into a whole knowledge base."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from slack_history import Run
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver
from knowledge.access import PUBLIC
from knowledge.sources.slack import SlackSource
from knowledge.sources.slack.api import SlackApi

ENG = "C0ENG"


Open = Callable[..., SlackSource]


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with Workspace(port=0) as running:
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
    """The bot's connection."""
    return AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url)


@pytest.fixture
def opened(client: AsyncWebClient, tmp_path: Path) -> Open:
    """Opens a source over the connection, as a process that just started would."""

    def source(channel: str = ENG, public: frozenset[str] = PUBLIC, **options: object) -> SlackSource:
        folder = tmp_path / "cache" / channel.strip("#")
        return SlackSource("robots", channel, public, SlackApi(client), folder, **options)  # type: ignore[arg-type]

    return source


@pytest.fixture
def run() -> Run:
    return Run()
