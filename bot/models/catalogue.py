"""The catalogue: the cards of all models and the servers that run them, shipped and extended by the user's own file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.config import ExchangeRate
from bot.errors import ConfigError, UnknownModel
from bot.models.cards import ModelCard

OFFLINE = "offline"

_Entry = TypeVar("_Entry", bound=BaseModel)
_Tables = dict[str, dict[str, Any]]


class Provider(BaseModel):
    """A server that speaks OpenAI's protocol.

    `base_url` empty: the user has to name it (Azure). `api_key_env`: the environment variable of its key, None where it
    wants none. `local`: runs on this machine or in this network. `discover`: it is asked for its models at the start.
    `stream_usage`: it accepts `stream_options`. `output_limit`: what it calls the limit of the answer's length.
    `list_headers`: sent instead of a bearer token when its models are listed; "{key}" stands for the key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = ""
    base_url: str = ""
    api_key_env: str | None = None
    keys_at: str = ""
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
        self._by_id = {card.model_id.casefold(): card for card in reversed(self.cards)}
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
        """This catalogue and those `cards` whose names are new, behind the others."""
        new = [card for card in cards if card.name.casefold() not in self._by_name]
        return Catalogue([*self.cards, *new], self.providers.values())

    def _nearest(self, wanted: str) -> tuple[str, ...]:
        def likeness(card: ModelCard) -> float:
            names = [name.casefold() for name in (card.name, card.model_id, card.title) if name]
            alike = max(difflib.SequenceMatcher(None, wanted, name).ratio() for name in names)
            return alike + 0.5 * any(wanted in name for name in names)  # "luna" means gpt-6-luna, not "llama"

        return tuple(card.name for card in sorted(self.cards, key=likeness, reverse=True)[:3])


def load_catalogue(extra: Path | None = None, currencies: Mapping[str, ExchangeRate] | None = None) -> Catalogue:
    """The shipped catalogue; with `extra`, a TOML file of the same form, the user's own models come before it.

    Where the user's file has a model or provider of the same name, only the fields that it states are changed.
    `currencies`: what others than the US dollar are worth. Raises ConfigError where a file cannot be read, holds what
    is no card, or states rates in a currency that is not there.
    """
    shipped = tomllib.loads(resources.files("bot.models").joinpath("cards.toml").read_text("utf-8"))
    own = _read(extra) if extra is not None else {}
    where = str(extra) if extra is not None else "cards.toml"
    models = _merged(_named(own, "models", where), _named(shipped, "models", where))
    providers = _merged(_named(own, "providers", where), _named(shipped, "providers", where))
    cards = [_checked(ModelCard, table, where) for table in models.values()]
    return Catalogue(
        [_exchanged(card, currencies or {}) for card in cards],
        [_checked(Provider, table, where) for table in providers.values()],
    )


def _exchanged(card: ModelCard, currencies: Mapping[str, ExchangeRate]) -> ModelCard:
    if card.rates is None:
        return card
    return card.model_copy(update={"rates": card.rates.exchanged(currencies, card.name)})


def _read(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The models file {path} cannot be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The models file {path} is not valid TOML: {error}.") from error
    if unknown := sorted(set(tables) - {"models", "providers"}):
        raise ConfigError(f"The models file {path} has “{unknown[0]}”; it may have [[models]] and [[providers]] alone.")
    return tables


def _named(tables: dict[str, Any], kind: str, where: str) -> _Tables:
    entries = tables.get(kind, [])
    if not isinstance(entries, list):
        raise ConfigError(f"In {where}, write [[{kind}]] with two brackets, one such heading for each entry.")
    for entry in entries:
        if not isinstance(entry.get("name"), str):
            raise ConfigError(f"In {where}, an entry under [[{kind}]] has no name.")
    return {entry["name"]: entry for entry in entries}


def _merged(own: _Tables, shipped: _Tables) -> _Tables:
    """Own entries first, each completed by the shipped one of its name; then the other shipped ones."""
    return {name: {**shipped.get(name, {}), **own.get(name, {})} for name in [*own, *shipped]}


def _checked(kind: type[_Entry], table: dict[str, Any], where: str) -> _Entry:
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        # A name that was mistyped is named before the field that is missing because of it.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        field = ".".join(str(part) for part in first["loc"] if part != "dated" and not isinstance(part, int))
        if first["type"] == "extra_forbidden":
            known = difflib.get_close_matches(field, kind.model_fields, n=1)
            problem = "is not a known field" + (f"; did you mean “{known[0]}”?" if known else ".")
        else:
            problem = f"is wrong: {first['msg']}."
        raise ConfigError(f"In {where}, “{field}” of “{table['name']}” {problem}") from error
