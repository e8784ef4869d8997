"""Commands on who chooses how questions are answered."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.common import ConfigFile, out, run_with

group = typer.Typer(
    help="Who chooses how questions are answered, and what people made of the answers.", invoke_without_command=True
)


@group.callback()
def learning(context: typer.Context, config: ConfigFile = None) -> None:
    """Who chooses, the labels by signal, and every change of who chooses."""
    from bot import learned

    context.obj = config
    if context.invoked_subcommand is None:
        run_with(config, lambda settings: learned.show(settings, out))


@group.command("undo")
def learning_undo(
    context: typer.Context, id: Annotated[int, typer.Argument(help="The number of the newest change.")]
) -> None:
    """Undo the newest change of who chooses; that is a change too, and can be undone."""
    from bot import learned

    run_with(context.obj, lambda settings: learned.undo(settings, id, out))
