"""Commands on who changed what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from bot.cli.common import AsJson, ConfigFile, out, run_with

group = typer.Typer(help="Who changed what.", invoke_without_command=True)

Day = typer.Option(formats=["%Y-%m-%d"], help="A day, for example 2026-11-01.")


@group.callback()
def audit(
    context: typer.Context,
    since: Annotated[datetime | None, Day] = None,
    who: Annotated[str, typer.Option(help="A person's Slack id, a job, or “command line”.")] = "",
    what: Annotated[str, typer.Option(help="Words of the action, for example “budget”.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Who changed what, the newest first; status 1 where the log is not what was written."""
    from bot import auditing

    context.obj = config
    if context.invoked_subcommand is None:
        day = since.date() if since else None
        whole = run_with(config, lambda settings: auditing.show(settings, day, who, what, out, as_json))
        raise typer.Exit(0 if whole else 1)


@group.command("drop")
def audit_drop(context: typer.Context, before: Annotated[datetime, Day]) -> None:
    """Take out entries that are older than a day; the log keeps that it was done."""
    from bot import auditing

    run_with(context.obj, lambda settings: auditing.drop(settings, before.date(), out))
