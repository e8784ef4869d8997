"""The catalogue: the cards of all models and the servers that run them, shipped and extended by the user's own file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.config import ExchangeRate
from bot.errors import ConfigError, UnknownModel
from bot.models.card_files import SHIPPED, checked, likened, merged, named, own_tables, shipped_tables
from bot.models.cards import ModelCard
from bot.models.clashes import refuse_clashes

OFFLINE = "offline"
OWN = "own"
"""The provider of open models that no server is known for yet."""

_THE_SERVERS_OWN = ("context_window", "summary")
Deployment = Literal["hosted service", "serverless endpoint", "own server"]
LONGEST_NAME = 100
"""So many characters of a name that nobody has are compared with those that there are."""


class Provider(BaseModel):
    """A server that speaks OpenAI's protocol.

    `base_url` empty: the user has to name it (Azure). `api_key_env`: the environment variable of its key, None where it
    wants none. `deployment`: the maker's own service, an endpoint that runs models of others on demand, or a server of
    the team's; None where nobody said. `deployments`: its ids are names that the team gave, which say nothing of the
    model. `local`: runs on this machine or in this network. `discover`: it is asked for its models at the start.
    `stream_usage`: it accepts `stream_options`. `output_limit`: what it calls the limit of the answer's length.
    `list_headers`: sent instead of a bearer token when its models are listed; "{key}" stands for the key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = ""
    base_url: str = ""
    api_key_env: str | None = None
    keys_at: str = ""
    deployment: Deployment | None = None
    deployments: bool = False
    local: bool = False
    discover: bool = False
    stream_usage: bool = True
    output_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    list_headers: dict[str, str] = Field(default_factory=dict)

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name

    @property
    def stays_here(self) -> bool:
        """Whether what it is asked stays on this machine, or in this network where its owner says `local = true`.

        An address on this machine is believed as it is; one that is public is never local, whatever is said of it.
        """
        if self.name == OFFLINE:
            return True
        host = urlsplit(self.base_url).hostname or ""
        if host == "localhost":
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return self.local and bool(host)
        return address.is_loopback or (self.local and address.is_private)


