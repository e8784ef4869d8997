"""The bot as people run it: `switchboard run` in a process of its own, here in HTTP mode."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from child import Child, started
from options import Options

from bot.config import Folder
from deploy.workspace.server import BOT_TOKEN, SIGNING_SECRET

MODEL = "test-model"
READY = "Switchboard is ready"
KNOWS = "knowledge_refreshed"
_SWITCHBOARD = Path(sys.executable).parent / "switchboard"
_CARDS = f"""
[[providers]]
name = "testing"
title = "Test server"
base_url = "{{url}}"
local = true

[[models]]
name = "{MODEL}"
provider = "testing"
context_window = 16000
rates = {{{{ input = "2.50", output = "10.00" }}}}
summary = "Answers at once."
"""


def configure(options: Options, data_dir: Path, folders: Sequence[Folder], *, models_url: str = "") -> Path:
    """Writes a configuration; with `models_url` the model there answers everything, else the offline model."""
    lines = [f"data_dir = {_quoted(data_dir)}", f"models_dir = {_quoted(options.models_dir)}"]
    if models_url:
        cards = options.work / "cards.toml"
        cards.write_text(_CARDS.format(url=models_url), encoding="utf-8")
        lines += ["[models]", f"cards = {_quoted(cards)}", f'default = "{MODEL}"']
    for folder in folders:
        lines += ["[[knowledge.folders]]", f"path = {_quoted(folder.path)}", f"name = {_quoted(folder.name)}"]
        lines += [f"readers = {json.dumps(folder.readers)}"]
    file = options.work / f"{data_dir.name}.toml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@asynccontextmanager
async def bot_running(options: Options, config: Path, api_url: str) -> AsyncIterator[tuple[Child, str]]:
    """Starts `switchboard run`; gives the process, ready, and where it takes events."""
    env = clean_environment() | {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "SWITCHBOARD_SLACK__BASE_URL": api_url,
        "SWITCHBOARD_HTTP__PORT": "0",
        "SWITCHBOARD_LIMITS__PERSON": "0",  # one person asks all
        "SWITCHBOARD_LIMITS__CHANNEL": "0",
    }
    command = [str(_SWITCHBOARD), "run", "--config", str(config)]
    async with started(command, env=env, cwd=options.work) as child:
        line = await child.line(READY)
        yield child, line.partition("listening on ")[2].split()[0]


@asynccontextmanager
async def command_running(options: Options, config: Path, *words: str) -> AsyncIterator[Child]:
    """Starts another command of `switchboard`."""
    command = [str(_SWITCHBOARD), *words, "--config", str(config)]
    async with started(command, env=clean_environment(), cwd=options.work) as child:
        yield child


def clean_environment() -> dict[str, str]:
    """The environment without keys, tokens and settings of whoever runs this."""
    ours = ("SWITCHBOARD_", "SLACK_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {name: value for name, value in kept.items() if not name.endswith(("_API_KEY", "_TOKEN"))}


def _quoted(value: object) -> str:
    return json.dumps(str(value))
