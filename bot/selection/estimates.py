"""How good an answer each strategy would give, how dear it would be, and how long it would take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bot.costs.prices import PriceBook
from bot.domain import Evidence, Rates, StrategyName
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE
from bot.selection.features import NAMES, Features, features

WEIGHTS = Path(__file__).with_name("weights.json")


UNSCORED = 0.85
"""Prior: how often a model without scores of ours uses the right material well. The same for all, so that between
models that nobody has measured here price and time decide."""
OFFLINE_STRENGTH = 0.6
"""Prior of the offline model, which quotes the right sentence often but never puts two together."""

ANSWER_TOKENS = 250
_FIXED_TOKENS = 150
_CHARACTERS_A_TOKEN = 4
HOSTED_SECONDS = 3.0
OFFLINE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Weights:
    """One logistic model a strategy on standardised features: p = 1 / (1 + exp(−(bias + weights · x)))."""

    mean: Features
    scale: Features
    weights: Mapping[StrategyName, Features]
    bias: Mapping[StrategyName, float]

    def probabilities(self, row: Features) -> dict[StrategyName, float]:
        """For each strategy the probability (0 to 1) that it has what the question needs."""
        x = (row - self.mean) / self.scale
        return {
            strategy: float(1 / (1 + np.exp(-(self.bias[strategy] + weights @ x))))
            for strategy, weights in self.weights.items()
        }


@cache
def load_weights(path: Path = WEIGHTS) -> Weights:
    """The fitted weights. Raises ValueError where they were fitted to other features than these."""
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    if tuple(document["features"]) != NAMES:
        raise ValueError(f"{path} was fitted to other features; run tests/benchmarks/fit_selector.py again.")
    models = {StrategyName(name): model for name, model in document["strategies"].items()}
    return Weights(
        mean=np.array(document["mean"]),
        scale=np.array(document["scale"]),
        weights={name: np.array(model["weights"]) for name, model in models.items()},
        bias={name: float(model["bias"]) for name, model in models.items()},
    )


class Estimates:
    """Estimates for every strategy and model."""

    def __init__(self, weights: Weights | None = None) -> None:
        self._weights = weights or load_weights()
        self._rates: dict[tuple[object, ...], Rates | None] = {}

    def needs(self, evidence: Evidence) -> dict[StrategyName, float]:
        """For each strategy the probability that it has what the question needs; it says nothing of a model."""
        return self._weights.probabilities(features(evidence))

    @staticmethod
    def strength(card: ModelCard, strategy: StrategyName) -> float:
        """How often the model answers well (0 to 1) with the right strategy: measured by us, or a stated prior."""
        if strategy in card.scores:
            return card.scores[strategy]
        if is_offline(card):
            return OFFLINE_STRENGTH
        return sum(card.scores.values()) / len(card.scores) if card.scores else UNSCORED

    def cost(
        self, prices: PriceBook, card: ModelCard, strategy: StrategyName, asked: str, evidence: Evidence
    ) -> Decimal | None:
        """US dollars of one answer, from the size of its prompt; None where the price is unknown."""
        rates = self._rates_of(prices, card)
        if rates is None:
            return None
        answered = ANSWER_TOKENS + card.thinking_tokens
        dollars = _prompt_tokens(strategy, asked, evidence) * rates.input + answered * rates.output
        return dollars.scaleb(-6)

    @staticmethod
    def latency(card: ModelCard, medians: Mapping[tuple[str, str], float]) -> float:
        """Seconds until the answer is whole: the median of late, or a stated default."""
        default = OFFLINE_SECONDS if is_offline(card) else HOSTED_SECONDS
        return medians.get((card.provider, card.name), default)

    def _rates_of(self, prices: PriceBook, card: ModelCard) -> Rates | None:
        """Looking a price up takes a fifth of a millisecond, too long for every option of every question."""
        key = (card.provider, card.model_id, card.rates, card.free)
        if key not in self._rates:
            own = card.rates.rates() if card.rates else None
            self._rates[key] = prices.rates(card.provider, card.model_id, rates=own, free=card.free)
        return self._rates[key]


def is_offline(card: ModelCard) -> bool:
    """Whether it is the extractive model, which can only quote passages."""
    return card.provider == OFFLINE


def _prompt_tokens(strategy: StrategyName, asked: str, evidence: Evidence) -> int:
    characters = len(asked)
    if strategy is StrategyName.RAG:
        characters += sum(len(passage.text) for passage in evidence.passages)
    elif strategy is StrategyName.FEW_SHOT:
        characters += sum(len(example.question) + len(example.answer) for example in evidence.examples)
    return _FIXED_TOKENS + characters // _CHARACTERS_A_TOKEN
