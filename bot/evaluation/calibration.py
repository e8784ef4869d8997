"""Whether expected quality can be believed: its calibration error, and what is risked where it is trusted."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from bot.evaluation.statistics import Values

_MOST_BINS = 10
_LEAST_IN_BIN = 10
_FEWEST = 2 * _LEAST_IN_BIN
_POINTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Estimates of about the same height: their mean, the mean quality that came, and how many there are."""

    expected: float
    quality: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How far expected quality lies from what came.

    `error`: the mean distance over bins of equal size (0 to 1). It is above 0 however good the estimates are: `chance`
    is what perfect ones would show with so few. `debiased`: what is left without that.
    """

    error: float
    debiased: float
    chance: float
    bins: tuple[Bin, ...]
    estimates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """What share of answers is wrong when only the questions with the highest expected quality are answered.

    `curve`: (coverage, risk), both 0 to 1, from the surest question to all. `area` under it; `area_random`: were the
    expectations worth nothing; `area_ideal`: had they known which answers are good.
    """

    curve: tuple[tuple[float, float], ...]
    area: float
    area_random: float
    area_ideal: float
    questions: int


def calibration(expected: Values, quality: Values, groups: Sequence[Hashable]) -> Calibration | None:
    """Compares estimates with what came, where both are known; None with fewer than 20 such.

    Up to ten bins of equal mass, of ten estimates at least. Squared gaps grow by their own variance, so that share of
    them is taken off (Kumar, Liang and Ma 2019, "Verified uncertainty calibration", 4); the variance is
    that between groups, so that several estimates for one question do not count as independent.
    """
    kept = ~(np.isnan(expected) | np.isnan(quality))
    if kept.sum() < _FEWEST:
        return None
    rows = np.flatnonzero(kept)
    rows = rows[np.argsort(expected[rows], kind="stable")]
    bins = _equal_mass(expected[rows])
    sizes = np.array([part.stop - part.start for part in bins], dtype=np.float64)
    off = quality[rows] - expected[rows]
    gaps = np.array([off[part].mean() for part in bins])
    names = [groups[int(row)] for row in rows]
    spread = np.array([_spread(off[part], names[part]) for part in bins])
    weights = sizes / len(rows)
    error = float(weights @ np.abs(gaps))
    squared, noise = float(weights @ gaps**2), float(weights @ spread**2)
    return Calibration(
        error=error,
        debiased=error * sqrt(max(0.0, 1 - noise / squared)) if squared else 0.0,
        chance=float(weights @ spread) * sqrt(2 / pi),
        bins=tuple(
            Bin(
                expected=float(expected[rows][part].mean()),
                quality=float(quality[rows][part].mean()),
                count=part.stop - part.start,
            )
            for part in bins
        ),
        estimates=len(rows),
    )


def risk_coverage(expected: Values, quality: Values) -> RiskCoverage | None:
    """Answers the surest questions first. Equal expectations are as good as each other: their mean stands for each.

    None with fewer than 20 questions of which both are known.
    """
    kept = ~(np.isnan(expected) | np.isnan(quality))
    expected, wrong = expected[kept], 1 - quality[kept]
    if len(wrong) < _FEWEST:
        return None
    _, same, sizes = np.unique(-expected, return_inverse=True, return_counts=True)
    mean = np.bincount(same, wrong) / sizes
    risks = _risks(np.sort(same), mean)
    shown = np.unique(np.linspace(0, len(wrong) - 1, min(_POINTS, len(wrong))).round().astype(int))
    ideal = np.sort(wrong)
    return RiskCoverage(
        curve=tuple((float((n + 1) / len(wrong)), float(risks[n])) for n in shown),
        area=float(risks.mean()),
        area_random=float(wrong.mean()),
        area_ideal=float((np.cumsum(ideal) / np.arange(1, len(ideal) + 1)).mean()),
        questions=len(wrong),
    )


def _spread(values: Values, groups: Sequence[Hashable]) -> float:
    """The standard error of a mean of values that come in groups (linearised, as of a ratio)."""
    codes = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    if len(codes) < 2:
        codes, groups = {number: number for number in range(len(values))}, range(len(values))
    around = np.bincount([codes[group] for group in groups], values - values.mean())
    return float(np.sqrt(len(codes) / (len(codes) - 1) * (around**2).sum()) / len(values))


def _risks(order: np.ndarray[tuple[int, ...], np.dtype[np.intp]], mean: Values) -> Values:
    risks: Values = np.cumsum(mean[order]) / np.arange(1, len(order) + 1)
    return risks


def _equal_mass(ordered: Values) -> list[slice]:
    """Slices of about equal size; equal estimates stay in one bin."""
    count = len(ordered)
    wanted = min(_MOST_BINS, count // _LEAST_IN_BIN)
    edges = [0]
    for number in range(1, wanted):
        edge = int(np.searchsorted(ordered, ordered[round(number * count / wanted)], side="left"))
        if edge - edges[-1] >= _LEAST_IN_BIN and count - edge >= _LEAST_IN_BIN:
            edges.append(edge)
    return [slice(start, end) for start, end in zip(edges, [*edges[1:], count], strict=True)]
