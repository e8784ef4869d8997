"""Commands on money: what calls cost, prices that were corrected, what may be spent."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import AsJson, ConfigFile, out, run_with

app = typer.Typer()
costs_group = typer.Typer(help="The ledger: prices that were corrected, and what providers say.", no_args_is_help=True)
budget_group = typer.Typer(help="What may be spent, by whom, until when.", no_args_is_help=True)

BudgetWords = Annotated[
    list[str],
    typer.Argument(help="For example: workspace 200 a month hard because …; also C…, U… or purpose NAME."),
]


@app.command()
def report(
    weeks_ago: Annotated[int, typer.Option(help="0 is the week that is under way.", min=0)] = 1,
    csv: Annotated[bool, typer.Option("--csv", help="Every call of that week as CSV.")] = False,
    config: ConfigFile = None,
) -> None:
    """What the models cost in a week."""
    from bot.console import report as reported

    run_with(config, lambda settings: reported(settings, weeks_ago, csv, out))


@costs_group.command("reprice")
def costs_reprice(
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day, for example 2026-11-01.")],
    model: Annotated[str | None, typer.Option(help="Calls of this model alone.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    config: ConfigFile = None,
) -> None:
    """Price calls again from their counts, by the prices of their day as they are known now."""
    from bot import accounting

    run_with(config, lambda settings: accounting.reprice_calls(settings, since.date(), model, dry_run, out))


@costs_group.command("reconcile")
def costs_reconcile(
    file: Annotated[Path, typer.Argument(help="A provider's export of usage or costs: CSV or JSON.")],
    provider: Annotated[str, typer.Option(help="Whose export it is, as the models' cards name it.")],
    tolerance: Annotated[float, typer.Option(help="The part by which figures may differ.", min=0, max=1)] = 0.01,
    config: ConfigFile = None,
) -> None:
    """Hold the ledger against a provider's export, by model and day; status 1 where they differ."""
    from bot import accounting

    share = Decimal(str(tolerance))
    agrees = run_with(config, lambda settings: accounting.reconcile_file(settings, file, provider, share, out))
    raise typer.Exit(0 if agrees else 1)


@budget_group.command("list")
def budget_list(as_json: AsJson = False, config: ConfigFile = None) -> None:
    """How far each budget is used, until when, and who set it and why."""
    from bot.budgeting import list_budgets

    run_with(config, lambda settings: list_budgets(settings, out, as_json))


@budget_group.command("set")
def budget_set(words: BudgetWords, config: ConfigFile = None) -> None:
    """Set or change a budget: whose, how many US dollars, a day, week or month, hard or soft, because …"""
    from bot.budgeting import set_typed

    run_with(config, lambda settings: set_typed(settings, words, out))


@budget_group.command("drop")
def budget_drop(words: BudgetWords, config: ConfigFile = None) -> None:
    """End a budget; the ledger keeps what was spent."""
    from bot.budgeting import drop_typed

    run_with(config, lambda settings: drop_typed(settings, words, out))
