"""What a model call costs, in exact US dollars, or that nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import genai_prices
from genai_prices.data_snapshot import get_snapshot

from bot.domain import Price, Rates, Usage

_UNKNOWN = Price(amount=None, version=None)
_MILLIONTH = -6
_OWN_NAMES = frozenset({"azure"})
"""Where a team names its deployments: one that is called like a model may run another, so no price goes by the name."""


class PriceBook:
    """The public price list that ships with the program, below the prices that the user states.

    Every method takes the provider's and the model's id as the catalogue has them. `rates` are the user's own prices
    and win over the list; `free` marks a model that costs nothing (it runs on this machine). A model of which neither
    says anything has an unknown price, which is never zero.
    """

    @property
    def version(self) -> str:
        """Names the price list, as the ledger records it."""
        return f"genai-prices {genai_prices.__version__}"

    def price(
        self, provider: str, model_id: str, usage: Usage | None, *, rates: Rates | None = None, free: bool = False
    ) -> Price:
        """The price of one call. Without a usage (the call broke before it came) only a free call's is known."""
        if free:
            return Price(amount=Decimal(0), version="free")
        if usage is None:
            return _UNKNOWN
        if rates is not None:
            return Price(amount=_by_rates(rates, usage), version="override")
        amount = _by_list(provider, model_id, usage)
        return _UNKNOWN if amount is None else Price(amount=amount, version=self.version)

    def rates(self, provider: str, model_id: str, *, rates: Rates | None = None, free: bool = False) -> Rates | None:
        """US dollars for a million tokens, for showing; None where unknown. A list with tiers gives its first."""
        if free:
            return Rates(input=Decimal(0), output=Decimal(0))
        if rates is not None:
            return rates
        listed = _listed(provider, model_id)
        if listed is None:
            return None
        given, taken, cached = (_base(getattr(listed, name)) for name in _NAMES)
        return Rates(input=given, output=taken or Decimal(0), cached_input=cached) if given else None

    def estimate(
        self,
        provider: str,
        model_id: str,
        prompt_tokens: int,
        completion_tokens: int,
        *,
        rates: Rates | None = None,
        free: bool = False,
    ) -> Decimal | None:
        """US dollars that a call of this size would cost; None where unknown."""
        usage = Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, estimated=True)
        return self.price(provider, model_id, usage, rates=rates, free=free).amount


_NAMES = ("input_mtok", "output_mtok", "cache_read_mtok")


def _by_rates(rates: Rates, usage: Usage) -> Decimal:
    cached = min(usage.cached_tokens, usage.prompt_tokens)  # a part of the prompt, never an addition
    cached_rate = rates.input if rates.cached_input is None else rates.cached_input
    dollars = (
        (usage.prompt_tokens - cached) * rates.input + cached * cached_rate + usage.completion_tokens * rates.output
    )
    return dollars.scaleb(_MILLIONTH)


def _by_list(provider: str, model_id: str, usage: Usage) -> Decimal | None:
    listed = _listed(provider, model_id)
    if listed is None:
        return None
    # The list prices what it has no rate for at 0 (speech models are sold by the minute): that is not knowing.
    if usage.prompt_tokens and not _base(listed.input_mtok):
        return None
    if usage.completion_tokens and not _base(listed.output_mtok):
        return None
    tokens = genai_prices.Usage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cache_read_tokens=min(usage.cached_tokens, usage.prompt_tokens),
    )
    amount: Decimal = listed.calc_price(tokens)["total_price"]
    return amount


def _listed(provider: str, model_id: str) -> Any | None:
    """The list's prices for a model that it has under exactly this provider."""
    provider_id, model_ref = _as_listed(provider, model_id)
    if provider_id in _OWN_NAMES:
        return None
    snapshot = get_snapshot()
    # The list also matches providers by part of a name, which would give a server called
    # "my-openai-proxy" the prices of OpenAI.
    if provider_id not in {listed.id for listed in snapshot.providers}:
        return None
    try:
        _, model = snapshot.find_provider_model(model_ref, None, provider_id, None)
    except LookupError:
        return None
    return model.get_prices(datetime.now(UTC))


def _as_listed(provider: str, model_id: str) -> tuple[str, str]:
    """The Hugging Face router names the server behind it after a colon; the list keeps a provider for each."""
    name = provider.lower()
    if name == "huggingface" and ":" in model_id:
        model_id, _, server = model_id.rpartition(":")
        return f"huggingface_{server.lower()}", model_id
    return name, model_id


def _base(rate: Any) -> Decimal | None:
    """A rate, or the first of a rate with tiers."""
    value: Decimal | None = getattr(rate, "base", rate)
    return value
