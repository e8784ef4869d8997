"""How sure a figure is: ranges by resampling questions, and how many questions it would take to see a difference.

Questions of one group are alike and count as one piece: groups are resampled, not questions. Nothing here is random
from call to call; the same values give the same range.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf, log2, sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bot.learning import bound

Values = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 10_000
POWER_FACTOR = 7.85
"""(1.96 + 0.84)²: a two-sided test at 5% that finds the difference in four of five such evaluations."""

_SEED = 20261121
_MOST_DRAWS = 40_000_000
_CHUNK = 2_000_000
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean and the range that holds the true one in `level` of all evaluations like this.

    `mean` is None without a single value, `low` and `high` are None where there is too little to tell (see `fewest`).
    `questions`: values that counted; `left_out`: those that were unknown. `units`: the pieces that were resampled,
    groups, or questions `by` themselves where there are fewer groups than `fewest()`: the range then speaks of these
    groups alone.
    """

    mean: float | None
    low: float | None = None
    high: float | None = None
    questions: int = 0
    units: int = 0
    left_out: int = 0
    by: Literal["group", "question"] = "group"
    level: float = LEVEL

    @property
    def known(self) -> bool:
        """Whether there is a range."""
        return self.low is not None

    @property
    def above(self) -> bool:
        """Whether the whole range lies above 0."""
        return self.low is not None and self.low > 0

    @property
    def below(self) -> bool:
        """Whether the whole range lies below 0."""
        return self.high is not None and self.high < 0


def interval(
    values: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    level: float = LEVEL,
    scale: tuple[float, float] | None = None,
) -> Interval:
    """The mean of the values that are not NaN, with its range. Without `groups` every value stands for itself.

    `scale`: the least and the most that a value can be. Where all are the one or the other, resampling would call it
    certain; the range then reaches to what n like values in a row leave possible, (α/2)^(1/n) of the scale (Clopper
    and Pearson 1934).
    """
    return ratio(values, np.ones(np.shape(values)), groups, level=level, scale=scale)


def difference(
    first: ArrayLike, second: ArrayLike, groups: Sequence[Hashable] | None = None, *, level: float = LEVEL
) -> Interval:
    """The mean of `first` − `second`, question by question; a pair with an unknown side is left out and counted."""
    return interval(np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64), groups, level=level)


def ratio(
    above: ArrayLike,
    below: ArrayLike,
    groups: Sequence[Hashable] | None = None,
    *,
    level: float = LEVEL,
    scale: tuple[float, float] | None = None,
) -> Interval:
    """The sum of `above` through the sum of `below` with its range; the mean is None where `below` adds up to 0.

    Percentiles of the resampled ratio, widened for few units: they are taken at Φ(−√(n/(n−1))·t) instead of α/2, since
    plain ones are too narrow by that much (Hesterberg 2015, "What teachers should know about the bootstrap", 2.4).
    """
    sums, counted, left_out, by = _units(above, below, groups, fewest())
    total = sums.sum(axis=0)
    found = Interval(mean=None, questions=counted, units=len(sums), left_out=left_out, by=by, level=level)
    if not counted or total[1] == 0:
        return found
    found = replace(found, mean=float(total[0] / total[1]))
    if len(sums) < fewest(level):
        return found
    low, high = _range(sums, (1 - level) / 2)
    if scale is not None and low == high and low in scale:
        low, high = _at_the_end(low, scale, (1 - level) / 2, len(sums))
    return replace(found, low=low, high=high)


def lower_bound(gains: ArrayLike, groups: Sequence[Hashable] | None = None) -> float:
    """The one-sided 95% lower bound of a mean paired gain; NaN gains are left out.

    The same as that of the gate, so that both always say the same. Groups are never torn apart: −∞ with fewer than
    four, which say nothing that would speak for a change.
    """
    gains = np.asarray(gains, dtype=np.float64)
    known = [row for row, gain in enumerate(gains) if not np.isnan(gain)]
    if not known:
        return -inf
    return bound.lower_bound(gains[known], [str(row if groups is None else groups[row]) for row in known])


def fewest(level: float = LEVEL) -> int:
    """How many units a range needs: with fewer, even an unbroken row of gains is chance too often (2 · ½ⁿ > α)."""
    return ceil(log2(2 / (1 - level)) - 1e-9)


def shared(level: float, comparisons: int) -> float:
    """The level for each of several comparisons, so that all of them together hold at `level` (Bonferroni)."""
    return 1 - (1 - level) / max(comparisons, 1)


def questions_needed(gain: float, differing: float) -> int | None:
    """How many questions would show a mean gain of this size: n ≈ 7.85 · p / δ². None for a gain of 0.

    `differing` (p): the share of questions where the two differ or, where quality has steps between wrong and right,
    the mean squared difference. Assumes that each question is a group of its own, that a difference is ±1 at most and
    that δ² is small beside p; for a two-sided test at 5% that shall find the gain in four of five evaluations.
    """
    return None if gain == 0 else ceil(POWER_FACTOR * differing / gain**2)


