"""Commands on answers whose source has changed, and on questions that found none."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.common import ConfigFile, out, run_with

app = typer.Typer()


@app.command()
def recall(
    document: Annotated[str, typer.Option(help="A document by its path or title; all where it is empty.")] = "",
    config: ConfigFile = None,
) -> None:
    """Show which answers lean on a document, and what would be told of those whose words stand there no more."""
    from bot import recalled

    run_with(config, lambda settings: recalled.show(settings, document, out))


@app.command()
def coverage(config: ConfigFile = None) -> None:
    """Show the topics of the last seven days on which questions found no good answer, and whom to ask."""
    from bot import covered

    run_with(config, lambda settings: covered.show(settings, out))
