"""Commands on all that is stored: backed up, restored, forgotten, exported."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.common import AsJson, ConfigFile, out, run_with

app = typer.Typer()


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, for example monday.zip.")],
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Back everything up into one file, as it is now; the bot may run meanwhile."""
    from bot.safekeeping import make_backup

    run_with(config, lambda settings: make_backup(settings, file, out, as_json))


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `switchboard backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of what is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = None,
) -> None:
    """Restore a backup into an empty database, SQLite or PostgreSQL; stop the bot first."""
    from bot.safekeeping import restore_backup

    def sure(question: str) -> bool:
        return yes or typer.confirm(question)

    run_with(config, lambda settings: restore_backup(settings, file, replace, sure, out))


@app.command()
def forget(
    user: Annotated[str | None, typer.Option(help="A person, by the id in Slack (U…).")] = None,
    channel: Annotated[str | None, typer.Option(help="A channel, by its id (C…).")] = None,
    document: Annotated[str | None, typer.Option(help="A document: SOURCE/PATH.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="What the person is called too; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Remove a person, a channel or a document from all that is stored, and print the proof; the bot may run."""
    from bot import forgetting

    typed: dict[Any, str | None] = {"user": user, "channel": channel, "document": document}
    given = [(kind, text) for kind, text in typed.items() if text]
    if len(given) != 1:
        raise typer.BadParameter("Name one: --user U…, --channel C… or --document SOURCE/PATH.")
    kind, text = given[0]
    clean = run_with(
        config, lambda settings: forgetting.forget(settings, kind, text, name or (), dry_run, out, as_json)
    )
    raise typer.Exit(0 if clean else 1)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="The file to write, for example maya.zip.")],
    user: Annotated[str, typer.Option(help="The person, by the id in Slack (U…).")],
    config: ConfigFile = None,
) -> None:
    """Write everything that is stored on a person into one file, for that person; the bot may run."""
    from bot import forgetting

    run_with(config, lambda settings: forgetting.export(settings, user, file, out))
