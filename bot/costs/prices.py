"""What a model call costs, in exact US dollars, or that nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any

import genai_prices
from genai_prices.data_snapshot import get_snapshot

from bot.domain import Price, Rates, Usage

_MILLIONTH = -6
_MS_A_MINUTE = 60_000
_AMOUNTS = Context(prec=40, rounding=ROUND_HALF_EVEN)
_PICODOLLAR = Decimal(1).scaleb(-12)
_OWN_NAMES = frozenset({"azure"})
"""Where a team names its deployments: one that is called like a model may run another, so the price goes by the model
that the server says answered."""


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
        self,
        provider: str,
        model_id: str,
        usage: Usage | None,
        *,
        rates: Rates | None = None,
        free: bool = False,
        at: datetime | None = None,
    ) -> Price:
        """The price of one call by the prices of its moment (None: now), or why nobody knows it.

        Without a usage (the call broke before it came) only a free call's is known. Where the server says that another
        model answered than was asked for, that one's price holds.
        """
        if free:
            return Price(amount=Decimal(0), version="free")
        if usage is None:
            return _unknown("The call broke off before it was told what it used.")
        if rates is not None:
            return Price(amount=_to_the_picodollar(_by_rates(rates, usage)), version=rates.version)
        if provider.lower() in _OWN_NAMES and not usage.served:
            return _unknown(f"“{model_id}” is a name of your own at {provider}: state its `rates` on its card.")
        other = _other(model_id, usage.served)
        amount = _by_list(provider, other or model_id, usage, at or datetime.now(UTC))
        if amount is not None:
            return Price(amount=_to_the_picodollar(amount), version=self.version)
        said = f", which the server says answered instead of “{model_id}”" if other else ""
        return _unknown(f"{self.version} has no price for “{other or model_id}” of {provider}{said}.")

    def rates(self, provider: str, model_id: str, *, rates: Rates | None = None, free: bool = False) -> Rates | None:
        """US dollars for a million tokens, for showing; None where unknown. A list with tiers gives its first."""
        if free:
            return Rates(input=Decimal(0), output=Decimal(0))
        if rates is not None:
            return rates
        listed = None if provider.lower() in _OWN_NAMES else _listed(provider, model_id, datetime.now(UTC))
        if listed is None:
            return None
        given, taken, cached = (_base(getattr(listed, name, None)) for name in _NAMES)
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
_LISTED = {
    "cached_tokens": "cache_read_tokens",
    "cache_written_tokens": "cache_write_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "input_image_tokens": "input_image_tokens",
    "output_image_tokens": "output_image_tokens",
}
"""What the list calls the parts of the input and the output."""


def _to_the_picodollar(amount: Decimal) -> Decimal:
    """To twelve decimals, halves to even: the ledger keeps no more, so a sum of prices is the sum of its rows."""
    return _AMOUNTS.quantize(amount, _PICODOLLAR) if amount.as_tuple().exponent < -12 else amount  # type: ignore[operator]


def _unknown(why: str) -> Price:
    return Price(amount=None, version=None, why=why)


def _other(asked: str, served: str) -> str:
    """The model that answered where it is another than was asked for; a dated edition of it is none."""
    short, long = sorted((asked.casefold().rpartition("/")[2], served.casefold().rpartition("/")[2]), key=len)
    return "" if long.startswith(short) else served


def _by_rates(rates: Rates, usage: Usage) -> Decimal:
    taken = (
        _tokens(
            usage.prompt_tokens,
            rates.input,
            (usage.cached_tokens, rates.cached_input),
            (usage.cache_written_tokens, rates.cache_written),
            (usage.input_audio_tokens, rates.input_audio),
            (usage.input_image_tokens, rates.input_image),
        )
        + _tokens(
            usage.completion_tokens,
            rates.output,
            (usage.output_audio_tokens, rates.output_audio),
            (usage.output_image_tokens, rates.output_image),
        )
    ).scaleb(_MILLIONTH)
    minutes = _AMOUNTS.divide(Decimal(usage.audio_ms), Decimal(_MS_A_MINUTE))
    return taken + minutes * (rates.minute or 0) + usage.images * (rates.image or 0)


def _tokens(count: int, rate: Decimal, *parts: tuple[int, Decimal | None]) -> Decimal:
    """Millionths of dollars. Parts with a rate of their own are taken out of the whole, and are never more than it."""
    cost = Decimal(0)
    for part, own in parts:
        if own is not None:
            part = min(part, count)
            count -= part
            cost += part * own
    return cost + count * rate


def _by_list(provider: str, model_id: str, usage: Usage, at: datetime) -> Decimal | None:
    listed = _listed(provider, model_id, at)
    if listed is None:
        return None
    if usage.audio_ms and any(getattr(listed, name, None) for name in ("input_audio_hours", "audio_hours")):
        seconds = _AMOUNTS.divide(Decimal(usage.audio_ms), Decimal(1000))
        # The list wants the whole beside its part.
        return _reckoned(listed, {"audio_seconds": seconds, "input_audio_seconds": seconds})
    # The list prices what it has no rate for at 0 (speech models are sold by the minute): that is not knowing.
    if usage.prompt_tokens and not _base(getattr(listed, "input_mtok", None)):
        return None
    if usage.completion_tokens and not (_base(getattr(listed, "output_mtok", None)) or usage.output_image_tokens):
        return None
    # Nor does it price speech and pictures that come without tokens.
    if (usage.audio_ms or usage.images) and not (usage.prompt_tokens or usage.completion_tokens):
        return None
    parts = {name: getattr(usage, own) for own, name in _LISTED.items() if getattr(usage, own)}
    return _reckoned(listed, _within(parts, usage))


def _within(parts: dict[str, int], usage: Usage) -> dict[str, Decimal | int]:
    """The parts as the list takes them: together never more than the whole that they are parts of."""
    left = {"input": usage.prompt_tokens, "output": usage.completion_tokens}
    found: dict[str, Decimal | int] = {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens}
    for name, count in parts.items():
        direction = "output" if name.startswith("output") else "input"
        found[name] = min(count, left[direction])
        left[direction] -= int(found[name])
    return found


def _reckoned(listed: Any, counts: dict[str, Decimal | int]) -> Decimal | None:
    amount: Decimal = listed.calc_price(genai_prices.Usage(**counts))["total_price"]
    # No provider that is on the list gives anything away: 0 for something means that it does not know.
    return None if not amount and any(counts.values()) else amount


def _listed(provider: str, model_id: str, at: datetime) -> Any | None:
    """The list's prices of a moment for a model that it has under exactly this provider."""
    model = _known(*_as_listed(provider, model_id))
    return model.get_prices(at) if model else None


@lru_cache(maxsize=1024)
def _known(provider_id: str, model_ref: str) -> Any | None:
    snapshot = get_snapshot()
    # The list also matches providers by part of a name, which would give a server called
    # "my-openai-proxy" the prices of OpenAI.
    if provider_id not in {listed.id for listed in snapshot.providers}:
        return None
    try:
        return snapshot.find_provider_model(model_ref, None, provider_id, None)[1]
    except LookupError:
        return None


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
