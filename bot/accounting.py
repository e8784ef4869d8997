"""`switchboard costs`: prices calls again, and holds the ledger against what a provider says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.audit import COMMAND_LINE, Action, Change, noted
from bot.config import ExchangeRate, Settings
from bot.costs.budgets import Budgets
from bot.costs.calls import Row
from bot.costs.ledger import Ledger
from bot.costs.money import dollars
from bot.costs.periods import midnight
from bot.costs.prices import PriceBook
from bot.costs.provider_exports import Entry, read_export
from bot.costs.reconciling import CENT, Compared, Counted, reconcile
from bot.costs.repricing import Repriced, reprice
from bot.domain import Price, Usage
from bot.errors import UnreadableExport
from bot.models.catalogue import Catalogue, load_catalogue
from bot.printing import print_table, table_of
from bot.storage.engine import open_existing


async def reprice_calls(settings: Settings, since: date, model: str | None, dry_run: bool, out: Console) -> None:
    """Prices the calls since the first moment of a day again, and prints what that changes, by model."""
    catalogue = load_catalogue(settings.models.cards, settings.costs.currencies)
    name = catalogue.get(model).name if model else None
    zone = settings.report.zone
    async with _opened(settings) as ledger:
        found = await reprice(
            ledger,
            _priced(catalogue, PriceBook()),
            midnight(since, zone),
            at=datetime.now(UTC),
            model=name,
            dry_run=dry_run,
        )
    if not found:
        out.print(f"No call{f' of {escape(name)}' if name else ''} since {since} has counts to price it by.")
        return
    _print_repriced(out, found)
    changed, kept = sum(told.changed for told in found), sum(told.kept for told in found)
    if changed and not dry_run:
        await _note_repricing(settings, since, name, found)
    if kept:
        out.print(f"\n{_calls(kept)} kept at the old price: no card and no list has one for the model now.")
    if dry_run:
        out.print(f"\n{_calls(changed)} would cost something else. Without --dry-run that is written down.")
    else:
        out.print(f"\n{_calls(changed)} priced again. What was first written down stays beside it.")


async def reconcile_file(settings: Settings, file: Path, provider: str, tolerance: Decimal, out: Console) -> bool:
    """Prints where a provider's export and the ledger differ, by model and day; whether they agree.

    Raises UnreadableExport.
    """
    catalogue = load_catalogue(settings.models.cards, settings.costs.currencies)
    ids = {(card.provider, card.name): card.model_id for card in catalogue.cards}
    entries = [_in_dollars(entry, settings.costs.currencies) for entry in read_export(file)]
    async with _opened(settings) as ledger:
        found = await reconcile(
            ledger,
            entries,
            provider,
            known_as=lambda row: row.served or ids.get((row.provider, row.model), row.model),
            tolerance=tolerance,
        )
    if not any(one.ours for one in found):
        known = ", ".join(sorted(catalogue.providers))
        out.print(f"The ledger has no call of {escape(provider)} on these days. Providers: {known}.")
    _print_compared(out, found)
    apart = [one for one in found if one.differs]
    estimated = sum(one.ours.estimated for one in found if one.ours)
    unknown = sum(one.ours.unknown for one in found if one.ours)
    if estimated:
        out.print(f"The tokens of {_calls(estimated)} were counted here, since the server sent none.")
    if unknown:
        out.print(f"The cost of {_calls(unknown)} is not known here.")
    by = f"more than {(tolerance * 100).normalize():f}% (and {dollars(CENT)} of cost)"
    if apart:
        out.print(f"{len(apart)} of {len(found)} differ by {by}. Days are those of UTC.")
    else:
        out.print(f"Nothing differs by {by}. Days are those of UTC.")
    return not apart


async def _note_repricing(settings: Settings, since: date, model: str | None, found: Iterable[Repriced]) -> None:
    before, after = (sum((getattr(told, name) for told in found), Decimal(0)) for name in ("before", "after"))
    change = Change(
        action=Action.REPRICED,
        subject=f"calls of {model or 'all models'} since {since}",
        before=dollars(before),
        after=dollars(after),
    )
    async with open_existing(settings.database_url, "There is no ledger yet", "The ledger") as engine:
        await noted(engine, change, by=COMMAND_LINE, at=datetime.now(UTC))


def _calls(number: int) -> str:
    return f"{number:,} call{'' if number == 1 else 's'}"


def _priced(catalogue: Catalogue, prices: PriceBook) -> Callable[[Row, Usage], Price]:
    cards = {(card.provider, card.name): card for card in catalogue.cards}

    def price(row: Row, usage: Usage) -> Price:
        card = cards.get((row.provider, row.model))
        if card is None:
            return Price(amount=None, version=None, why="No card has this name any more.")
        rates = card.rates.rates(row.started_at) if card.rates else None
        return prices.price(card.provider, card.model_id, usage, rates=rates, free=card.free, at=row.started_at)

    return price


def _in_dollars(entry: Entry, currencies: Mapping[str, ExchangeRate]) -> Entry:
    if entry.currency == "USD" or entry.cost is None:
        return entry
    if entry.currency not in currencies:
        raise UnreadableExport(
            f"The export is in {entry.currency}, and what that is worth is not known. State it in the configuration: "
            f"[costs.currencies.{entry.currency}] with `dollars` and `date`."
        )
    return replace(entry, cost=entry.cost * currencies[entry.currency].dollars, currency="USD")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Ledger]:
    async with open_existing(settings.database_url, "There is no ledger yet", "The ledger") as engine:
        yield Ledger(engine, budgets=Budgets(engine, settings.report.zone))


def _print_repriced(out: Console, found: Iterable[Repriced]) -> None:
    table = table_of("model", "calls", "changed", "before", "after", "change")
    for told in found:
        apart = told.after - told.before
        change = f"{'−' if apart < 0 else '+'}{dollars(abs(apart))}" if apart else "none"
        unknown = f" and {told.unknown:,} unknown" if told.unknown else ""
        numbers = (f"{told.calls:,}", f"{told.changed:,}", dollars(told.before), dollars(told.after) + unknown, change)
        table.add_row(escape(told.model), *numbers)
    print_table(out, table)


def _print_compared(out: Console, found: Iterable[Compared]) -> None:
    table = table_of("day", "model", "input here / there", "output here / there", "cost here / there", "differs in")
    for one in found:
        cells = [_both(one, name) for name in ("input_tokens", "output_tokens", "cost")]
        table.add_row(str(one.day), escape(one.model or "all models"), *cells, ", ".join(one.differs) or "nothing")
    print_table(out, table)


def _both(one: Compared, name: str) -> str:
    return f"{_shown(one.ours, name)} / {_shown(one.theirs, name)}"


def _shown(counted: Counted | None, name: str) -> str:
    value = getattr(counted, name) if counted else None
    if value is None:
        return "–"
    return dollars(value) if isinstance(value, Decimal) else f"{value:,}"
