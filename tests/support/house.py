"""The whole bot in the local workspace, for end-to-end tests: real sockets or signed HTTP, real stores, a model server.

async with open_house(tmp_path, models_dir, mode="socket") as house, house.person("U0MAYA") as maya:
    ts = await maya.post("C0HELP", "<@U0SWITCH> How do I roll back a release?")
    reply = await maya.wait_for_reply("C0HELP", ts)
"""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import server_cards
from connected_bot import ConnectedBot, Mode, connected_bot
from filled_data import fill
from model_server import ModelServer
from pydantic import SecretStr
from server_cards import card

from bot.config import Folder, Knowledge, Models, Report, Settings, Slack, Storage
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = json.loads((ROOT / "deploy" / "slack" / "manifest.json").read_text(encoding="utf-8"))["features"]

ROLLBACK = """# Deploying

## Rolling back a release
To roll back a release, run `robot deploy rollback` and name the release that worked. The rollback takes two minutes.

## Who may deploy
Everyone on the engineering team may deploy between 9:00 and 16:00.
"""
HOLIDAYS = """# Holidays

## How many days of holiday there are
Everyone has 30 days of holiday a year. Ask your lead two weeks ahead.
"""
SALARIES = """# Salary bands

## The salary band of senior engineers
The salary band of senior engineers runs from 84,000 to 97,000 euros.
"""

PATIENT = 60.0
"""Seconds that a trigger id is good for: Slack's three are too few for a busy machine, and have tests of their own."""
TEST_MODEL = card("test-model", input="2.50", more='summary = "A model for tests."\n')


@dataclass(frozen=True, slots=True)
class House:
    """The running bot, its workspace, its documents and, where there is one, its hosted model."""

    app: ConnectedBot
    workspace: Workspace
    docs: Path
    models: ModelServer | None

    def person(self, user: str = "U0MAYA", timeout: float = 20) -> Driver:
        """Somebody at the workspace. A helper of the tests' own, since answers may take a while on a busy machine."""
        return Driver(self.workspace.url, user, timeout=timeout)


@asynccontextmanager
async def open_house(
    folder: Path,
    models_dir: Path,
    *,
    mode: Mode = "socket",
    models: ModelServer | None = None,
    answer_channels: tuple[str, ...] = (),
    folders: tuple[Folder, ...] | None = None,
    database: str = "",
    stream_seconds: float = 300,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    more_cards: str = "",
) -> AsyncIterator[House]:
    """Starts everything with its data in `folder`; a folder that was used before is opened again.

    `database` is an address; without one it is SQLite in the folder. `more_cards`: TOML behind the test server's own.
    """
    settings = _settings(folder, models_dir, models, folders, more_cards)
    slack, storage = Slack(answer_channels=answer_channels), Storage(url=SecretStr(database))
    settings = settings.model_copy(update={"slack": slack, "storage": storage})
    if folders is None and not database:
        await fill(settings)
    workspace = Workspace(
        port=0,
        commands=MANIFEST["slash_commands"],
        shortcuts=MANIFEST["shortcuts"],
        stream_seconds=stream_seconds,
        trigger_seconds=PATIENT,
    )
    async with workspace, connected_bot(workspace, settings, mode=mode, clock=clock) as bot:
        yield House(bot, workspace, folder / "docs", models)


def _settings(
    folder: Path, models_dir: Path, models: ModelServer | None, folders: tuple[Folder, ...] | None, more_cards: str
) -> Settings:
    _write_documents(folder)
    cards = None
    if models is not None:
        cards = folder / "cards.toml"
        cards.write_text(server_cards.cards(models.url, TEST_MODEL) + more_cards, encoding="utf-8")
    return Settings(
        data_dir=folder / "data",
        models_dir=models_dir,
        knowledge=Knowledge(
            folders=folders
            or (
                Folder(path=folder / "docs", name="handbook", link_base="https://handbook.example/"),
                Folder(path=folder / "finance", name="finance", readers=("channel:G0FIN",)),
            )
        ),
        models=Models(cards=cards),
        report=Report(channel="C0REPORTS"),
    )


def _write_documents(folder: Path) -> None:
    for path, text in (
        ("docs/deploying.md", ROLLBACK),
        ("docs/holidays.md", HOLIDAYS),
        ("finance/salaries.md", SALARIES),
    ):
        file = folder / path
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
