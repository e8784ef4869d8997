"""What narrows a list of models, and the order that they come in."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bot.costs.prices import PriceBook
from bot.domain import Rates
from bot.errors import ModelNotFound, UnusableFilter
from bot.models.cards import ModelCard
from bot.models.catalogue import load_catalogue
from bot.models.filters import HELP, parse_filters
from bot.models.listing import Shown, in_order, openness, plain, price, window
from bot.models.registry import Need

CATALOGUE = load_catalogue()
PRICES = PriceBook()
ENTRIES = [
    Shown(card, PRICES.rates(card.provider, card.model_id, free=card.free), True, None, CATALOGUE.deployment(card))
    for card in CATALOGUE.cards
]


def names(words: str) -> set[str]:
    return {entry.card.name for entry in parse_filters(words, CATALOGUE.providers).sort_out(ENTRIES).fitting}


@pytest.mark.parametrize(
    ("words", "there", "not_there"),
    [
        ("task:text", {"gpt-6-luna", "bloom", "offline"}, {"starcoder2-15b", "bge-m3", "gpt-transcribe"}),
        ("task:chat", {"gpt-6-luna"}, {"bge-m3"}),
        ("task:vision", {"gpt-6-luna", "gemma-3-27b"}, {"phi-4", "gpt-image-2.5-flare"}),
        ("task:code", {"starcoder2-15b", "codestral", "qwen3-coder-480b"}, {"gpt-6-luna"}),
        ("task:image,transcription", {"gpt-image-2.5-flare", "gpt-transcribe"}, {"gpt-6-luna"}),
        ("open:yes", {"llama-3.1-8b", "bloom"}, {"gpt-6-luna", "grok-4.7"}),
        ("open:no", {"gpt-6-luna"}, {"llama-3.1-8b", "grok-4.7"}),
        ("open:5", {"olmo-2-13b", "bloom"}, {"llama-3.1-8b", "starcoder2-15b"}),
        ("open:4", {"olmo-2-13b", "starcoder2-15b"}, {"llama-3.1-8b"}),
        ("max_price:0.5", {"gpt-6-luna", "offline"}, {"gpt-4.1-mini", "gpt-6.1-sol", "llama-3.1-8b"}),
        ("max_price:$1.60", {"gpt-4.1-mini"}, {"gpt-6.1-terra"}),
        ("context:128k", {"llama-3.3-70b", "gpt-6-luna"}, {"phi-4", "bge-m3"}),
        ("context:1m", {"gpt-6-luna", "claude-haiku"}, {"llama-3.3-70b"}),
        ("context:16384", {"phi-4"}, {"aya-expanse-8b"}),
        ("languages:nl", {"granite-3.1-8b", "eurollm-9b"}, {"llama-3.3-70b", "gemma-3-27b"}),
        ("LANG:Dutch,maltese", {"eurollm-9b"}, {"granite-3.1-8b"}),
        ("reads:image,audio", {"gemini-flash"}, {"gpt-6-luna"}),
        ("provider:mistral", {"mistral-small"}, {"mistral-7b"}),
        ("deployment:serverless", {"groq-llama-3.3-70b"}, {"gpt-6-luna", "llama-3.3-70b"}),
        ("deployment:own", {"bge-m3", "llama-3.3-70b"}, {"gpt-6-luna"}),
        ("architecture:moe", {"mixtral-8x7b"}, {"mistral-7b", "gpt-6-luna"}),
        ("license:apache", {"mistral-7b", "offline"}, {"llama-3.3-70b"}),
        ("tunable:yes", {"llama-3.3-70b"}, {"gpt-6-luna", "gpt-6.1-sol"}),
        ("tunable:no", {"gpt-6-luna"}, {"llama-3.3-70b", "gpt-6.1-sol"}),
        ("usable:yes LLAMA", {"llama-3.3-70b", "groq-llama-3.3-70b"}, {"gpt-6-luna"}),
        ("task:text open:yes max_price:1 context:128k", {"groq-llama-3.3-70b"}, {"llama-3.3-70b", "gpt-6-luna"}),
    ],
)
def test_the_words_keep_what_fits(words: str, there: set[str], not_there: set[str]) -> None:
    fitting = names(words)
    assert there <= fitting
    assert not fitting & not_there


def test_what_is_not_known_is_counted_and_neither_kept_nor_taken_for_a_no() -> None:
    known = ModelCard(name="known", provider="p", context_window=9000, languages=("nl",), licence="MIT")
    dumb = ModelCard(name="dumb", provider="p", context_window=9000, licence="MIT")
    other = ModelCard(name="other", provider="p", context_window=100, licence="MIT")
    found = parse_filters("languages:nl licence:mit context:8k", ()).sort_out(
        [Shown(card, None, True) for card in (known, dumb, other)]
    )
    assert [entry.card.name for entry in found.fitting] == ["known"]
    assert found.unknown == {"languages": 1}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("opne:yes", "I cannot filter models by “opne”. Did you mean “open”? There are: task, open, max_price"),
        ("task:viison", "“task:viison” means nothing here. Did you mean “vision”? There are: text, vision"),
        ("task:,", "“task:,” means nothing here"),
        ("open:6", "a number from 1 to 5"),
        ("max_price:cheap", "“cheap” is no price"),
        ("max_price:-1", "“-1” is no price"),
        ("context:big", "“big” is no size"),
        ("languages:klingon", "I know no language “klingon”"),
        ("languages:duch", "Did you mean “dutch”?"),
        ("provider:mistrall", "Did you mean “mistral”?"),
        ("tunable:perhaps", "There are: yes, true, no, false."),
        ("task:", "Write what “task” should be"),
    ],
)
def test_a_word_that_means_nothing_gets_the_nearest_and_all_there_are(words: str, said: str) -> None:
    with pytest.raises(UnusableFilter) as caught:
        parse_filters(words, CATALOGUE.providers)
    assert said in str(caught.value)


def test_the_help_names_every_filter_and_which_price_is_meant() -> None:
    with pytest.raises(UnusableFilter) as caught:
        parse_filters("nothing:1", ())
    keys = str(caught.value).partition("There are: ")[2].removesuffix(".").split(", ")
    assert len(keys) == 12
    for key in keys:
        assert f"`{key}:" in HELP
    assert "whichever of input and output is dearer" in HELP


def test_the_usable_come_first_and_an_open_model_once_where_it_runs() -> None:
    lacking = {kind: Need(kind, "x", ModelNotFound("x")) for kind in ("key", "server", "gone")}

    def entry(name: str, kind: str | None = None, like: str = "", provider: str = "p") -> Shown:
        card = ModelCard(name=name, provider=provider, context_window=9, like=like)
        return Shown(card, None, kind is None, lacking[kind] if kind else None)

    listed = [
        entry("gone", "gone"),
        entry("open", "server", provider="own"),
        entry("other-open", "server", provider="own"),
        entry("hosted", "key", like="other-open"),
        entry("here", like="open"),
        entry("also"),
    ]
    assert [one.card.name for one in in_order(listed)] == ["here", "also", "hosted", "other-open", "gone"]


def test_prices_windows_and_openness_are_worded_and_what_is_unknown_says_so() -> None:
    card = ModelCard(name="m", provider="p", context_window=9)
    rates = Rates(input=Decimal("0.10"), output=Decimal("2.000"))
    assert price(Shown(card, rates, True)) == "$0.10 / $2"
    assert price(Shown(card, None, True)) == "unknown"
    assert price(Shown(card.model_copy(update={"free": True}), None, True)) == "free"
    assert [window(tokens) for tokens in (0, 512, 131_072, 1_050_000)] == ["unknown", "512", "131k", "1.05M"]
    assert [plain(Decimal(text)) for text in ("0.075", "0.5", "10")] == ["0.075", "0.50", "10"]
    assert openness(card) == "unknown"
    assert openness(CATALOGUE.get("olmo-2-13b")) == "5/5"
    assert openness(CATALOGUE.get("llama-3.3-70b")) == "1/5?"