def visible_gain(questions: int, differing: float) -> float | None:
    """The other way round: the smallest mean gain that so many questions would show. None without questions."""
    return sqrt(POWER_FACTOR * differing / questions) if questions else None


def resampled_means(table: Values, groups: Sequence[Hashable] | None = None) -> Values:
    """Resamples × columns: the columns' means in each resample, drawn together. The table must hold no NaN."""
    drawn = _resampled(_sums(_codes(groups, len(table)), *table.T, np.ones(len(table))))
    means: Values = drawn[:, :-1] / drawn[:, -1:]
    return means


def derived(
    table: Values, reckon: Callable[[Values], Values], groups: Sequence[Hashable] | None = None, *, level: float = LEVEL
) -> Interval:
    """A figure reckoned from the means of several columns, with its range; rows with a NaN are left out.

    `reckon` gets lines of means and gives a figure for each, NaN where there is none. It is asked for the means
    themselves and for those of every resample.
    """
    kept = ~np.isnan(table).any(axis=1)
    rows, left_out = table[kept], int((~kept).sum())
    if not len(rows):
        return Interval(mean=None, left_out=left_out, level=level)
    names: list[Hashable] = list(range(len(table))) if groups is None else list(groups)
    names = [names[int(row)] for row in np.flatnonzero(kept)]
    shape = replace(interval(np.ones(len(rows)), names, level=level), left_out=left_out, low=None, high=None)
    mean = float(reckon(rows.mean(axis=0)[None, :])[0])
    if np.isnan(mean) or shape.units < fewest(level):
        return replace(shape, mean=None if np.isnan(mean) else mean)
    figures = reckon(resampled_means(rows, names if shape.by == "group" else None))
    tail = _widened((1 - level) / 2, shape.units)
    low, high = np.nanquantile(figures, (tail, 1 - tail))
    return replace(shape, mean=mean, low=float(low), high=float(high))


def count_groups(groups: Sequence[Hashable]) -> int:
    """How many groups there are."""
    return len(set(groups))


def _units(
    above: ArrayLike, below: ArrayLike, groups: Sequence[Hashable] | None, least: int
) -> tuple[Values, int, int, Literal["group", "question"]]:
    """Sums of both for each unit, how many values counted and were left out, and what a unit is."""
    over, under = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    counted = ~(np.isnan(over) | np.isnan(under))
    codes = _codes(groups, len(over))[counted]
    by: Literal["group", "question"] = "group"
    present, codes = np.unique(codes, return_inverse=True)
    if len(present) < least:
        if groups is not None and len(codes) > len(present):
            by = "question"
        codes = np.arange(len(codes))
    return _sums(codes, over[counted], under[counted]), int(counted.sum()), int((~counted).sum()), by


def _sums(codes: NDArray[np.intp], *columns: Values) -> Values:
    """Units × columns."""
    return np.column_stack([np.bincount(codes, column).astype(np.float64) for column in columns])


def _codes(groups: Sequence[Hashable] | None, length: int) -> NDArray[np.intp]:
    if groups is None:
        return np.arange(length)
    if len(groups) != length:
        raise ValueError(f"There are {length} values and {len(groups)} groups; each value needs its group.")
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(group, len(known)) for group in groups], dtype=np.intp)


def _range(sums: Values, tail: float) -> tuple[float, float]:
    if len(sums) < 2:
        mean = float(sums[0, 0] / sums[0, 1])
        return mean, mean
    drawn = _resampled(sums)
    tail = _widened(tail, len(sums))
    drawn = drawn[drawn[:, 1] != 0]
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (tail, 1 - tail))
    return float(low), float(high)


def _resampled(sums: Values) -> Values:
    """Resamples × columns: the sums over as many units as there are, drawn with replacement."""
    units = len(sums)
    resamples = int(np.clip(_MOST_DRAWS // units, 1_000, RESAMPLES))
    at_once = max(1, _CHUNK // units)
    random = np.random.default_rng((_SEED, units))
    columns = [np.ascontiguousarray(column) for column in sums.T]
    constant = [bool((column == column[0]).all()) for column in columns]
    drawn = np.empty((resamples, len(columns)))
    for start in range(0, resamples, at_once):
        end = min(start + at_once, resamples)
        picked = random.integers(0, units, size=(end - start, units))
        for number, column in enumerate(columns):
            drawn[start:end, number] = units * column[0] if constant[number] else column.take(picked).sum(axis=1)
    return drawn


def _widened(tail: float, units: int) -> float:
    """The tail to read instead, so that a range from few units is as wide as Student's."""
    return _NORMAL.cdf(-sqrt(units / (units - 1)) * _student(-_NORMAL.inv_cdf(tail), units - 1))


def _student(z: float, freedom: int) -> float:
    """Student's quantile for the normal one (Abramowitz and Stegun 26.7.5)."""
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def _at_the_end(value: float, scale: tuple[float, float], tail: float, units: int) -> tuple[float, float]:
    least, most = scale
    reach = (most - least) * (1 - tail ** (1 / units))
    return (least, least + reach) if value == least else (most - reach, most)
