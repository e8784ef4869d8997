"""What the selector weighs: every strategy with every model, and why some of them cannot be taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from bot.costs.prices import PriceBook
from bot.domain import Evidence, Option, Question, StrategyName
from bot.models.cards import ModelCard
from bot.selection.estimates import Estimates, Means, Needs, is_offline
from bot.selection.guards import Guards
from bot.selection.room import Room
from bot.selection.usual import Usual
from bot.selection.value import Value

FINE_TUNED_SIMILARITY = 0.5
"""A fine-tuned model is an option for questions at least this near to one that it was tuned on (cosine)."""

SAME_QUESTION = 0.75
"""The offline model quotes the reviewed answer to a question that is at least this near (cosine)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What every option of one question is weighed with. `usual`: what each model took of late."""

    value: Value
    prices: PriceBook
    estimates: Estimates
    guards: Guards
    usual: Mapping[tuple[str, str], Usual] = field(default_factory=dict)
    means: Means = field(default_factory=dict)
    room: Room | None = None

    def options(
        self, question: Question, evidence: Evidence, cards: Sequence[ModelCard]
    ) -> tuple[tuple[Option, ...], tuple[str, ...]]:
        """All options, the best utility first and those that cannot be taken last; and what the guards said."""
        needs: dict[str | None, Needs] = {None: self.estimates.needs(evidence)}
        for card in cards:
            if card.fine_tune is not None:
                needs[card.name] = self.estimates.needs(evidence, card.name)
        options: list[Option] = []
        struck: dict[str, None] = {}
        for card in cards:
            for strategy in StrategyName:
                of_card = needs[card.name if card.fine_tune else None]
                why = obstacle(card, strategy, evidence, self.guards.model_pinned)
                if not why and (why := self._ruled_out(card, strategy, of_card, question, evidence)):
                    struck[why] = None
                options.append(self._option(card, strategy, of_card, why, question, evidence))
        # What nobody knows the price of is weighed as if it were the dearest of the others.
        dearest: dict[StrategyName, Decimal] = dict.fromkeys(StrategyName, Decimal(0))
        for option in options:
            dearest[option.strategy] = max(dearest[option.strategy], option.cost or Decimal(0))
        weighed = [self._weighed(option, dearest[option.strategy]) for option in options]
        return tuple(sorted(weighed, key=lambda option: (not option.available, -option.utility))), tuple(struck)

    def _ruled_out(
        self, card: ModelCard, strategy: StrategyName, needs: Needs, question: Question, evidence: Evidence
    ) -> str:
        """What a rule or a budget says against an option that could be taken otherwise, as a sentence."""
        why = self.guards.against(card, strategy, needs)
        if why or self.room is None:
            return why
        most = self.estimates.most(self.prices, card, strategy, question, evidence, self.room)
        return self.room.against(card, most)

    def _option(
        self,
        card: ModelCard,
        strategy: StrategyName,
        needs: Needs,
        reason: str,
        question: Question,
        evidence: Evidence,
    ) -> Option:
        quality = self.estimates.quality(card, strategy, needs, self.means)
        usual = self.usual.get((card.provider, card.name))
        cost = self.estimates.cost(self.prices, card, strategy, question.text, evidence, usual)
        latency = self.estimates.latency(card, usual)
        return Option(
            strategy=strategy,
            model=card.name,
            quality=0.0 if reason else quality.expected,
            cost=cost[0] if cost else None,
            latency=latency.median,
            utility=0.0,
            available=not reason,
            reason=reason,
            quality_range=None if reason else quality.range,
            cost_range=cost[1] if cost else None,
            latency_range=(latency.low, latency.high) if latency.low < latency.high else None,
            doubt="" if reason else self.guards.doubt(card, strategy, needs),
        )

    def _weighed(self, option: Option, dearest: Decimal) -> Option:
        cost = float(dearest if option.cost is None else option.cost)
        paid = self.value.cost_weight * cost + self.value.latency_weight * option.latency
        return replace(option, utility=option.quality - paid)


def obstacle(card: ModelCard, strategy: StrategyName, evidence: Evidence, pinned: bool) -> str:
    """Why this option cannot be taken, as a sentence; "" where it can."""
    if is_offline(card) and strategy not in (StrategyName.RAG, StrategyName.FEW_SHOT):
        return "The offline model can only quote documents and reviewed answers."
    if strategy is StrategyName.RAG and not evidence.passages:
        return "Nothing was found in the documents that everyone here may read."
    if strategy is StrategyName.FEW_SHOT and not evidence.examples:
        return "There are no reviewed examples that everyone here may read."
    nearest = max((example.similarity for example in evidence.examples), default=0.0)
    if strategy is StrategyName.FEW_SHOT and is_offline(card) and nearest < SAME_QUESTION:
        return "The offline model can only quote a reviewed answer, and none is to this question."
    if strategy is StrategyName.FINE_TUNED:
        if card.fine_tune is None:
            return f"“{card.name}” is not fine-tuned."
        if not pinned and evidence.fine_tuned.get(card.name, 0.0) < FINE_TUNED_SIMILARITY:
            return f"“{card.name}” was tuned for another kind of question ({card.fine_tune.kind})."
    elif card.fine_tune is not None and not pinned:
        return f"“{card.name}” was tuned to answer on its own."
    return ""
