"""The estimates fitted again on a team's evaluated golden questions, where that holds on questions held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bot.domain import Mean, StrategyName
from bot.evaluation import policies
from bot.evaluation.calibration import calibration
from bot.evaluation.matrix import Matrix, Row, Table, Way
from bot.evaluation.policies import Tables
from bot.evaluation.statistics import Values, count_groups, lower_bound
from bot.evaluation.weighing import Knowing, Weighing, features_of, is_possible
from bot.evaluation.wording import count, score
from bot.evaluation.worth import Worth
from bot.learning.bound import LEAST_GROUPS
from bot.models.cards import ModelCard
from bot.selection.estimates import Estimates, Means
from bot.selection.fits import Fit
from bot.selection.refit import LEAST, refitted
from bot.selection.weights import Weights

Chosen = NDArray[np.bool_]

LEAST_HELD_OUT = 10
"""Of fewer questions nothing is fitted on the other folds."""
_PROBABLE = 1e-3
_EQUAL = 1e-9
_FARTHEST_SHIFT = 3.0
_HALVINGS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """What came of it. `fit`: what is to be kept from now on, None where there were too few questions to say anything.

    `rows`: the matrix' rows with what is expected and taken by estimates that had not seen the question. `sentence`:
    for people.
    """

    fit: Fit | None
    rows: tuple[Row, ...]
    sentence: str


def refit(matrix: Matrix, cards: Mapping[str, ModelCard], worth: Worth, shipped: Weights, *, index: str) -> Refit:
    """Fits the estimates on the questions of a finished run; some seconds for 1,000 of them.

    `index`: the embedding model that knowledge was searched with. The fit is taken where, on questions of groups that
    it was not made on, neither its log loss nor the worth of what it takes is behind that of the shipped estimates.
    """
    work = _Work(matrix, cards, worth, shipped, index)
    questions = int(work.known.sum())
    if questions < LEAST:
        judged = "" if questions == len(matrix.rows) else " of which every answer was judged"
        return Refit(
            fit=None,
            rows=matrix.rows,
            sentence=f"The estimates stay as they are: to fit them on your own questions, {LEAST}{judged} are needed, "
            f"and these are {questions}.",
        )
    groups = count_groups([row.group for row, known in zip(matrix.rows, work.known, strict=True) if known])
    if groups < LEAST_GROUPS:
        return Refit(
            fit=None,
            rows=matrix.rows,
            sentence=f"The estimates stay as they are: the questions are of {count(groups, 'group')}, and it takes "
            f"{LEAST_GROUPS} to hold some of them out.",
        )
    return work.done(questions)


class _Work:
    def __init__(
        self, matrix: Matrix, cards: Mapping[str, ModelCard], worth: Worth, shipped: Weights, index: str
    ) -> None:
        self._matrix = matrix
        self._cards = cards
        self._shipped = shipped
        self._index = index
        self._tables = Tables.of(matrix, worth)
        self._weighing = Weighing(matrix, cards)
        self._features = np.array([features_of(row) for row in matrix.rows])
        whole = np.isfinite(self._tables.quality).all(axis=1)
        self.known: Chosen = whole & np.array([bool(row.features) for row in matrix.rows], dtype=bool)

    def done(self, questions: int) -> Refit:
        fold_of = policies.folds(self._tables.groups)
        before, after = list(self._matrix.rows), list(self._matrix.rows)
        for fold in set(fold_of.tolist()):
            held = fold_of == fold
            weights = self._fitted(~held & self.known, LEAST_HELD_OUT)
            means, proven = self._means(~held & self.known), self._proven(~held & self.known)
            for number in np.flatnonzero(held):
                row = self._matrix.rows[number]
                if row.features:
                    before[number] = self._weighing.again(
                        row, Knowing(weights=self._shipped, means=means, proven=proven)
                    )
                    after[number] = self._weighing.again(row, Knowing(weights=weights, means=means, proven=proven))
        proven = self._proven(self.known)
        if self._is_better(before, after):
            weights = self._fitted(self.known, LEAST)
            if weights is not self._shipped:
                said = f"The estimates were fitted again on your {questions:,} questions{self._errors(before, after)}."
                return Refit(fit=Fit(weights, proven), rows=tuple(after), sentence=said)
        said = (
            f"The estimates stay as they are shipped: fitted on your {questions:,} questions, they were not better on "
            "questions held out."
        )
        return Refit(fit=Fit(None, proven), rows=tuple(before), sentence=said)

    def _fitted(self, training: Chosen, least: int) -> Weights:
        quality = {strategy: self._best(strategy)[training] for strategy in self._strategies()}
        groups = [group for group, is_in in zip(self._tables.groups, training, strict=True) if is_in]
        found = refitted(
            self._shipped,
            self._features[training],
            {strategy: values.tolist() for strategy, values in quality.items()},
            groups,
            index=self._index,
            least=least,
        )
        return found if found is self._shipped else self._levelled(found, training)

    def _levelled(self, weights: Weights, training: Chosen) -> Weights:
        """The weights moved so that p · strength is right on average.

        They were fitted on what the best model made of a question, and an estimate is p times the model's strength:
        without this the strength would count twice.
        """
        rows = np.array([weights.standardised(row) for row in self._features])
        models = dict(weights.models)
        for strategy, model in weights.models.items():
            if model is self._shipped.models[strategy]:
                continue
            logits = rows @ model.b
            used: list[Values] = []
            strengths: list[Values] = []
            reached = 0.0
            for number in self._columns(strategy):
                way = self._matrix.ways[number]
                taken = training & self._possible(way)
                used.append(logits[taken])
                strengths.append(np.full(int(taken.sum()), Estimates.strength(self._cards[way.model], strategy)))
                reached += float(self._tables.quality[taken, number].sum())
            shift = np.zeros_like(model.b)
            shift[-1] = _shift(np.concatenate(used), np.concatenate(strengths), reached)
            models[strategy] = replace(model, b=model.b + shift)
        return replace(weights, models=models)

    def _best(self, strategy: StrategyName) -> Values:
        """The best that any model made of each question with this strategy."""
        best: Values = self._tables.quality[:, self._columns(strategy)].max(axis=1)
        return best

    def _columns(self, strategy: StrategyName) -> list[int]:
        return [number for number, way in enumerate(self._matrix.ways) if way.strategy is strategy]

    def _strategies(self) -> list[StrategyName]:
        return [strategy for strategy in StrategyName if any(way.strategy is strategy for way in self._matrix.ways)]

    def _means(self, training: Chosen) -> Means:
        found: dict[tuple[StrategyName, str], Mean] = {}
        for number, way in enumerate(self._matrix.ways):
            values = self._tables.quality[training & self._possible(way), number]
            if len(values):
                found[way.strategy, way.model] = Mean(n=float(len(values)), mean=float(values.mean()))
        return found

    def _proven(self, training: Chosen) -> frozenset[str]:
        """Fine-tuned models whose answers are worth more than the best other way's on questions of their kind, by the
        one-sided 95% lower bound of the paired gain."""
        found = set()
        for number, way in enumerate(self._matrix.ways):
            if way.strategy is not StrategyName.FINE_TUNED:
                continue
            rows = np.flatnonzero(training & self._possible(way))
            others = [column for column in range(len(self._matrix.ways)) if column != number]
            if not len(rows) or not others:
                continue
            utility = self._tables.utility[rows]
            best = max(others, key=lambda column: float(utility[:, column].mean()))
            groups = [self._tables.groups[row] for row in rows]
            if lower_bound(utility[:, number] - utility[:, best], groups) > 0:
                found.add(way.model)
        return frozenset(found)

    def _possible(self, way: Way) -> Chosen:
        return np.array([is_possible(self._matrix, row, way) for row in self._matrix.rows], dtype=bool)

    def _is_better(self, before: Sequence[Row], after: Sequence[Row]) -> bool:
        old, new, quality = self._expected(before), self._expected(after), self._tables.quality
        both = np.isfinite(old) & np.isfinite(new) & self.known[:, None]
        if not both.any() or _loss(new[both], quality[both]) >= _loss(old[both], quality[both]):
            return False
        worth = [
            self._tables.taken(policies.selector(replace(self._matrix, rows=tuple(rows)))).utility[self.known]
            for rows in (before, after)
        ]
        # Where nothing can be taken, the assistant says so: that is worth nothing, and costs nothing.
        old_worth, new_worth = (float(np.nan_to_num(values).mean()) for values in worth)
        return new_worth >= old_worth - _EQUAL

    def _errors(self, before: Sequence[Row], after: Sequence[Row]) -> str:
        quality = self._tables.quality.ravel()
        groups = tuple(group for group in self._tables.groups for _ in self._matrix.ways)
        errors = [calibration(self._expected(rows).ravel(), quality, groups) for rows in (before, after)]
        if errors[0] is None or errors[1] is None:
            return ""
        return f": calibration error {score(errors[0].error)} → {score(errors[1].error)} on questions held out"

    def _expected(self, rows: Sequence[Row]) -> Table:
        found = [[row.expected.get(way, np.nan) for way in self._matrix.ways] for row in rows]
        return np.array(found, dtype=np.float64).reshape(len(rows), len(self._matrix.ways))


def _loss(expected: Values, quality: Values) -> float:
    """Mean cross entropy."""
    p = np.clip(expected, _PROBABLE, 1 - _PROBABLE)
    return float(-(quality * np.log(p) + (1 - quality) * np.log(1 - p)).mean())


def _shift(logits: Values, strengths: Values, reached: float) -> float:
    """What is added to the log odds so that p · strength adds up to what was reached, within what is sensible."""
    low, high = -_FARTHEST_SHIFT, _FARTHEST_SHIFT
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float((strengths / (1 + np.exp(-(logits + middle)))).sum()) < reached:
            low = middle
        else:
            high = middle
    return low
