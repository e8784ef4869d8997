"""Rules that keep an option out, whatever its estimates say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.domain import StrategyName
from bot.models.cards import ModelCard
from bot.selection.estimates import Needs, is_offline
from bot.selection.modalities import lacking

ENOUGH_TOLD = 0.5
"""From this probability on reviewed examples, or what a proven model was tuned on, tell the team's own affairs: both
hold what people of the team said or reviewed."""
OWN_AFFAIRS = "This is about your own affairs, and nothing that everyone here may read tells it: I would have to guess."
ATTACHED = "Files came with the question, and only an answer from passages reads them."
ONLY_QUOTES = "Files came with the question, and the offline model can only quote them: it answers where no other may."


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The rules for one question. `least_rag`: the probability from which passages are enough to answer from.

    `own_affairs`: the question is about the team itself. `barred`: models that may not be asked from here, by name with
    the rule that keeps each out; `broken`: why some are left alone for now, by name; `held`: those whose roll-out
    leaves the question to others, by name with the reason; `modalities`: what the question is made of beside text;
    `attached`: passages of files that came with the question are there, which are answered from whatever the estimates
    say, and `writers`: a model that does more than quote may be asked. `proven`: fine-tuned models that beat the best
    of the others on golden questions. `alone`: only the offline model is there and well, which quotes with a doubt, or
    refuses by itself, what another one would not be asked. `model_pinned`, `strategy`: what a person fixed, whom no
    estimate overrules.
    """

    least_rag: float
    own_affairs: bool = False
    barred: Mapping[str, str] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)
    modalities: Collection[str] = ()
    attached: bool = False
    writers: bool = False
    proven: Collection[str] = ()
    alone: bool = False
    model_pinned: bool = False
    strategy: StrategyName | None = None

    def against(self, card: ModelCard, strategy: StrategyName, needs: Needs) -> str:
        """Why the option may not be taken, as a sentence; "" where no rule speaks against it."""
        if rule := self.barred.get(card.name):
            return rule
        if missing := lacking(card, self.modalities):
            return f"“{card.name}” cannot {missing}."
        if card.name in self.broken:
            return self.broken[card.name]
        if card.name in self.held and not self.model_pinned:
            return self.held[card.name]
        if self.attached and strategy is not StrategyName.RAG:
            return ATTACHED
        if self.attached:
            return ONLY_QUOTES if self.writers and is_offline(card) else ""
        if strategy is self.strategy:
            return ""
        rag = needs.probability[StrategyName.RAG]
        if strategy is StrategyName.RAG:
            if rag < self.least_rag and not self.alone:
                return (
                    f"The documents hold too little on this to answer from (probability {rag:.2f}, "
                    f"{self.least_rag:.2f} is needed)."
                )
            return ""
        if strategy is StrategyName.FINE_TUNED and not self.model_pinned and card.name not in self.proven:
            return (
                f"“{card.name}” has not been shown to beat the other models on golden questions, so it answers only "
                "where it is pinned."
            )
        if self.own_affairs and not is_offline(card) and rag < self.least_rag:
            is_tuned = strategy is StrategyName.FINE_TUNED and card.name in self.proven
            if not (is_tuned or strategy is StrategyName.FEW_SHOT) or needs.probability[strategy] < ENOUGH_TOLD:
                return OWN_AFFAIRS
        return ""

    def doubt(self, card: ModelCard, strategy: StrategyName, needs: Needs) -> str:
        """Why an option that may be taken is unlikely to answer, as a sentence; "" where it is not."""
        rag = needs.probability[StrategyName.RAG]
        if strategy is not StrategyName.RAG or not is_offline(card) or rag >= self.least_rag:
            return ""
        return (
            f"The documents hold too little on this to be sure (probability {rag:.2f}, {self.least_rag:.2f} is "
            "needed), so what is nearest is quoted as no more than that."
        )


def proven_by_cards(cards: Sequence[ModelCard]) -> frozenset[str]:
    """Fine-tuned models whose card has a score of ours above every other score on the cards."""
    found = set()
    for card in cards:
        own = card.scores.get(StrategyName.FINE_TUNED)
        others = [
            score
            for other in cards
            for strategy, score in other.scores.items()
            if (other.name, strategy) != (card.name, StrategyName.FINE_TUNED)
        ]
        if card.fine_tune is not None and own is not None and own > max(others, default=0.0):
            found.add(card.name)
    return frozenset(found)
