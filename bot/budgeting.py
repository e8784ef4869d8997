"""`switchboard budget`: what may be spent, by whom, until when."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.config import Settings
from bot.core import open_core
from bot.costs.budget import Budget, Standing, day
from bot.costs.budget_orders import drop_budget, kind, lasts, set_budget, used
from bot.costs.budget_words import wish
from bot.outlets import wide

CONSOLE = "console"
"""Who set a budget that was set here."""


async def list_budgets(settings: Settings, out: Console, as_json: bool) -> None:
    """Prints how each budget stands."""
    async with open_core(settings) as core:
        now, zone = core.clock(), core.budgets.zone
        standings = await core.budgets.standing(now)
    if as_json:
        out.print_json(json.dumps([_plain(standing) for standing in standings]))
        return
    if not standings:
        out.print("No budget is set. `switchboard budget set workspace 200 a month hard because …` sets one.")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("whose", "budget", "so far", "until", "set by", "because"):
        table.add_column(title, overflow="fold")
    for one in standings:
        budget = one.budget
        table.add_row(
            escape(_whose(budget)),
            kind(budget),
            used(one),
            lasts(one, now, zone),
            f"{escape(budget.set_by)}, {day(budget.set_at, zone)}",
            escape(budget.reason) or "–",
        )
    wide(out).print(table)


async def set_typed(settings: Settings, words: Sequence[str], out: Console) -> None:
    """Sets or changes the budget that the words name. Raises UnusableBudget."""
    typed = wish(" ".join(words))
    async with open_core(settings) as core:
        now = core.clock()
        standing = await set_budget(core.budgets, typed, by=CONSOLE, at=now)
        said = f"{_whose(standing.budget)} may now spend {kind(standing.budget)}. So far: {used(standing)}."
        out.print(escape(f"{said} {lasts(standing, now, core.budgets.zone)}"))


async def drop_typed(settings: Settings, words: Sequence[str], out: Console) -> None:
    """Ends the budget that the words name. Raises UnusableBudget."""
    typed = wish(" ".join(words))
    async with open_core(settings) as core:
        budget = await drop_budget(core.budgets, typed, by=CONSOLE, at=core.clock())
    out.print(escape(f"The budget of {kind(budget)} is dropped: {_whose(budget)}. The ledger keeps what was spent."))


def _whose(budget: Budget) -> str:
    return "The whole workspace" if budget.scope == "workspace" else f"{budget.scope.capitalize()} {budget.key}"


def _plain(standing: Standing) -> dict[str, Any]:
    budget = standing.budget
    return {
        "scope": budget.scope,
        "key": budget.key,
        "period": budget.period,
        "amount": str(budget.amount),
        "hard": budget.hard,
        "reason": budget.reason,
        "set_by": budget.set_by,
        "set_at": budget.set_at.isoformat(),
        "since": standing.since.isoformat(),
        "until": standing.until.isoformat(),
        "spent": str(standing.spent),
        "held": str(standing.held),
        "unknown": standing.unknown,
    }
