"""What a person fixes for one question, before its words: "model:NAME" and "strategy:NAME"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.domain import StrategyName
from bot.errors import UnusableWords

_LEADING = re.compile(r"\s*(model|strategy):(\S+)(?:\s+|\Z)", re.IGNORECASE)
_NAMES = {
    **{strategy.value: strategy for strategy in StrategyName},
    **{strategy.value.replace("_", "-"): strategy for strategy in StrategyName},
    "plain": StrategyName.ZERO_SHOT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedWith:
    """The question's own words, with the model and the strategy that were named before them."""

    text: str
    model: str | None = None
    strategy: StrategyName | None = None


def asked_with(text: str) -> AskedWith:
    """Takes apart what was typed. Raises UnusableWords for a strategy that there is not, or one named twice."""
    found: dict[str, str] = {}
    rest = text
    while (match := _LEADING.match(rest)) is not None:
        key, value = match[1].lower(), match[2].strip("`")
        if key in found:
            raise UnusableWords(f"You named two: {key}:{found[key]} and {key}:{value}. Name one before your question.")
        found[key], rest = value, rest[match.end() :]
    if not found:
        return AskedWith(text=text)
    return AskedWith(text=rest.strip(), model=found.get("model"), strategy=_strategy(found.get("strategy")))


def _strategy(name: str | None) -> StrategyName | None:
    if name is None:
        return None
    strategy = _NAMES.get(name.lower())
    if strategy is None:
        there = ", ".join(f"`strategy:{each.value}`" for each in StrategyName)
        raise UnusableWords(f"There is no strategy “{name}”. Write one of {there}.")
    return strategy
