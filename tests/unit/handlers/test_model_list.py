"""The list of models and their cards, as Slack takes them."""

from __future__ import annotations

from datetime import date

from bot.costs.prices import PriceBook
from bot.errors import ModelUnauthorized
from bot.models.cards import ModelCard
from bot.models.catalogue import load_catalogue
from bot.models.filters import parse_filters
from bot.models.listing import Shown, in_order
from bot.models.registry import Need
from deploy.workspace.limits import check_message_blocks
from handlers.blocks import model_card, model_list
from handlers.shapes import JSON

CATALOGUE = load_catalogue()
TITLES = {name: provider.label for name, provider in CATALOGUE.providers.items()}
KEY = Need("key", "HOUSE_KEY", ModelUnauthorized("“dear” needs a key for House: set HOUSE_KEY."))


def entries(count: int, need: Need | None = None) -> list[Shown]:
    cards = [ModelCard(name=f"model-{n}" + "x" * 190, provider="p", context_window=8192) for n in range(count)]
    return [Shown(card, None, need is None, need) for card in cards]


def listed(all_of_them: list[Shown], words: str) -> list[JSON]:
    filters = parse_filters(words, CATALOGUE.providers)
    found = (filters or parse_filters("task:text", ())).sort_out(in_order(all_of_them))
    return model_list.listing(found, filters, "Now each question gets the cheapest good model.", TITLES)


def rows(blocks: list[JSON]) -> list[list[str]]:
    table = next(block for block in blocks if block["type"] == "table")
    return [[cell["text"] for cell in row] for row in table["rows"]]


def test_the_list_shows_what_can_be_used_and_names_the_rest_by_what_it_needs() -> None:
    card = ModelCard(name="here", provider="openai", context_window=128_000, shutdown=date(2027, 1, 14))
    hosted = ModelCard(name="dear", provider="openai", context_window=9000)
    blocks = listed([Shown(hosted, None, False, KEY), Shown(card, None, True)], "")
    check_message_blocks(blocks)
    assert rows(blocks)[1:] == [["here", "unknown", "128k", "unknown", "unknown", "OpenAI until 2027-01-14"]]
    assert "With a key for OpenAI (HOUSE_KEY): dear" in str(blocks)
    assert "max_price:1" in str(blocks)


def test_a_narrowed_list_shows_all_that_fit_with_what_each_lacks() -> None:
    hosted = ModelCard(name="dear", provider="openai", context_window=9000)
    tiny = ModelCard(name="tiny", provider="openai", context_window=900)
    blocks = listed([Shown(hosted, None, False, KEY), Shown(tiny, None, True)], "context:8k")
    assert [row[0] for row in rows(blocks)[1:]] == ["dear"]
    assert rows(blocks)[1][-1] == "needs HOUSE_KEY"
    assert "*1 model* for `context:8k`, none of them ready to use" in str(blocks)


def test_where_nothing_fits_it_is_said_with_what_is_not_known_and_what_can_be_asked() -> None:
    card = ModelCard(name="dumb", provider="openai", context_window=9000)
    blocks = listed([Shown(card, None, True)], "languages:nl")
    assert "No model is known to fit `languages:nl`." in str(blocks)
    assert "Left out because it is not known: the languages of 1." in str(blocks)
    assert "open:3" in str(blocks)
    check_message_blocks(blocks)


def test_lists_of_any_length_are_taken_by_slack() -> None:
    for words in ("", "context:1k"):
        check_message_blocks(listed([*entries(300), *entries(300, KEY)], words))
    assert len(rows(listed(entries(300), ""))) == 26


def test_every_shipped_card_is_shown_whole_with_its_sources_and_what_is_unknown() -> None:
    prices = PriceBook()
    for card in CATALOGUE.cards:
        rates = prices.rates(card.provider, card.model_id, free=card.free)
        blocks = model_card.details(Shown(card, rates, True), prices.version)
        check_message_blocks(blocks)
        shown = str(blocks)
        for fact in ("Price", "Languages", "Licence", "Architecture", "Can be fine-tuned", "Our own scores"):
            assert f"*{fact}:*" in shown, card.name
        assert (card.url in shown) is True
    whole = str(model_card.details(Shown(CATALOGUE.get("starcoder2-15b"), None, False, KEY)))
    assert "<https://huggingface.co/bigcode/starcoder2-15b|HumanEval, pass@1> 46.3 (2026-11-21)" in whole
    assert "training data ✓ · weights ✓" in whole
    assert "unknown: training statistics" in whole
    assert "“dear” needs a key for House" in whole
    assert "/model use" not in whole  # it does not chat
    mini = CATALOGUE.get("gpt-4.1-mini")
    told = str(model_card.details(Shown(mini, prices.rates("openai", mini.model_id), True), prices.version))
    assert "2027-01-14; gpt-6-luna is recommended instead" in told
    assert "(genai-prices" in told
