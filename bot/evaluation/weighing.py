"""Evaluated questions weighed once more: what the selector would expect and take with other estimates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from bot.domain import StrategyName
from bot.evaluation.matrix import Matrix, Row, Way
from bot.models.cards import ModelCard
from bot.selection import wording
from bot.selection.estimates import Estimates, Means, Needs, is_offline
from bot.selection.features import NAMES, Features
from bot.selection.guards import Guards, proven_by_cards
from bot.selection.weights import Weights

NOT_POSSIBLE = "not possible"
_PASSAGE, _EXAMPLE, _PROMPT = (
    NAMES.index(name) for name in ("passage_similarity", "example_similarity", "fine_tuned_similarity")
)
_LESS_OF_PASSAGE, _LESS_OF_EXAMPLE, _LEAD = (
    NAMES.index(name) for name in ("passage_less_fine_tuned", "example_less_fine_tuned", "lead")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowing:
    """What the selector would know: its estimates, measured means, and fine-tuned models that beat the others."""

    weights: Weights
    means: Means
    proven: Collection[str] = ()


class Weighing:
    """The rows of a matrix as the selector would weigh them. `cards`: those of the matrix' models, by name."""

    def __init__(self, matrix: Matrix, cards: Mapping[str, ModelCard]) -> None:
        self._matrix = matrix
        self._cards = cards

    def again(self, row: Row, knowing: Knowing) -> Row:
        """The row with what would be expected and taken: the way of the highest quality less what it is `paid` for.

        Rules keep out what they keep out of live questions. A way that was not possible for the question is no option.
        """
        estimates = Estimates(knowing.weights)
        guards = Guards(
            least_rag=knowing.weights.least_rag,
            own_affairs=wording.is_own_affair(row.text),
            proven={*knowing.proven, *proven_by_cards(list(self._cards.values()))},
            alone=all(is_offline(card) for card in self._cards.values()),
        )
        needs: dict[str | None, Needs] = {}
        expected: dict[Way, float] = {}
        for way in self._matrix.ways:
            card = self._cards[way.model]
            tuned = card.name if card.fine_tune else None
            if tuned not in needs:
                needs[tuned] = _needs(row, knowing.weights, tuned)
            if is_possible(self._matrix, row, way) and not guards.against(card, way.strategy, needs[tuned]):
                expected[way] = estimates.quality(card, way.strategy, needs[tuned], knowing.means).expected
        worth = {way: quality - row.paid.get(way, 0.0) for way, quality in expected.items()}
        chosen = max(worth, key=lambda way: worth[way], default=None)
        return replace(row, expected=expected, chosen=chosen)


def is_possible(matrix: Matrix, row: Row, way: Way) -> bool:
    """Whether the way could be taken for the question at all."""
    cell = matrix.cells.get((row.id, way))
    return cell is not None and cell.outcome != NOT_POSSIBLE


def features_of(row: Row, tuned: str | None = None) -> Features:
    """The row's evidence as the estimates take it, NaN where a number is not known; of the fine-tuned model `tuned`
    where one is named."""
    found: Features = np.array([row.features.get(name, np.nan) for name in NAMES], dtype=np.float64)
    if tuned in row.tuned and tuned is not None:
        passage, example, prompt = found[_PASSAGE], found[_EXAMPLE], row.tuned[tuned]
        ranked = np.sort([passage, example, prompt])
        found[_PROMPT] = prompt
        found[_LESS_OF_PASSAGE], found[_LESS_OF_EXAMPLE] = passage - prompt, example - prompt
        found[_LEAD] = ranked[-1] - ranked[-2]
    return found


def _needs(row: Row, weights: Weights, tuned: str | None) -> Needs:
    features = features_of(row, tuned)
    probability: Mapping[StrategyName, float] = weights.probabilities(features)
    return Needs(probability, weights.ranges(features))
