"""`switchboard run` as a process of a test's own, with a workspace and a model server in the test."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from house import MANIFEST, TEST_MODEL
from media_house import MEDIA_CARDS
from model_server import ModelServer
from server_cards import cards

from deploy.workspace.driver import Driver
from deploy.workspace.server import APP_TOKEN, BOT_TOKEN, Workspace


class Gate(asyncio.Event):
    """An answer that stops after its first words, and says that it got there."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


@dataclass(frozen=True, slots=True)
class Slack:
    """Where the process connects to: a workspace with somebody in it, and a server with models."""

    models: ModelServer
    workspace: Workspace
    maya: Driver

    def environment(self, folder: Path, models_dir: Path, **more: str) -> dict[str, str]:
        """With it, `switchboard run` works here."""
        (folder / "cards.toml").write_text(cards(self.models.url, TEST_MODEL, MEDIA_CARDS))
        return environment(
            folder,
            models_dir,
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_APP_TOKEN=APP_TOKEN,
            SWITCHBOARD_SLACK__BASE_URL=self.workspace.api_url,
            SWITCHBOARD_MODELS__CARDS=str(folder / "cards.toml"),
            SWITCHBOARD_MODELS__DEFAULT="test-model",
            **more,
        )


@asynccontextmanager
async def opened_slack() -> AsyncIterator[Slack]:
    async with (
        ModelServer() as models,
        Workspace(port=0, commands=MANIFEST["slash_commands"], shortcuts=MANIFEST["shortcuts"]) as workspace,
        Driver(workspace.url, "U0MAYA", timeout=60) as maya,
    ):
        yield Slack(models, workspace, maya)


def environment(folder: Path, models_dir: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SWITCHBOARD_"))}
    config = folder / "switchboard.toml"
    config.write_text('[[knowledge.folders]]\npath = "docs"\n')
    own = {"SWITCHBOARD_DATA_DIR": str(folder / "data"), "SWITCHBOARD_MODELS_DIR": str(models_dir)}
    return {**kept, **own, **more}


@asynccontextmanager
async def running(folder: Path, env: dict[str, str], log: int | IO[bytes] = DEVNULL) -> AsyncIterator[Process]:
    """The process, once it says that it is ready; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=folder, env=env, stdout=PIPE, stderr=log
    )
    try:
        await ready(process)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ready(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if "is ready" in line:
                return line
    raise AssertionError(f"It ended with status {await process.wait()} before it was ready.")
