"""Commands on the golden questions that people kept."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.common import ConfigFile, out, run_with

group = typer.Typer(help="The golden questions that people kept from their own answers.")
Id = Annotated[str, typer.Argument(help="The id of the golden question, or how it begins.")]


@group.command("list")
def golden_list(
    config: ConfigFile = None,
    flagged: Annotated[bool, typer.Option("--flagged", help="Only those that may be out of date.")] = False,
    retired: Annotated[bool, typer.Option("--retired", help="Only those that are retired.")] = False,
) -> None:
    """The golden questions, newest first, each with its id and where its answer stands."""
    from bot import golden

    run_with(config, lambda settings: golden.show(settings, out, flagged=flagged, retired=retired))


@group.command("retire")
def golden_retire(
    id: Id,
    config: ConfigFile = None,
    why: Annotated[str, typer.Option(help="A reason, which is kept.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Bring it back.")] = False,
) -> None:
    """Take a golden question out of evaluations; it stays in the table."""
    from bot import golden

    run_with(config, lambda settings: golden.retire(settings, id, out, why=why, undo=undo))


@group.command("keep")
def golden_keep(id: Id, config: ConfigFile = None) -> None:
    """Say that one which may be out of date is right as it is."""
    from bot import golden

    run_with(config, lambda settings: golden.keep(settings, id, out))
