"""Prices calls again from the counts that the ledger kept, where a price was corrected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.costs.calls import Row
from bot.costs.ledger import Ledger
from bot.domain import COUNTS, Price, Usage

AT_ONCE = 100


@dataclass(slots=True, kw_only=True)
class Repriced:
    """What pricing the calls of one model again came to. `changed` of its `calls` cost something else now.

    `before` and `after`: US dollars of the calls whose cost is known, then and now. `unknown`: calls that still have no
    price; `kept`: those that keep the one they have, since nobody knows one now.
    """

    model: str
    calls: int = 0
    changed: int = 0
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    unknown: int = 0
    kept: int = 0


async def reprice(
    ledger: Ledger,
    price: Callable[[Row, Usage], Price],
    since: datetime,
    *,
    at: datetime,
    model: str | None = None,
    dry_run: bool = False,
) -> list[Repriced]:
    """Gives every call since then that has counts the price that `price` says, by model, those that change most first.

    A call whose price is not known now keeps the one it has. `dry_run`: only looks.
    """
    found: dict[str, Repriced] = {}
    async for rows in ledger.batches(since, model=model):
        changes: list[tuple[Row, Price]] = []
        for row in rows:
            usage = usage_of(row)
            if usage is None:
                continue
            new = price(row, usage)
            amount = row.cost if new.amount is None else new.amount
            told = found.setdefault(row.model, Repriced(model=row.model))
            told.calls += 1
            told.before += row.cost or 0
            told.after += amount or 0
            told.unknown += amount is None
            told.kept += new.amount is None and row.cost is not None
            if amount != row.cost:
                told.changed += 1
                changes.append((row, new))
        if not dry_run:
            for begin in range(0, len(changes), AT_ONCE):
                some = changes[begin : begin + AT_ONCE]
                await asyncio.gather(*(ledger.correct(row, new, at) for row, new in some))
    return sorted(found.values(), key=lambda told: (-abs(told.after - told.before), told.model))


def usage_of(row: Row) -> Usage | None:
    """What a call used up; None where nobody knows. A row from before a kind was counted has none of it."""
    if row.prompt_tokens is None or row.completion_tokens is None:
        return None
    counts: dict[str, Any] = {name: getattr(row, name) or 0 for name in COUNTS}
    return Usage(**counts, estimated=row.estimated, served=row.served or "")
