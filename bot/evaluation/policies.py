"""Ways to choose a way: the selector's own, each fixed one, and those that it is held against."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.domain import StrategyName
from bot.evaluation.matrix import Matrix, Table
from bot.evaluation.overview import in_the_running
from bot.evaluation.statistics import Values
from bot.evaluation.worth import Worth, costs

Picks = NDArray[np.intp]
"""For each row the column that is taken; −1 where none is."""

FOLDS = 5
_SEED = 20261121
_STORES = {
    StrategyName.RAG: "passage_similarity",
    StrategyName.FEW_SHOT: "example_similarity",
    StrategyName.FINE_TUNED: "fine_tuned_similarity",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a policy would have made of each row: quality (0 to 1), US dollars, seconds, utility; NaN where unknown."""

    quality: Values
    cost: Values
    seconds: Values
    utility: Values


@dataclass(frozen=True, slots=True)
class Tables:
    """The matrix as numbers, read once. `running`: the columns that were judged often enough to be compared.

    In `utility` an unknown price is taken for a high one, as the selector takes it: leaving out the questions where it
    took such a way would compare it on the others alone.
    """

    matrix: Matrix
    quality: Table
    cost: Table
    seconds: Table
    utility: Table
    groups: tuple[str, ...]
    running: tuple[int, ...]

    @classmethod
    def of(cls, matrix: Matrix, worth: Worth) -> Tables:
        """Reads a matrix."""
        quality, utility = matrix.quality(), worth.weighed(matrix)
        return cls(
            matrix=matrix,
            quality=quality,
            cost=costs(matrix),
            seconds=matrix.seconds(),
            utility=utility,
            groups=tuple(row.group for row in matrix.rows),
            running=in_the_running(utility, quality),
        )

    def taken(self, picks: Picks) -> Outcome:
        """What comes of taking these columns."""
        tables = (self.quality, self.cost, self.seconds, self.utility)
        quality, cost, seconds, utility = (picked(table, picks) for table in tables)
        return Outcome(quality=quality, cost=cost, seconds=seconds, utility=utility)

    def mixed(self, shares: Values) -> Outcome:
        """What comes on average of taking each column with this share, whatever the question."""
        used = shares > 0
        tables = (self.quality, self.cost, self.seconds, self.utility)
        quality, cost, seconds, utility = (table[:, used] @ shares[used] for table in tables)
        return Outcome(quality=quality, cost=cost, seconds=seconds, utility=utility)


def selector(matrix: Matrix) -> Picks:
    """What the selector took; −1 where it took nothing or a way that was not evaluated."""
    columns = {way: number for number, way in enumerate(matrix.ways)}
    return _picks(-1 if row.chosen is None else columns.get(row.chosen, -1) for row in matrix.rows)


def best_fixed(tables: Tables, *, count: int = FOLDS) -> Picks:
    """For the rows of each fold the one way that is worth most on all other folds; groups are never torn apart.

    With a single group there is nothing else to choose on: then it is chosen on the very questions.
    """
    picks = np.full(len(tables.groups), -1, dtype=np.intp)
    fold_of = folds(tables.groups, count)
    for fold in set(fold_of.tolist()):
        held_out = fold_of == fold
        training = ~held_out if not held_out.all() else held_out
        picks[held_out] = _most_worth(tables.utility[training], tables.running)
    return picks


def same_mix(tables: Tables, picks: Picks) -> Outcome:
    """Choosing at random, each way as often as these picks did: the expectation, with nothing left to chance."""
    taken = picks[picks >= 0]
    shares = np.bincount(taken, minlength=len(tables.matrix.ways)).astype(np.float64)
    return tables.mixed(shares / shares.sum()) if len(taken) else tables.taken(picks)


def nearest_store(tables: Tables, *, count: int = FOLDS) -> Picks:
    """The strategy whose store lies nearest to the question, by the model that is worth most with it on other folds.

    Strategies that were not evaluated and stores that are empty (0 or NaN) do not count; where none is left, it is
    plain prompting. −1 without features.
    """
    fold_of = folds(tables.groups, count)
    models: dict[int, Mapping[StrategyName, int]] = {}
    for fold in set(fold_of.tolist()):
        held_out = fold_of == fold
        models[fold] = _best_models(tables, ~held_out if not held_out.all() else held_out)
    return _picks(
        _nearest(row.features, models[int(fold)]) if row.features else -1
        for row, fold in zip(tables.matrix.rows, fold_of, strict=True)
    )


def oracle(tables: Tables) -> Picks:
    """The way that turned out to be worth most for each question, which only the result can tell."""
    utility = tables.utility[:, list(tables.running)]
    known = ~np.isnan(utility).all(axis=1) if utility.size else np.zeros(len(tables.groups), bool)
    picks = np.full(len(tables.groups), -1, dtype=np.intp)
    if known.any():
        picks[known] = np.array(tables.running)[np.nanargmax(utility[known], axis=1)]
    return picks


def folds(groups: Sequence[Hashable], count: int = FOLDS) -> NDArray[np.intp]:
    """For each row the fold (from 0) that it is held out with: whole groups, about equally large, always the same."""
    sizes: dict[Hashable, int] = {}
    for group in groups:
        sizes[group] = sizes.get(group, 0) + 1
    names = list(sizes)
    order = np.random.default_rng(_SEED).permutation(len(names))
    filled = [0] * max(1, min(count, len(names)))
    fold_of: dict[Hashable, int] = {}
    for name in sorted((names[number] for number in order), key=lambda name: -sizes[name]):
        emptiest = filled.index(min(filled))
        fold_of[name] = emptiest
        filled[emptiest] += sizes[name]
    return np.array([fold_of[group] for group in groups], dtype=np.intp)


def picked(table: Table, picks: Picks) -> Values:
    """Of each row the value in its column; NaN where none is taken."""
    values = np.full(len(picks), np.nan)
    rows = np.flatnonzero(picks >= 0)
    values[rows] = table[rows, picks[rows]]
    return values


def _nearest(features: Mapping[str, float], models: Mapping[StrategyName, int]) -> int:
    near = {strategy: features.get(name, 0.0) for strategy, name in _STORES.items() if strategy in models}
    near = {strategy: similarity for strategy, similarity in near.items() if similarity > 0}
    nearest = max(near, key=lambda strategy: near[strategy], default=StrategyName.ZERO_SHOT)
    return models.get(nearest, -1)


def _best_models(tables: Tables, training: NDArray[np.bool_]) -> Mapping[StrategyName, int]:
    found = {}
    for strategy in StrategyName:
        columns = [number for number in tables.running if tables.matrix.ways[number].strategy is strategy]
        best = _most_worth(tables.utility[training], columns)
        if best >= 0:
            found[strategy] = best
    return found


def _most_worth(utility: Table, columns: Sequence[int]) -> int:
    """The column with the highest mean; −1 where nothing is known of any."""
    known = [number for number in columns if not np.isnan(utility[:, number]).all()]
    return max(known, key=lambda number: float(np.nanmean(utility[:, number])), default=-1)


def _picks(columns: Iterable[int]) -> Picks:
    return np.fromiter(columns, dtype=np.intp)
