"""The command line: `switchboard`, with a module for each group of commands."""

from __future__ import annotations

import sys
import uuid
from typing import Annotated

import structlog
import typer
from rich.markup import escape

from bot import tracing
from bot.cli import (
    asking,
    audit,
    checks,
    costs,
    data,
    evaluate,
    examples,
    golden,
    keys,
    knowledge,
    learning,
    models,
    recall,
    starting,
    tune,
    workspaces,
)
from bot.cli.common import chosen_workspace, err
from bot.errors import SwitchboardError
from bot.logs import configure_logs
from knowledge.errors import KnowledgeError

log = structlog.get_logger("bot.cli")

app = typer.Typer(
    help="A Slack assistant that picks the cheapest way to a good answer, and shows how, why and at what price.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
for room in (starting, asking, knowledge, costs, evaluate, recall, data, checks):
    app.add_typer(room.app)
app.add_typer(knowledge.group, name="knowledge")
app.add_typer(checks.config_group, name="config")
app.add_typer(learning.group, name="learning")
app.add_typer(examples.group, name="examples")
app.add_typer(golden.group, name="golden")
app.add_typer(models.group, name="models")
app.add_typer(tune.group, name="tune")
app.add_typer(costs.costs_group, name="costs")
app.add_typer(costs.budget_group, name="budget")
app.add_typer(workspaces.group, name="workspaces")
app.add_typer(keys.group, name="keys")
app.add_typer(audit.group, name="audit")


@app.callback()
def of_workspace(
    workspace: Annotated[
        str | None, typer.Option(help="Of many workspaces the one that a command is for, by its id (T…).")
    ] = None,
) -> None:
    """A Slack assistant that picks the cheapest way to a good answer, and shows how, why and at what price."""
    chosen_workspace.set(workspace or "")


def main() -> None:
    """Runs the command line. What goes wrong on purpose is one sentence and exit status 1."""
    configure_logs()
    try:
        with tracing.exporting():
            app(standalone_mode=True)
    except (SwitchboardError, KnowledgeError) as error:
        err.print(f"[red]{escape(str(error))}[/]")
        sys.exit(1)
    except Exception:
        correlation = uuid.uuid4().hex[:8]
        log.exception("command_failed", correlation_id=correlation)
        err.print(f"[red]Something broke that should not have. The log line above has the id {correlation}.[/]")
        sys.exit(1)
