"""Which ways an evaluation tries: strategies with models that can ever be taken together."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import Evidence, StrategyName
from bot.errors import UnusableGolden
from bot.evaluation.matrix import Way
from bot.evaluation.versions import EVERYTHING
from bot.models.cards import ModelCard
from bot.selection.options import obstacle


def ways_of(strategies: Sequence[StrategyName], cards: Sequence[ModelCard]) -> tuple[Way, ...]:
    """Every strategy with every model, without those that no evidence makes possible (plain prompting offline).

    Raises UnusableGolden, with the reasons, where none is left.
    """
    reasons: list[str] = []
    ways: list[Way] = []
    for card in cards:
        best = Evidence(passages=EVERYTHING.passages, examples=EVERYTHING.examples, fine_tuned={card.name: 1.0})
        for strategy in strategies:
            if reason := obstacle(card, strategy, best, pinned=False):
                reasons.append(reason)
            else:
                ways.append(Way(strategy, card.name))
    if not ways:
        raise UnusableGolden(f"There is nothing to evaluate. {' '.join(dict.fromkeys(reasons))}")
    return tuple(ways)
