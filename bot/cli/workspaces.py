"""Commands on the workspaces that installed the bot by OAuth."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.common import AsJson, ConfigFile, out, run_with

group = typer.Typer(help="The workspaces that installed the bot by OAuth.", no_args_is_help=True)


@group.command("list")
def workspaces_list(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """Who installed the bot, who left, and when the data of those goes."""
    from bot.workspaces import list_all

    run_with(config, lambda settings: list_all(settings, out, as_json))


@group.command("remove")
def workspaces_remove(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Of a workspace (T…) or an organisation (E…).")],
    now: Annotated[bool, typer.Option("--now", help="Delete its data in minutes, not after 30 days.")] = False,
    config: ConfigFile = None,
) -> None:
    """Take the app out of a workspace; the bot closes what it has open of it."""
    from bot.workspaces import remove

    run_with(config, lambda settings: remove(settings, identifier, out, now=now))
