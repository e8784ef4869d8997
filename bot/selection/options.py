"""What the selector weighs: every strategy with every model, and why some of them cannot be taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.costs.prices import PriceBook
from bot.domain import Evidence, Option, Question, StrategyName
from bot.models.cards import ModelCard
from bot.selection.data_rules import STAYS
from bot.selection.estimates import Estimates, is_offline

FINE_TUNED_SIMILARITY = 0.5
"""A fine-tuned model is an option for questions at least this near to one that it was tuned on (cosine)."""

SAME_QUESTION = 0.75
"""The offline model quotes the reviewed answer to a question that is at least this near (cosine)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """What every option of one question is weighed with."""

    cost_weight: float
    latency_weight: float
    prices: PriceBook
    estimates: Estimates
    medians: Mapping[tuple[str, str], float]

    def options(
        self,
        question: Question,
        evidence: Evidence,
        cards: Sequence[ModelCard],
        *,
        pinned: bool,
        barred: Collection[str] = (),
    ) -> tuple[Option, ...]:
        """All options, the best utility first and those that cannot be taken last.

        `pinned`: a person chose the one model in `cards`, so a fine-tuned one may answer any kind of question.
        `barred`: names of models that may not be asked from here.
        """
        needs = self.estimates.needs(evidence)
        drafts = [
            (card, strategy, self.estimates.cost(self.prices, card, strategy, question.text, evidence))
            for card in cards
            for strategy in StrategyName
        ]
        # What nobody knows the price of is weighed as if it were the dearest of the others.
        dearest: dict[StrategyName, Decimal] = dict.fromkeys(StrategyName, Decimal(0))
        for _, strategy, cost in drafts:
            dearest[strategy] = max(dearest[strategy], cost or Decimal(0))
        options = [
            self._option(
                card, strategy, needs[strategy], cost, dearest[strategy], evidence, pinned, card.name in barred
            )
            for card, strategy, cost in drafts
        ]
        return tuple(sorted(options, key=lambda option: (not option.available, -option.utility)))

    def _option(
        self,
        card: ModelCard,
        strategy: StrategyName,
        need: float,
        cost: Decimal | None,
        dearest: Decimal,
        evidence: Evidence,
        pinned: bool,
        barred: bool,
    ) -> Option:
        reason = STAYS if barred else obstacle(card, strategy, evidence, pinned)
        quality = 0.0 if reason else need * self.estimates.strength(card, strategy)
        latency = self.estimates.latency(card, self.medians)
        weighed = float(dearest if cost is None else cost)
        return Option(
            strategy=strategy,
            model=card.name,
            quality=quality,
            cost=cost,
            latency=latency,
            utility=quality - self.cost_weight * weighed - self.latency_weight * latency,
            available=not reason,
            reason=reason,
        )


def obstacle(card: ModelCard, strategy: StrategyName, evidence: Evidence, pinned: bool) -> str:
    """Why this option cannot be taken, as a sentence; "" where it can."""
    if is_offline(card) and strategy not in (StrategyName.RAG, StrategyName.FEW_SHOT):
        return "The offline model can only quote documents and reviewed answers."
    if strategy is StrategyName.RAG and not evidence.passages:
        return "Nothing was found in the documents that everyone here may read."
    if strategy is StrategyName.FEW_SHOT and not evidence.examples:
        return "There are no reviewed examples that everyone here may read."
    if strategy is StrategyName.FEW_SHOT and is_offline(card) and evidence.examples[0].similarity < SAME_QUESTION:
        return "The offline model can only quote a reviewed answer, and none is to this question."
    if strategy is StrategyName.FINE_TUNED:
        if card.fine_tune is None:
            return f"“{card.name}” is not fine-tuned."
        if not pinned and evidence.fine_tuned.get(card.name, 0.0) < FINE_TUNED_SIMILARITY:
            return f"“{card.name}” was tuned for another kind of question ({card.fine_tune.kind})."
    elif card.fine_tune is not None and not pinned:
        return f"“{card.name}” was tuned to answer on its own."
    return ""
