"""The whole bot in a workspace: real storage, knowledge, models and sockets; the hosted model is a scripted server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from connected_bot import ConnectedBot, Mode, connected_bot
from filled_data import fill
from house import PATIENT
from model_server import ModelServer

from bot.config import Folder, Knowledge, Models, Settings, Slack
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver

MANIFEST = Path(__file__).parents[3] / "deploy" / "slack" / "manifest.json"
DOCUMENTS = {
    "deploys.md": "# Deploys\n\n## When do deploys run?\n\nDeploys run on Tuesdays and Thursdays at 10:00. "
    "Nobody deploys on Fridays.\n",
    "vacation.md": "# Vacation\n\n## How many days are there?\n\nEverybody has 30 days of vacation a year.\n",
}


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    features = json.loads(MANIFEST.read_text(encoding="utf-8"))["features"]
    commands, shortcuts = features["slash_commands"], features["shortcuts"]
    async with Workspace(port=0, commands=commands, shortcuts=shortcuts, trigger_seconds=PATIENT) as running:
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
async def server() -> AsyncIterator[ModelServer]:
    """A hosted model that answers as scripted."""
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def settings(tmp_path: Path, models_dir: Path, server: ModelServer) -> Settings:
    """Two public documents and one for #finance alone; the scripted model is the default."""
    public, finance = tmp_path / "docs", tmp_path / "finance"
    public.mkdir()
    finance.mkdir()
    for name, text in DOCUMENTS.items():
        (public / name).write_text(text, encoding="utf-8")
    (finance / "budget.md").write_text("# Budget\n\nThe robot budget for 2027 is 41,000 euros.\n", encoding="utf-8")
    cards = tmp_path / "cards.toml"
    cards.write_text(
        f'[[providers]]\nname = "house"\ntitle = "House"\nbase_url = "{server.url}"\nlocal = true\n'
        '[[models]]\nname = "test-model"\nprovider = "house"\ncontext_window = 8192\n'
        'summary = "A model for tests."\nrates = { input = "1", output = "2" }\n',
        encoding="utf-8",
    )
    folders = (
        Folder(path=public, name="docs", link_base="https://docs.example/"),
        Folder(path=finance, name="finance", readers=("channel:G0FIN",)),
    )
    settings = Settings(
        data_dir=tmp_path / "data",
        models_dir=models_dir,
        slack=Slack(answer_channels=("C0HELP",)),
        knowledge=Knowledge(folders=folders),
        models=Models(default="test-model", cards=cards),
    )
    await fill(settings)
    return settings


@pytest.fixture
def mode(request: pytest.FixtureRequest) -> Mode:
    """The door: the socket, unless a test is run over both."""
    chosen: Mode = getattr(request, "param", "socket")
    return chosen


@pytest.fixture
async def bot(mode: Mode, workspace: Workspace, settings: Settings) -> AsyncIterator[ConnectedBot]:
    """The whole bot."""
    async with connected_bot(workspace, settings, mode=mode) as running:
        yield running
