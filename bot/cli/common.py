"""What every command uses: where it prints, the options that many have, and how its work is run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from bot.config import Settings
from bot.config import load_settings as read_settings
from bot.logs import show_texts

T = TypeVar("T")

out = Console(soft_wrap=True, highlight=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

chosen_workspace: ContextVar[str] = ContextVar("workspace", default="")
"""The option that stands before every command."""

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="SWITCHBOARD_CONFIG", help="The configuration file.", show_default="switchboard.toml"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def load_settings(config: Path | None) -> Settings:
    """The configuration, which says from here on what the log may hold too. Raises what `bot.config` raises."""
    settings = read_settings(config)
    show_texts(settings.logs.texts)
    return settings


def run_with(config: Path | None, work: Callable[[Settings], Coroutine[Any, Any, T]]) -> T:
    """Reads the settings, those of the workspace that was chosen, and does the work with them. Raises what
    `bot.config` and `bot.workspaces.settings_for` raise."""
    settings = load_settings(config)
    if not (workspace := chosen_workspace.get()):
        return asyncio.run(work(settings))

    async def work_for_one() -> T:
        from bot.workspaces import settings_for

        return await work(await settings_for(settings, workspace))

    return asyncio.run(work_for_one())
