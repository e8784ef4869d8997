from decimal import Decimal

import genai_prices
import pytest

from bot.costs.prices import PriceBook
from bot.domain import Rates, Usage

BOOK = PriceBook()


def usage(prompt: int = 0, completion: int = 0, cached: int = 0, reasoning: int = 0) -> Usage:
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached, reasoning_tokens=reasoning)


def listed(provider: str, model: str) -> Rates:
    rates = BOOK.rates(provider, model)
    assert rates is not None
    return rates


def test_a_listed_model_costs_its_tokens_times_its_rates_exactly() -> None:
    rates = listed("openai", "gpt-4o-mini")
    price = BOOK.price("openai", "gpt-4o-mini", usage(1_000_003, 7))
    assert price.amount == (1_000_003 * rates.input + 7 * rates.output) / 1_000_000
    assert price.version == f"genai-prices {genai_prices.__version__}"


def test_cached_tokens_are_a_cheaper_part_of_the_prompt() -> None:
    rates = listed("openai", "gpt-4o-mini")
    assert rates.cached_input is not None
    assert rates.cached_input < rates.input
    price = BOOK.price("openai", "gpt-4o-mini", usage(prompt=1000, cached=400))
    assert price.amount == (600 * rates.input + 400 * rates.cached_input) / 1_000_000


def test_reasoning_tokens_are_not_paid_twice() -> None:
    plain = BOOK.price("openai", "gpt-5-mini", usage(100, 50))
    assert BOOK.price("openai", "gpt-5-mini", usage(100, 50, reasoning=40)) == plain


def test_more_cached_tokens_than_prompt_tokens_never_make_a_price_negative() -> None:
    book = BOOK.price("openai", "gpt-4o-mini", usage(prompt=10, cached=99))
    own = BOOK.price("x", "y", usage(prompt=10, cached=99), rates=Rates(input=Decimal(2), output=Decimal(2)))
    assert book.amount is not None
    assert book.amount > 0
    assert own.amount == Decimal("0.00002")


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "a-model-nobody-knows"),
        ("ollama", "llama3"),
        ("my-openai-proxy", "gpt-4o-mini"),
        ("huggingface", "openai/gpt-oss-120b"),
    ],
)
def test_a_model_that_the_list_does_not_have_has_an_unknown_price(provider: str, model: str) -> None:
    price = BOOK.price(provider, model, usage(1000, 100))
    assert price.amount is None
    assert price.version is None
    assert BOOK.rates(provider, model) is None
    assert BOOK.estimate(provider, model, 1000, 100) is None


@pytest.mark.parametrize("model", ["whisper-1", "gpt-transcribe"])
def test_a_paid_model_that_the_list_prices_at_zero_is_unknown(model: str) -> None:
    assert BOOK.price("openai", model, usage(1000, 100)).amount is None
    assert BOOK.rates("openai", model) is None


def test_tokens_that_the_list_has_no_rate_for_make_the_price_unknown() -> None:
    assert BOOK.price("openai", "text-embedding-3-small", usage(prompt=1000)).amount is not None
    assert BOOK.price("openai", "text-embedding-3-small", usage(1000, 5)).amount is None


def test_the_users_own_rates_win_over_the_list() -> None:
    rates = Rates(input=Decimal("0.1"), output=Decimal("0.3"), cached_input=Decimal("0.01"))
    price = BOOK.price("openai", "gpt-4o-mini", usage(1000, 10, cached=100), rates=rates)
    assert price.amount == Decimal("0.000094")
    assert price.version == "override"
    assert BOOK.rates("openai", "gpt-4o-mini", rates=rates) == rates


def test_cached_tokens_cost_the_full_rate_where_the_user_names_no_other() -> None:
    rates = Rates(input=Decimal(1), output=Decimal(1))
    assert BOOK.price("p", "m", usage(prompt=1000, cached=1000), rates=rates).amount == Decimal("0.001")


def test_a_free_model_costs_nothing_even_where_the_call_broke() -> None:
    for used in (usage(1000, 100), None):
        assert BOOK.price("offline", "offline", used, free=True).amount == 0
    assert BOOK.rates("offline", "offline", free=True) == Rates(input=Decimal(0), output=Decimal(0))


def test_a_paid_call_without_usage_has_an_unknown_price() -> None:
    assert BOOK.price("openai", "gpt-4o-mini", None).amount is None
    assert BOOK.price("p", "m", None, rates=Rates(input=Decimal(1), output=Decimal(1))).amount is None


def test_the_hugging_face_router_is_priced_by_the_server_behind_it() -> None:
    price = BOOK.price("huggingface", "openai/gpt-oss-120b:groq", usage(1000, 100))
    assert price.amount == BOOK.price("huggingface_groq", "openai/gpt-oss-120b", usage(1000, 100)).amount
    assert price.amount


def test_an_estimate_is_what_a_call_of_that_size_would_cost() -> None:
    assert BOOK.estimate("openai", "gpt-4o-mini", 500, 50) == BOOK.price("openai", "gpt-4o-mini", usage(500, 50)).amount


def test_a_deployment_that_is_called_like_a_model_never_takes_that_models_price() -> None:
    prices, usage = PriceBook(), Usage(prompt_tokens=1000, completion_tokens=1000)
    for name in ("o3-mini", "gpt-6-luna", "o3-mini-for-lawyers"):
        assert prices.price("azure", name, usage).amount is None
        assert prices.rates("azure", name) is None
    own = Rates(input=Decimal(1), output=Decimal(2))
    assert prices.price("azure", "o3-mini", usage, rates=own).amount == Decimal("0.003")
    assert prices.price("openai", "o3-mini", usage).amount is not None


@pytest.mark.parametrize(
    ("provider", "model", "minute"),
    [("openai", "gpt-transcribe", "0.0045"), ("openai", "gpt-live-transcribe", "0.017"), ("groq", "whisper-1", None)],
)
def test_speech_is_priced_by_the_minute_where_the_list_sells_it_so(
    provider: str, model: str, minute: str | None
) -> None:
    usage = Usage(prompt_tokens=0, completion_tokens=0, audio_ms=60_000)
    price = PriceBook().price(provider, model, usage)
    assert price.amount == (Decimal(minute) if minute else None)
    assert bool(price.why) is (minute is None)
