"""Holds what the ledger has against what a provider says, by model and day."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar

from bot.costs.calls import Row
from bot.costs.ledger import Ledger
from bot.costs.provider_exports import ALL, Entry

TOLERANCE = Decimal("0.01")
CENT = Decimal("0.01")
"""Costs that differ by no more do not differ: exports round, and calls at midnight are counted on either day."""
_Number = TypeVar("_Number", int, Decimal)
_EDITION = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")


@dataclass(slots=True, kw_only=True)
class Counted:
    """Tokens and US dollars of a model on a day; None where they are not told. `unknown`: calls without a known cost,
    `estimated`: calls whose tokens were counted here."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None
    calls: int = 0
    unknown: int = 0
    estimated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One model on one day. `ours` and `theirs`: None where only the other has it. `differs`: in what."""

    model: str
    day: date
    ours: Counted | None
    theirs: Counted | None
    differs: tuple[str, ...]


async def reconcile(
    ledger: Ledger,
    entries: Iterable[Entry],
    provider: str,
    *,
    known_as: Callable[[Row], str],
    tolerance: Decimal = TOLERANCE,
) -> list[Compared]:
    """Every model and day that either side has, in their order, within the days of the export.

    `known_as`: what the provider calls the model of a row. Dated editions of a model are one.
    """
    theirs: dict[tuple[date, str], Counted] = defaultdict(Counted)
    for entry in entries:
        kept = theirs[entry.day, edition_of(entry.model)]
        kept.input_tokens = _sum(kept.input_tokens, entry.input_tokens)
        kept.output_tokens = _sum(kept.output_tokens, entry.output_tokens)
        kept.cost = _sum(kept.cost, entry.cost)
    together = all(model == ALL for _, model in theirs)
    days = [day for day, _ in theirs]
    ours: dict[tuple[date, str], Counted] = defaultdict(Counted)
    async for row in _rows(ledger, min(days), max(days), provider):
        name = ALL if together else edition_of(known_as(row))
        _add(ours[row.started_at.date(), name], row)
    found = []
    for day, model in sorted(theirs.keys() | ours.keys()):
        here, there = ours.get((day, model)), theirs.get((day, model))
        differs = _differs(here, there, tolerance)
        found.append(Compared(model=model, day=day, ours=here, theirs=there, differs=differs))
    return found


def edition_of(model: str) -> str:
    """A model's name without the date of its edition and without who is before a slash."""
    return _EDITION.sub("", model.strip().casefold().rpartition("/")[2])


async def _rows(ledger: Ledger, first: date, last: date, provider: str) -> AsyncIterator[Row]:
    since = datetime.combine(first, time(), UTC)
    until = datetime.combine(last + timedelta(days=1), time(), UTC)
    async for rows in ledger.batches(since):
        for row in rows:
            if row.provider.casefold() == provider.casefold() and row.started_at < until:
                yield row


def _add(kept: Counted, row: Row) -> None:
    kept.calls += 1
    kept.input_tokens = (kept.input_tokens or 0) + (row.prompt_tokens or 0)
    kept.output_tokens = (kept.output_tokens or 0) + (row.completion_tokens or 0)
    kept.cost = (kept.cost or Decimal(0)) + (row.cost or 0)
    kept.unknown += row.cost is None
    kept.estimated += row.estimated


def _sum(one: _Number | None, other: _Number | None) -> _Number | None:
    return other if one is None else one if other is None else one + other


def _differs(ours: Counted | None, theirs: Counted | None, tolerance: Decimal) -> tuple[str, ...]:
    if ours is None or theirs is None:
        used = ours or theirs
        billed = used is not None and any((used.input_tokens, used.output_tokens, used.cost))
        return (("only there" if ours is None else "only here"),) if billed else ()
    told = []
    for name in ("input_tokens", "output_tokens"):
        here, there = getattr(ours, name), getattr(theirs, name)
        if there is not None and abs(here - there) > tolerance * max(here, there):
            told.append(name.replace("_", " "))
    if theirs.cost is not None and ours.cost is not None:
        apart = abs(ours.cost - theirs.cost)
        if apart > CENT and apart > tolerance * max(ours.cost, theirs.cost):
            told.append("cost")
    return tuple(told)
