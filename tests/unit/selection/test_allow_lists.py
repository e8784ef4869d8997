from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.errors import UnknownModel, UnusableWords
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE, Catalogue, Provider, load_catalogue
from bot.selection.allow_lists import AllowList, parsed

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
OFFLINE_CARD = load_catalogue().get(OFFLINE)


def card(name: str, provider: str = "house", **fields: object) -> ModelCard:
    return ModelCard.model_validate({"name": name, "provider": provider, "context_window": 8000, **fields})


CATALOGUE = Catalogue(
    [
        card("gpt-x", "openai", openness={"weights": False}),
        card("llama3.2:3b", "ollama", openness={"weights": True}),
        card("mistral-s"),
        OFFLINE_CARD,
    ],
    [Provider(name=name, base_url="http://127.0.0.1:9") for name in ("openai", "ollama", "house", OFFLINE)],
)


@pytest.mark.parametrize(
    ("words", "entries"),
    [
        (["GPT-X", "gpt-x"], ("gpt-x",)),
        (["llama3.2:3b"], ("llama3.2:3b",)),
        (["provider:OLLAMA", "open:NO"], ("provider:ollama", "open:no")),
    ],
)
def test_what_is_typed_is_kept_by_the_names_of_cards_and_providers(words: list[str], entries: tuple[str, ...]) -> None:
    assert parsed(words, CATALOGUE) == entries


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("gtp-x", r"There is no model called “gtp-x”\. Did you mean gpt-x"),
        ("provider:olama", r"There is no provider “olama”\. Did you mean provider:ollama\? There are: house, offline"),
        ("provider:zzz", r"There is no provider “zzz”\. There are: house"),
        ("open:maybe", r"“open:maybe” says neither yes nor no\. Write `open:yes` or `open:no`"),
    ],
)
def test_what_cannot_be_meant_gets_the_nearest_that_can(word: str, sentence: str) -> None:
    with pytest.raises((UnknownModel, UnusableWords), match=sentence):
        parsed(["gpt-x", word], CATALOGUE)


@pytest.mark.parametrize(
    ("entries", "allowed"),
    [
        (("gpt-x",), {"gpt-x"}),
        (("provider:ollama",), {"llama3.2:3b"}),
        (("open:yes", "mistral-s"), {"llama3.2:3b", "mistral-s"}),
        (("open:no",), {"gpt-x"}),
        (("gone",), set()),
    ],
)
def test_one_entry_that_fits_is_enough_and_the_offline_model_may_always_answer(
    entries: tuple[str, ...], allowed: set[str]
) -> None:
    rule = AllowList(scope="channel", entries=entries, by="U9", at=NOW)
    assert {one.name for one in CATALOGUE.cards if rule.allows(one)} == {*allowed, OFFLINE}
