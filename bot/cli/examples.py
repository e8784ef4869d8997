"""Commands on reviewed examples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import ConfigFile, out, run_with

group = typer.Typer(help="The reviewed questions and answers that few-shot prompts are made of.")


@group.command("list")
def examples_list(
    config: ConfigFile = None,
    flagged: Annotated[bool, typer.Option("--flagged", help="Only those that may be out of date.")] = False,
    retired: Annotated[bool, typer.Option("--retired", help="Only those that are retired.")] = False,
) -> None:
    """The examples, newest first, each with its id."""
    from bot import reviewing

    run_with(config, lambda settings: reviewing.show(settings, out, flagged=flagged, retired=retired))


@group.command("retire")
def examples_retire(
    id: Annotated[str, typer.Argument(help="The id of the example, or how it begins.")],
    config: ConfigFile = None,
    why: Annotated[str, typer.Option(help="A reason, which is kept.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Bring it back.")] = False,
) -> None:
    """Take an example out of use; it stays in the table."""
    from bot import reviewing

    run_with(config, lambda settings: reviewing.retire(settings, id, out, why=why, undo=undo))


@group.command("import")
def examples_import(
    file: Annotated[Path, typer.Argument(help="CSV: question, answer, tags, valid_until.")],
    config: ConfigFile = None,
    readers: Annotated[
        list[str] | None, typer.Option(help="Who may read them: everyone (the default), channel:C…, user:U….")
    ] = None,
) -> None:
    """Take in examples; one that asks the same as one that is there takes its place."""
    from bot import reviewing

    run_with(config, lambda settings: reviewing.take_in(settings, file, readers or ["everyone"], out))


@group.command("export")
def examples_export(
    config: ConfigFile = None,
    to: Annotated[Path | None, typer.Option(help="The file; printed where none is named.")] = None,
) -> None:
    """Write all examples in use as CSV, in the form that `import` takes."""
    from bot import reviewing

    run_with(config, lambda settings: reviewing.export(settings, to, out))
