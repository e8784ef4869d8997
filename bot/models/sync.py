"""Asks every server for its models, and says what is new, gone or about to be shut down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from bot.models.catalogue import Catalogue, Provider
from bot.models.endpoint_list import NoList, list_models
from bot.models.lifecycle import SOON, Difference, Lifecycle, Listed, Shutdown, listed_names


@dataclass(frozen=True, slots=True)
class EndpointNews:
    """What one server says. `problem`: the sentence that says why it gave no list, "" where it gave one.

    `new` and `gone` against its last list; `first`: it gave none before. `without_card`: listed, but in no card;
    `unlisted`: names of cards that its list lacks. `matters`: whether somebody should look at it.
    """

    provider: str
    label: str
    listed: int = 0
    first: bool = False
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    without_card: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    problem: str = ""
    matters: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """What all servers say, and the models of cards in use that ended or end soon, the nearest first."""

    endpoints: tuple[EndpointNews, ...]
    shutdowns: tuple[Shutdown, ...]

    @property
    def matters(self) -> bool:
        """Whether somebody should do something."""
        return bool(self.shutdowns) or any(one.matters for one in self.endpoints)


async def sync(
    catalogue: Catalogue,
    endpoints: Sequence[tuple[Provider, SecretStr | None]],
    lifecycle: Lifecycle,
    now: datetime,
) -> News:
    """Asks all `endpoints` at once and keeps their lists; one that gives none keeps its last list and is named."""
    answers = await asyncio.gather(*(_asked(provider, key) for provider, key in endpoints))
    news = [
        await _news(catalogue, provider, answer, lifecycle, now)
        for (provider, _), answer in zip(endpoints, answers, strict=True)
    ]
    asked = {provider.name for provider, _ in endpoints}
    in_use = {card.name for card in catalogue.cards if card.provider in asked}
    ends = (await lifecycle.shutdowns(catalogue)).values()
    soon = [end for end in ends if end.card in in_use and end.day <= (now + SOON).date()]
    return News(tuple(news), tuple(sorted(soon, key=lambda end: (end.day, end.card))))


async def _asked(provider: Provider, key: SecretStr | None) -> tuple[Listed, ...] | NoList:
    try:
        return await list_models(provider, key)
    except NoList as problem:
        return problem


async def _news(
    catalogue: Catalogue, provider: Provider, answer: tuple[Listed, ...] | NoList, lifecycle: Lifecycle, now: datetime
) -> EndpointNews:
    if isinstance(answer, NoList):
        # A server on this machine that was never there is only not in use.
        matters = not provider.discover or await lifecycle.knows(provider.name)
        return EndpointNews(provider.name, provider.label, problem=str(answer), matters=matters)
    difference = await lifecycle.note(provider.name, answer, now)
    return _compared(catalogue, provider, answer, difference)


def _compared(
    catalogue: Catalogue, provider: Provider, listed: Sequence[Listed], difference: Difference
) -> EndpointNews:
    cards = {card.name: listed_names(card) for card in catalogue.cards if card.provider == provider.name}
    names = {one.id for one in listed}
    known = frozenset[str]().union(*cards.values())
    # A list of deployments' models says nothing of the deployments; found models are cards as soon as they are listed.
    unlisted = [] if provider.deployments else [name for name, ids in cards.items() if not ids & names]
    without = () if provider.discover or provider.deployments else sorted(names - known)
    return EndpointNews(
        provider.name,
        provider.label,
        listed=len(names),
        first=difference.first,
        new=difference.new,
        gone=difference.gone,
        without_card=tuple(without),
        unlisted=tuple(unlisted),
        # Hosted servers answer to aliases that they do not list; what they listed once stands in the shutdowns.
        matters=bool(unlisted) and provider.local and not provider.discover,
    )
