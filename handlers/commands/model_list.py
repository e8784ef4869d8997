"""/model list and /model show: which models there are, narrowed down, and all that is known of one."""

from __future__ import annotations

from bot.core import Core
from bot.models.cards import ModelCard
from bot.models.filters import parse_filters
from bot.models.listing import Shown, in_order, shown
from handlers.blocks import model_card, model_list
from handlers.shapes import JSON


def show(core: Core, card: ModelCard) -> Shown:
    """The card with what it costs and what it lacks."""
    own = card.rates.rates() if card.rates else None
    rates = core.prices.rates(card.provider, card.model_id, rates=own, free=card.free)
    return shown(core.models, card, rates)


async def details(core: Core, name: str) -> tuple[str, list[JSON]]:
    """What follows `/model show`: a title and the whole card. Raises UnknownModel with the nearest names."""
    card = core.models.card(name)
    votes = (await core.comparisons.preferences()).get(card.name)
    return card.title or card.name, model_card.details(show(core, card), core.prices.version, votes)


def listing(core: Core, words: str, pinned: str) -> list[JSON]:
    """What follows `/model list`. `pinned` says what answers now. Raises UnusableFilter with the way out."""
    catalogue = core.models.catalogue
    filters = parse_filters(words, catalogue.providers)
    entries = in_order(show(core, card) for card in catalogue.cards)
    # Without filters: what a question can be put to.
    found = (filters or parse_filters("task:text", ())).sort_out(entries)
    titles = {name: provider.label for name, provider in catalogue.providers.items()}
    return model_list.listing(found, filters, pinned, titles)
