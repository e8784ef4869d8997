"""Why costs changed: the change split into volume, mix of models, price and length, to the last digit.

Each model's cost of answering is the product of four factors

    cost = answers · (its calls / answers) · (size of a call) · (price)

and the change of a sum of products is split by the logarithmic mean Divisia index, additive form (LMDI-I; Ang 2005,
"The LMDI approach to decomposition analysis: a practical guide", Energy Policy 33): the part of factor x is Σ L(C₁, C₀)
· ln(x₁ / x₀) over the models with L(a, b) = (a − b) / ln(a / b). It leaves no rest and does not hang on the order of
the factors. A model that is new or gone gets the limit of that (Ang and Liu 2007, "Handling zero values in the
logarithmic mean Divisia index decomposition approach"): its whole cost is a change of the mix.

The size of a call is what its tokens cost by the rates of one day for both sides, so that longer answers count as
length and a changed rate as price, whatever the share of input, cached input and output. Where no rates are known, it
is its number of tokens. What is not for answering (evaluations, shadow runs, embeddings, …) is a part of its own by
purpose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bot.costs.days import Cell, Day
from bot.costs.money import of_picodollars
from bot.domain import Rates

ANSWERING = frozenset({"answer", "draft", "rewrite"})
"""Purposes of the calls that answer questions."""

RatesOf = Callable[[str, str], Rates | None]
"""The rates of a provider's model today; None where nobody knows them."""


def no_rates(_provider: str, _model: str) -> Rates | None:
    """Where the rates are not at hand, sizes are numbers of tokens."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one model did to the change, in picodollars."""

    volume: float = 0.0
    mix: float = 0.0
    length: float = 0.0
    price: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """US dollars by which each cause made the costs differ; together exactly `change`.

    `volume`: more or fewer answers. `mix`: other models, or more calls of one for an answer. `length`: longer or
    shorter questions, evidence and answers. `price`: other rates of the same model. `others`: by purpose, what was not
    for answering. `answers` and `before`: how many answers there were; `models`: what each model did to mix and price;
    `size` and `size_before`: tokens for an answer.
    """

    change: Decimal
    volume: Decimal
    mix: Decimal
    length: Decimal
    price: Decimal
    others: tuple[tuple[str, Decimal], ...] = ()
    answers: int = 0
    before: int = 0
    models: Mapping[str, Part] = field(default_factory=dict)
    size: float = 0.0
    size_before: float = 0.0


@dataclass(slots=True)
class _Side:
    """A model's calls for answers on one side. `size`: US dollars by today's rates, or tokens."""

    calls: int = 0
    cost: int = 0
    size: float = 0.0


def split(now: Iterable[Day], before: Iterable[Day], rates: RatesOf = no_rates, *, times: int = 1) -> Split:
    """Why `now` cost more or less than `before`. `times`: how often `now` is set against `before` (a day against the
    sum of four: 4); the change and its parts are then those of one.

    Calls whose cost is unknown are left out.
    """
    new, old = _read(now, rates, times), _read(before, rates, 1)
    parts = {
        key: _part(new.models.get(key, _Side()), old.models.get(key, _Side()), new, old)
        for key in {*new.models, *old.models}
    }
    changes = {
        name: round(sum(getattr(part, name) for part in parts.values()) / times)
        for name in ("volume", "mix", "length", "price")
    }
    others = {
        purpose: (new.others.get(purpose, 0) - old.others.get(purpose, 0)) / times
        for purpose in sorted({*new.others, *old.others})
    }
    whole = round((new.cost - old.cost) / times)
    told = {purpose: round(amount) for purpose, amount in others.items()}
    # Logarithms are floats: what rounding left over, a millionth of a cent, goes where most happened.
    rest = whole - sum(changes.values()) - sum(told.values())
    changes[max(changes, key=lambda name: abs(changes[name]))] += rest
    return Split(
        change=of_picodollars(whole),
        **{name: of_picodollars(amount) for name, amount in changes.items()},
        others=tuple((purpose, of_picodollars(amount)) for purpose, amount in told.items() if amount),
        answers=new.answers // times,
        before=round(old.answers / times),
        models=_by_name(parts, times),
        size=new.tokens / max(new.answers, 1),
        size_before=old.tokens / max(old.answers, 1),
    )


@dataclass(slots=True)
class _Whole:
    models: dict[tuple[str, str], _Side] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    answers: int = 0
    calls: int = 0
    tokens: int = 0
    cost: int = 0


def _read(days: Iterable[Day], rates: RatesOf, times: int) -> _Whole:
    whole = _Whole()
    for day in days:
        whole.answers += times * sum(number for _, number in day.answers)
        for cell in day.cells:
            if cell.priced:
                _add(whole, cell, rates, times)
    return whole


def _add(whole: _Whole, cell: Cell, rates: RatesOf, times: int) -> None:
    whole.cost += times * cell.cost
    if cell.purpose not in ANSWERING:
        whole.others[cell.purpose] = whole.others.get(cell.purpose, 0) + times * cell.cost
        return
    side = whole.models.setdefault((cell.provider, cell.model), _Side())
    side.calls += times * cell.calls
    side.cost += times * cell.cost
    side.size += times * _size(cell, rates(cell.provider, cell.model))
    whole.calls += times * cell.calls
    whole.tokens += times * (cell.prompt_tokens + cell.completion_tokens)


def _size(cell: Cell, rates: Rates | None) -> float:
    if rates is None or not (rates.input or rates.output):
        return float(cell.prompt_tokens + cell.completion_tokens)
    cached = cell.cached_tokens if rates.cached_input is not None else 0
    fresh = cell.prompt_tokens - cached
    return float(
        fresh * rates.input + cached * (rates.cached_input or Decimal(0)) + cell.completion_tokens * rates.output
    )


def _part(new: _Side, old: _Side, after: _Whole, before: _Whole) -> Part:
    """What a model did to the change."""
    if not new.cost or not old.cost:
        return _limit(new, old)
    weight = _mean(new.cost, old.cost)
    # Where there was no answer at all on one side, the volume is the number of calls.
    counted = bool(after.answers and before.answers)
    many, few = (after.answers, before.answers) if counted else (after.calls, before.calls)
    volume = weight * math.log(many / few)
    mix = weight * math.log((new.calls / many) / (old.calls / few))
    if not new.size or not old.size:  # paid by something else than tokens
        return Part(volume=volume, mix=mix, price=new.cost - old.cost - volume - mix)
    length = weight * math.log((new.size / new.calls) / (old.size / old.calls))
    return Part(
        volume=volume, mix=mix, length=length, price=weight * math.log((new.cost / new.size) / (old.cost / old.size))
    )


def _limit(new: _Side, old: _Side) -> Part:
    """The same where the model cost nothing on one side: the factor that was 0 there gets all."""
    change, absent = float(new.cost - old.cost), (new if old.cost else old)
    if not absent.calls:
        return Part(mix=change)
    return Part(price=change) if absent.size else Part(length=change)


def _mean(first: int, second: int) -> float:
    """The logarithmic mean."""
    # log1p keeps the digits where the two are nearly the same.
    return float(first) if first == second else (first - second) / math.log1p((first - second) / second)


def _by_name(parts: Mapping[tuple[str, str], Part], times: int) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for (_, model), part in parts.items():
        known = found.get(model, Part())
        found[model] = Part(
            **{
                name: getattr(known, name) + getattr(part, name) / times
                for name in ("volume", "mix", "length", "price")
            }
        )
    return found
