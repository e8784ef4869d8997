"""All models that can be called now, and the way out where one cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from bot.errors import ModelError, ModelNotFound, ModelUnauthorized, UnknownModel
from bot.models.base import Model
from bot.models.breakers import Breakers
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE, OWN, Catalogue, Provider
from bot.models.offline import OfflineModel
from bot.models.watched import Watched
from knowledge.embedding.base import Embedder

# OpenAI's library takes half a second to load, which a start without hosted models need not wait for: what uses it is
# imported where it is first needed.
if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from bot.models.client import Timeouts
    from bot.models.drawing import DrawingModel
    from bot.models.embeddings import EmbeddingModel
    from bot.models.transcription import TranscriptionModel

_DOES = {"transcription": "writes down what is said", "image": "draws"}
_SETTING = {"transcription": "models.transcription", "image": "models.image"}


@dataclass(frozen=True, slots=True)
class Need:
    """What a model lacks: a key, a server, or days to live; `words` say it in short: "OPENAI_API_KEY", "a server"."""

    kind: Literal["key", "server", "gone"]
    words: str
    error: ModelError


class Models:
    """The catalogue with keys: which models can be called now, and the models themselves.

    `keys` by the name of their provider. `default` names the model that answers where nobody chose; "auto" is the first
    usable one of the catalogue. `breakers` are told how every try ends. Close it when done.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        keys: Mapping[str, SecretStr],
        embedder: Embedder,
        default: str = "auto",
        timeouts: Timeouts | None = None,
        today: Callable[[], date] = date.today,
        breakers: Breakers | None = None,
    ) -> None:
        self.breakers = breakers or Breakers()
        self._stated = self._catalogue = catalogue
        self._found: tuple[ModelCard, ...] = ()
        self._tuned: Mapping[str, ModelCard] = {}
        self._retired: Mapping[str, ModelCard] = {}
        self._told: Mapping[str, date] = {}
        self._keys = dict(keys)
        self._embedder = embedder
        self._default = default
        self._timeouts = timeouts
        self._today = today
        self._models: dict[str, Model] = {}
        self._clients: dict[str, AsyncOpenAI] = {}

    @property
    def catalogue(self) -> Catalogue:
        """All cards, with those that were tuned here and those that were discovered."""
        return self._catalogue

    @property
    def stated(self) -> Catalogue:
        """The cards of the files alone."""
        return self._stated

    def card(self, name: str) -> ModelCard:
        """The card of that name, also of a model that was retired since the start: answers that were begun with it ask
        for it. Raises UnknownModel with the three nearest."""
        try:
            return self._catalogue.get(name)
        except UnknownModel:
            retired = self._retired.get(name.strip().casefold())
            if retired is None:
                raise
            return retired

    def usable(self) -> tuple[ModelCard, ...]:
        """The chat models that can be called now, in the catalogue's order; the offline model last."""
        cards = [card for card in self._catalogue.cards if card.task == "chat" and self.needs(card) is None]
        return tuple(sorted(cards, key=lambda card: card.provider == OFFLINE))

    def stays_here(self, card: ModelCard) -> bool:
        """Whether what the model is asked does not leave this machine, as its provider is configured."""
        return self._catalogue.providers[card.provider].stays_here

    @property
    def default(self) -> ModelCard:
        """The model that answers where nobody chose: the configured one where it is usable, else the first usable."""
        usable = self.usable()
        if self._default != "auto":
            wanted = self.card(self._default)
            if wanted in usable:
                return wanted
        return usable[0]

    def model(self, name: str) -> Model:
        """The model of that name or id. Raises UnknownModel, or the ModelError that says why it cannot be called."""
        card = self.card(name)
        if need := self.needs(card):
            raise need.error
        if card.name not in self._models:
            self._models[card.name] = self._made(card)
        return self._models[card.name]

    def embedding(self, name: str) -> EmbeddingModel:
        """The embedding model of that name. Raises UnknownModel, or the ModelError that says why it cannot be used."""
        from bot.models.embeddings import EmbeddingModel

        card = self.card(name)
        if card.task != "embedding":
            there = ", ".join(one.name for one in self._catalogue.cards if one.task == "embedding")
            raise ModelNotFound(f"“{card.name}” is no embedding model. There are: {there}.")
        if need := self.needs(card):
            raise need.error
        provider = self._catalogue.providers[card.provider]
        return EmbeddingModel(card, provider, self._client(provider))

    def transcription(self, name: str = "auto", *, here: bool = False) -> TranscriptionModel:
        """The model that writes down what is said: the one of that name, or with "auto" the first that can be called.

        `here`: one that runs on this machine. Raises UnknownModel, or the ModelError that says why there is none.
        """
        from bot.models.transcription import TranscriptionModel

        card = self._that_does("transcription", name, here)
        provider = self._catalogue.providers[card.provider]
        return TranscriptionModel(card, provider, self._client(provider))

    def drawing(self, name: str = "auto", *, here: bool = False) -> DrawingModel:
        """The model that draws, found and refused as `transcription` does it."""
        from bot.models.drawing import DrawingModel

        card = self._that_does("image", name, here)
        provider = self._catalogue.providers[card.provider]
        return DrawingModel(card, provider, self._client(provider))

    def _that_does(self, task: str, name: str, here: bool) -> ModelCard:
        cards = [card for card in self._catalogue.cards if card.task == task]
        if name != "auto":
            card = self.card(name)
            if card not in cards:
                there = ", ".join(one.name for one in cards) or "none"
                raise ModelNotFound(f"“{card.name}” is no model that {_DOES[task]}. There are: {there}.")
            if need := self.needs(card):
                raise need.error
            return card
        usable = [card for card in cards if self.needs(card) is None and (self.stays_here(card) or not here)]
        if usable:
            return usable[0]
        where = " on this machine" if here else ""
        keys = dict.fromkeys(self._catalogue.providers[card.provider].api_key_env for card in cards)
        named = " or ".join(key for key in keys if key)
        how = f"An admin can set {named}, or" if named and not here else "An admin can"
        raise ModelNotFound(
            f"There is no model{where} that {_DOES[task]}. {how} add one to the file that models.cards names, and "
            f"choose it with {_SETTING[task]}."
        )

    async def discover(self) -> tuple[ModelCard, ...]:
        """Asks the local servers for their models and adds the cards. Nothing there: adds none, and raises nothing."""
        from bot.models.discovery import discover

        wanted = [provider for provider in self._catalogue.providers.values() if provider.discover]
        results = await asyncio.gather(*(discover(one, self._key(one), self._limits()) for one in wanted))
        cards = tuple(card for found in results for card in found)
        self._found = (*self._found, *cards)
        self._renew()
        return cards

    async def ping_all(self) -> list[tuple[str, bool, str]]:
        """For each provider with a usable model: its name, whether it answers, and a sentence that says so."""
        first: dict[str, ModelCard] = {}
        for card in self.usable():
            first.setdefault(card.provider, card)
        return list(await asyncio.gather(*(self._ping(card) for card in first.values())))

    async def close(self) -> None:
        """Closes all connections."""
        clients, self._clients, self._models = list(self._clients.values()), {}, {}
        await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)

    async def _ping(self, card: ModelCard) -> tuple[str, bool, str]:
        provider = self._catalogue.providers[card.provider]
        try:
            await self.model(card.name).ping()
        except ModelError as error:
            return provider.name, False, str(error)
        if card.provider == OFFLINE:
            return provider.name, True, "The offline model is ready."
        return provider.name, True, f"{provider.label} answers at {provider.base_url.rstrip('/')}."

    def needs(self, card: ModelCard) -> Need | None:
        """What keeps the model from being called now, None where nothing does."""
        provider = self._catalogue.providers[card.provider]
        if self._retired.get(card.name.casefold()) == card:
            said = f"“{card.name}” was retired. `/model list` shows the models that answer."
            return Need("gone", "retired", ModelNotFound(said))
        if card.shutdown is not None and card.shutdown <= self._today():
            instead = f" “{card.successor}” is recommended instead." if card.successor else ""
            said = f"“{card.name}” was shut down on {card.shutdown:%d %B %Y}.{instead} `/model list` shows the others."
            return Need("gone", f"shut down on {card.shutdown}", ModelNotFound(said))
        if provider.name == OFFLINE:
            return None
        if not provider.base_url:
            return Need("server", "a server", _without_server(card, provider))
        if provider.api_key_env is not None and self._key(provider) is None:
            at = f" Keys are made at {provider.keys_at}." if provider.keys_at else ""
            said = f"“{card.name}” needs a key for {provider.label}: set {provider.api_key_env} and start again.{at}"
            return Need("key", provider.api_key_env, ModelUnauthorized(said))
        return None

    def told_shutdowns(self, told: Mapping[str, date]) -> None:
        """Takes over the shutdown dates that servers tell now, by the cards' names, as if the cards stated them."""
        self._told = dict(told)
        self._renew()

    def told_tuned(self, cards: Iterable[ModelCard]) -> None:
        """Takes over the models that are registered now, which come before all others; one that is no more cannot be
        called from now on."""
        before, self._tuned = self._tuned, {card.name.casefold(): card for card in cards}
        gone = {**self._retired, **before}
        self._retired = {name: card for name, card in gone.items() if name not in self._tuned}
        self._renew()

    def endpoints(self) -> tuple[tuple[Provider, SecretStr | None], ...]:
        """Every server that can be asked for its models now, with its key."""
        return self._catalogue.endpoints(self._keys)

    def _renew(self) -> None:
        own = Catalogue([*self._tuned.values(), *self._stated.cards], self._stated.providers.values())
        self._catalogue = own.with_found(self._found).with_shutdowns(self._told)
        self._models = {}  # they hold their cards

    def _made(self, card: ModelCard) -> Model:
        if card.provider == OFFLINE:
            return OfflineModel(card, self._embedder)
        from bot.models.client import OpenAIModel

        provider, limits = self._catalogue.providers[card.provider], self._limits()
        client, key = self._client(provider), self._key(provider)
        model = OpenAIModel(card, provider, client, key=key, timeouts=limits)
        return Watched(model, self.breakers, patient=provider.local or card.thinking_tokens > 0)

    def _client(self, provider: Provider) -> AsyncOpenAI:
        from bot.models.client import open_client

        if provider.name not in self._clients:
            self._clients[provider.name] = open_client(provider, self._key(provider), self._limits())
        return self._clients[provider.name]

    def _key(self, provider: Provider) -> SecretStr | None:
        return self._keys.get(provider.name)

    def _limits(self) -> Timeouts:
        from bot.models.client import Timeouts

        return self._timeouts or Timeouts()


def _without_server(card: ModelCard, provider: Provider) -> ModelNotFound:
    if provider.name != OWN:
        return ModelNotFound(
            f"“{card.name}” has no server yet: state the base_url of the provider “{provider.name}” in the file "
            "that models.cards names."
        )
    pull = f"`ollama pull {card.ollama}` runs it on this machine, or " if card.ollama else ""
    return ModelNotFound(
        f"“{card.name}” needs a server: {pull}a card in the file that models.cards names says which server runs it "
        f'(`like = "{card.name}"` and its `provider`).'
    )
