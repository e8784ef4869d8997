"""How good an answer each strategy and model would give, how dear it would be, and how long it would take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot.costs.prices import PriceBook
from bot.domain import Evidence, Mean, Question, Rates, StrategyName
from bot.models.cards import ModelCard
from bot.models.catalogue import OFFLINE
from bot.models.tokens import most_tokens
from bot.selection.features import features
from bot.selection.room import Room
from bot.selection.usual import Spread, Usual
from bot.selection.weights import IN_FOUR_OF_FIVE, Weights, load_weights

Means = Mapping[tuple[StrategyName, str], Mean]

UNSCORED = 0.85
"""Prior: how often a model without scores of ours uses the right material well. The same for all, so that between
models that nobody has measured here price and time decide."""
OFFLINE_STRENGTH = 0.6
"""Prior of the offline model, which quotes the right sentence often but never puts two together."""
PRIOR_SPREAD = 0.1
"""Standard deviation of both priors."""
TRUSTED_AT = 300
"""Estimates that rest on so many questions count as much as the running mean (facts measured on public data)."""
MEAN_TRUSTED_AT = 20
"""So many measured answers make a running mean count half of what it may."""

ANSWER_TOKENS = 250
"""What an answer is taken to have until a model has given one."""
HOSTED_SECONDS = 3.0
OFFLINE_SECONDS = 0.1
_FIXED_TOKENS = 150
_CHARACTERS_A_TOKEN = 4
_MOST_FIXED_TOKENS = 500
"""What a strategy's own words take at most."""
_MOST_TO_REAL = 2
"""What a text takes at most is seldom more than twice what it takes."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The estimated probability (0 to 1) of a good answer, and what holds it in about four of five cases."""

    expected: float
    range: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Needs:
    """What one question's evidence says: for each strategy the probability that it has what the question needs."""

    probability: Mapping[StrategyName, float]
    range: Mapping[StrategyName, tuple[float, float]]


class Estimates:
    """Estimates for every strategy and model. `weights`: those that were fitted, the shipped ones where None."""

    def __init__(self, weights: Weights | None = None) -> None:
        self.weights = weights or load_weights()
        self._rates: dict[tuple[object, ...], Rates | None] = {}

    def needs(self, evidence: Evidence, tuned: str | None = None) -> Needs:
        """What the evidence says (of the fine-tuned model `tuned`, where one is named), whichever model answers."""
        row = features(evidence, tuned)
        return Needs(self.weights.probabilities(row), self.weights.ranges(row))

    def quality(self, card: ModelCard, strategy: StrategyName, needs: Needs, means: Means) -> Quality:
        """What the model would make of it: q = p + (1 − w) · v · (mean − p), where p is the estimate for this question.

        w = n / (n + 300) for estimates that rest on n questions, and v = m / (m + 20) for a running mean of m measured
        answers, so that neither counts before there is something behind it.
        """
        strength, spread = self.strength(card, strategy), 0.0 if strategy in card.scores else PRIOR_SPREAD
        low, high = needs.range[strategy]
        expected = needs.probability[strategy] * strength
        half = max(high - expected / max(strength, 1e-9), expected / max(strength, 1e-9) - low) * strength
        half = math.hypot(half, IN_FOUR_OF_FIVE * spread * needs.probability[strategy])
        if mean := means.get((strategy, card.name)):
            share = (1 - self._trust()) * mean.n / (mean.n + MEAN_TRUSTED_AT)
            noise = IN_FOUR_OF_FIVE * math.sqrt(mean.mean * (1 - mean.mean) / (mean.n + 1))
            expected += share * (mean.mean - expected)
            half = math.hypot((1 - share) * half, share * noise)
        return Quality(expected, (max(0.0, expected - half), min(1.0, expected + half)))

    def _trust(self) -> float:
        return self.weights.questions / (self.weights.questions + TRUSTED_AT)

    @staticmethod
    def strength(card: ModelCard, strategy: StrategyName) -> float:
        """How often the model answers well (0 to 1) with the right strategy: measured by us, or a stated prior."""
        if strategy in card.scores:
            return card.scores[strategy]
        if is_offline(card):
            return OFFLINE_STRENGTH
        return sum(card.scores.values()) / len(card.scores) if card.scores else UNSCORED

    def cost(
        self,
        prices: PriceBook,
        card: ModelCard,
        strategy: StrategyName,
        asked: str,
        evidence: Evidence,
        usual: Usual | None,
    ) -> tuple[Decimal, tuple[Decimal, Decimal] | None] | None:
        """US dollars of one answer and their range, from the size of its prompt and what the model usually writes.

        None where the price is unknown; no range before the model has answered a few times.
        """
        rates = self._rates_of(prices, card)
        if rates is None:
            return None
        read = _prompt_tokens(strategy, asked, evidence) * rates.input
        if usual is None or usual.tokens is None:
            return (read + (ANSWER_TOKENS + card.thinking_tokens) * rates.output).scaleb(-6), None
        written = usual.tokens
        low, middle, high = (
            (read + round(tokens) * rates.output).scaleb(-6) for tokens in (written.low, written.median, written.high)
        )
        return middle, (low, high) if low < high else None

    def most(
        self,
        prices: PriceBook,
        card: ModelCard,
        strategy: StrategyName,
        question: Question,
        evidence: Evidence,
        room: Room,
    ) -> Decimal | None:
        """US dollars that an answer costs at most, much as the gate will hold it; None where the price is unknown."""
        rates = self._rates_of(prices, card)
        if rates is None:
            return None
        thread = sum(most_tokens(turn.text) for turn in question.history)
        asked = _MOST_FIXED_TOKENS + min(thread, _MOST_TO_REAL * room.history_tokens)
        asked += sum(map(most_tokens, [question.text, *_material(strategy, evidence)]))
        answered = min(room.answer_tokens + card.thinking_tokens, card.max_output)
        return (min(asked, card.context_window) * rates.input + answered * rates.output).scaleb(-6)

    @staticmethod
    def latency(card: ModelCard, usual: Usual | None) -> Spread:
        """Seconds until the answer is whole: as of late, or a stated default without a spread."""
        if usual is not None:
            return usual.seconds
        default = OFFLINE_SECONDS if is_offline(card) else HOSTED_SECONDS
        return Spread(default, default, default)

    def _rates_of(self, prices: PriceBook, card: ModelCard) -> Rates | None:
        """Looking a price up takes a fifth of a millisecond, too long for every option of every question."""
        own = card.rates.rates() if card.rates else None
        key = (card.provider, card.model_id, own, card.free)
        if key not in self._rates:
            self._rates[key] = prices.rates(card.provider, card.model_id, rates=own, free=card.free)
        return self._rates[key]


def is_offline(card: ModelCard) -> bool:
    """Whether it is the extractive model, which can only quote passages."""
    return card.provider == OFFLINE


def _prompt_tokens(strategy: StrategyName, asked: str, evidence: Evidence) -> int:
    characters = len(asked) + sum(map(len, _material(strategy, evidence)))
    return _FIXED_TOKENS + characters // _CHARACTERS_A_TOKEN


def _material(strategy: StrategyName, evidence: Evidence) -> list[str]:
    """The texts that a strategy puts into its prompt beside the question."""
    if strategy is StrategyName.RAG:
        return [passage.text for passage in evidence.passages]
    if strategy is StrategyName.FEW_SHOT:
        return [text for example in evidence.examples for text in (example.question, example.answer)]
    return []
