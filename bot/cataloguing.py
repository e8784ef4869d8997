"""`switchboard models`: the list, one card, and what the servers say of their models."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.config import Settings
from bot.core import Core, open_core
from bot.models.cards import ModelCard
from bot.models.catalogue import load_catalogue
from bot.models.filters import HELP, parse_filters
from bot.models.lifecycle import Lifecycle
from bot.models.listing import Shown, in_order, making_of, openness, price, reads, runs, shown, use_of, window
from bot.models.sync import EndpointNews, News, sync
from bot.secrets import provider_keys
from bot.storage.engine import open_engine, upgrade

NAMES_SHOWN = 8


async def list_models(settings: Settings, words: str, out: Console, as_json: bool) -> None:
    """Prints the models that `words` ask for, those that can be used first. Raises UnusableFilter."""
    async with open_core(settings) as core:
        catalogue = core.models.catalogue
        filters = parse_filters(words, catalogue.providers)
        found = (filters or parse_filters("task:text", ())).sort_out(
            in_order(_shown(core, card) for card in catalogue.cards)
        )
        if as_json:
            out.print_json(json.dumps([_as_dict(entry) for entry in found.fitting], default=str, ensure_ascii=False))
            return
        table = Table(box=None, pad_edge=False)
        for title in ("model", "provider", "$ in / out per million", "window", "reads", "open", "usable"):
            table.add_column(title, overflow="fold")
        for entry in found.fitting:
            card = entry.card
            facts = (card.name, card.provider, price(entry), window(card.context_window), reads(card), openness(card))
            table.add_row(*facts, "[green]yes[/]" if entry.usable else escape(runs(entry, "")))
        out.print(table)
        for fact, number in found.unknown.items():
            out.print(f"[yellow]Left out because it is not known: the {fact} of {number}.[/]")
        if not filters or not found.fitting:
            out.print(f"\nNarrow it down with {escape(HELP.replace('`', ''))}.")
        out.print("`switchboard models NAME` shows a card, and what is missing to use that model.")


async def show_model(settings: Settings, name: str, out: Console, as_json: bool) -> None:
    """Prints one card with its sources. Raises UnknownModel with the nearest names."""
    async with open_core(settings) as core:
        entry = _shown(core, core.models.card(name))
        card = entry.card
        if as_json:
            out.print_json(json.dumps(_as_dict(entry), default=str, ensure_ascii=False))
            return
        out.print(f"[bold]{escape(card.name)}[/]  {escape(card.title)}")
        if card.summary:
            out.print(escape(card.summary))
        for fact, value in [*use_of(entry, core.prices.version), *making_of(card)]:
            out.print(f"[bold]{fact}[/]: {escape(value)}")
        for score in card.published:
            out.print(f"[bold]{escape(score.benchmark)}[/]: {score.value} ({score.date}, {escape(score.url)})")
        if card.url:
            out.print(f"[bold]Where the facts stand[/]: {escape(card.url)}")
        if entry.need:
            out.print(f"[yellow]{escape(str(entry.need.error))}[/]")


async def sync_models(settings: Settings, out: Console, as_json: bool) -> bool:
    """Asks every server for its models and prints the news; True where somebody should do something.

    It reads the cards and writes the database alone, so it works while the bot runs.
    """
    catalogue = load_catalogue(settings.models.cards)
    keys = provider_keys({name: provider.api_key_env for name, provider in catalogue.providers.items()})
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(settings.database_url)
    try:
        await upgrade(engine, "bot.storage:migrations", "alembic_version")
        news = await sync(catalogue, catalogue.endpoints(keys), Lifecycle(engine), datetime.now(UTC))
    finally:
        await engine.dispose()
    if as_json:
        out.print_json(json.dumps(dataclasses.asdict(news) | {"matters": news.matters}, default=str))
    else:
        _print_news(news, out)
    return news.matters


def _print_news(news: News, out: Console) -> None:
    if not news.endpoints:
        out.print("No server can be asked: set a provider's key, or start Ollama. docs/models.md lists them.")
    for one in news.endpoints:
        if one.problem:
            out.print(f"{'[red]✗[/]' if one.matters else '[yellow]·[/]'} [bold]{one.label}[/]  {escape(one.problem)}")
            continue
        out.print(f"[green]✓[/] [bold]{escape(one.label)}[/]  {_listed(one)}{_since(one)}")
        for words, names in (
            ("new", one.new),
            ("gone", one.gone),
            ("in no card", one.without_card),
            ("cards that its list lacks under their id", one.unlisted),
        ):
            if names:
                out.print(f"    {words}: {escape(_some(names))}")
    for end in news.shutdowns:
        instead = f" {end.successor} is recommended instead." if end.successor else ""
        out.print(f"[red]![/] [bold]{escape(end.card)}[/] ends on {end.day}, {escape(end.sentence)}.{escape(instead)}")
    if news.endpoints and not news.shutdowns:
        out.print("No model of yours ends within 90 days.")


def _listed(one: EndpointNews) -> str:
    return f"{one.listed} model{'' if one.listed == 1 else 's'}"


def _since(one: EndpointNews) -> str:
    if one.first:
        return ", asked for the first time"
    return "" if one.new or one.gone else ", the same as last time"


def _some(names: tuple[str, ...]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more (all with --json)" if more > 0 else "")


def _shown(core: Core, card: ModelCard) -> Shown:
    own = card.rates.rates() if card.rates else None
    return shown(core.models, card, core.prices.rates(card.provider, card.model_id, rates=own, free=card.free))


def _as_dict(entry: Shown) -> dict[str, object]:
    rates = dataclasses.asdict(entry.rates) if entry.rates else None
    state = {"rates": rates, "deployment": entry.deployment, "usable": entry.usable}
    return {**entry.card.model_dump(mode="json"), **state, "needs": entry.need.words if entry.need else None}
