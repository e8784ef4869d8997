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
    """Reads the settings, those of the workspace that was chosen, and does the work with them."""
    settings = load_settings(config)
    if workspace := chosen_workspace.get():
        from bot.tenancy.settings import is_workspace, settings_of

        if not is_workspace(workspace):
            raise typer.BadParameter(f"{workspace} is no workspace's id; they begin with T.")
        settings = settings_of(settings, workspace)
        if settings.database_url.startswith("sqlite") and not settings.data_dir.is_dir():
            raise typer.BadParameter(
                f"There is no workspace {workspace} here; `switchboard workspaces list` shows them."
            )
    return asyncio.run(work(settings))