class Catalogue:
    """All cards in their order of preference, and their providers by name."""

    def __init__(self, cards: Iterable[ModelCard], providers: Iterable[Provider]) -> None:
        self.cards = tuple(cards)
        self.providers = {provider.name: provider for provider in providers}
        self._by_name = {card.name.casefold(): card for card in self.cards}
        self._by_id: dict[str, ModelCard] = {}
        for card in sorted(self.cards, key=lambda card: card.provider == OWN):
            self._by_id.setdefault(card.model_id.casefold(), card)
        for card in self.cards:
            if card.provider not in self.providers:
                known = ", ".join(self.providers)
                raise ConfigError(
                    f"The model “{card.name}” names the provider “{card.provider}”, which is not there. Known: {known}."
                )

    def get(self, name: str) -> ModelCard:
        """The card with this name or server-side id, whatever its case. Raises UnknownModel with the three nearest."""
        wanted = name.strip().casefold()
        card = self._by_name.get(wanted) or self._by_id.get(wanted)
        if card is None:
            raise UnknownModel(name.strip(), self._nearest(wanted))
        return card

    def with_found(self, cards: Iterable[ModelCard]) -> Catalogue:
        """This catalogue and behind it those `cards`, which servers list, that it does not have.

        A card that is known from elsewhere takes its facts from there. One whose name another model has is named with
        its server.
        """
        new: dict[str, ModelCard] = {}
        have = {(card.provider, card.model_id.casefold()) for card in self.cards}
        for card in cards:
            there = self._by_name.get(card.name.casefold())
            if (card.provider, card.model_id.casefold()) in have or (there and there.provider == card.provider):
                continue
            update = self._known_facts(card)
            if there or card.name.casefold() in {*self._by_id, *new}:
                update["name"] = f"{card.provider}/{card.name}"
            found = card.model_copy(update=update)
            if found.name.casefold() not in {*self._by_name, *new}:
                new[found.name.casefold()] = found
        return Catalogue([*self.cards, *new.values()], self.providers.values())

    def with_shutdowns(self, told: Mapping[str, date]) -> Catalogue:
        """This catalogue with the shutdown dates that servers told, by the cards' names; theirs are newer than ours."""
        cards = [
            card.model_copy(update={"shutdown": told[card.name]}) if card.name in told else card for card in self.cards
        ]
        return Catalogue(cards, self.providers.values())

    def endpoints(self, keys: Mapping[str, SecretStr]) -> tuple[tuple[Provider, SecretStr | None], ...]:
        """Every server that can be asked for its models, with its key; those on this machine where they are in use."""
        used = {card.provider for card in self.cards}
        return tuple(
            (provider, keys.get(provider.name))
            for provider in self.providers.values()
            if provider.base_url
            and (provider.api_key_env is None or provider.name in keys)
            and (provider.discover or provider.name in used)
        )

    def deployment(self, card: ModelCard) -> Deployment | None:
        """How the model is run: by its maker, at an endpoint that runs it on demand, or on a server of the team's."""
        provider = self.providers[card.provider]
        return provider.deployment or ("own server" if provider.local else None)

    def _known_facts(self, found: ModelCard) -> dict[str, object]:
        """What the open model of that id is known to be; not its window, which a server sets as it likes."""
        wanted = found.model_id.casefold().removesuffix(":latest")
        for card in self.cards:
            pulled = card.ollama.casefold()
            same = wanted in {pulled, card.model_id.casefold()} or (pulled and wanted.startswith(f"{pulled}-"))
            if card.provider == OWN and same:
                kept = {name: fact for name, fact in card.facts().items() if name not in _THE_SERVERS_OWN}
                return {**kept, "like": card.name}
        return {}

    def _nearest(self, wanted: str) -> tuple[str, ...]:
        wanted = wanted[:LONGEST_NAME]  # comparing takes time by the product of both lengths

        def likeness(card: ModelCard) -> float:
            names = [name.casefold() for name in (card.name, card.model_id, card.title) if name]
            alike = max(difflib.SequenceMatcher(None, wanted, name).ratio() for name in names)
            part = any(wanted in name for name in names)  # "luna" means gpt-6-luna, not "llama"
            return alike + 0.5 * part - 0.4 * (card.provider == OWN)  # what somebody runs comes before what nobody does

        return tuple(card.name for card in sorted(self.cards, key=likeness, reverse=True)[:3])


def load_catalogue(extra: Path | None = None, currencies: Mapping[str, ExchangeRate] | None = None) -> Catalogue:
    """The shipped catalogue; with `extra`, a TOML file of the same form, the user's own models come before it.

    Where the user's file has a model or provider of the same name, only the fields that it states are changed.
    `currencies`: what others than the US dollar are worth. Raises ConfigError where a file cannot be read or holds what
    is no card, a name that stands for two models, or rates in a currency that is not there.
    """
    shipped, where = shipped_tables(), SHIPPED
    own = own_tables(extra) if extra is not None else {}
    if extra is not None:
        where = str(extra)
    providers = merged(named(own, "providers", where), named(shipped, "providers", SHIPPED))
    models = merged(named(own, "models", where), named(shipped, "models", SHIPPED))
    cards = [checked(ModelCard, table, where) for table in likened(models, providers, where).values()]
    catalogue = Catalogue(
        [_exchanged(card, currencies or {}) for card in cards],
        [checked(Provider, table, where) for table in providers.values()],
    )
    if catalogue.providers[OWN].base_url:
        raise ConfigError(f"In {where}, the provider “{OWN}” stands for no server yet: give yours a name of its own.")
    refuse_clashes(catalogue.cards, {one.name for one in catalogue.providers.values() if one.deployments})
    return catalogue


def _exchanged(card: ModelCard, currencies: Mapping[str, ExchangeRate]) -> ModelCard:
    if card.rates is None:
        return card
    return card.model_copy(update={"rates": card.rates.exchanged(currencies, card.name)})
