"""Commands on what the bot knows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import ConfigFile, err, out, run_with

app = typer.Typer()
group = typer.Typer(help="What the bot knows: its sources, and files to import.", invoke_without_command=True)


@app.command()
def refresh(config: ConfigFile = None) -> None:
    """Look through the knowledge sources and take in what changed."""
    from bot.console import refresh as refreshed

    run_with(config, lambda settings: refreshed(settings, out, err))


@group.callback()
def knowledge(context: typer.Context, config: ConfigFile = None) -> None:
    """The sources with their documents, chunks and problems."""
    from bot.console import knowledge_status

    context.obj = config
    if context.invoked_subcommand is None:
        run_with(config, lambda settings: knowledge_status(settings, out))


@group.command("import")
def knowledge_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSONL or CSV: id, text, title, url, readers, updated.")],
    name: Annotated[str, typer.Option(help="What the source is called; the file's own name where empty.")] = "",
    readers: Annotated[
        list[str] | None,
        typer.Option(help="Who may read records that name no readers: everyone, channel:C…, user:U…; may be repeated."),
    ] = None,
) -> None:
    """Import a file of documents; the same file again takes in what changed in it."""
    from bot.console import import_file

    run_with(context.obj, lambda settings: import_file(settings, file, name or file.stem, readers, out, err))


@group.command("forget")
def knowledge_forget(
    context: typer.Context, name: Annotated[str, typer.Argument(help="A source that was added or imported.")]
) -> None:
    """Remove a source and all that came from it."""
    from bot.console import forget_source

    run_with(context.obj, lambda settings: forget_source(settings, name, out))
