"""How small a mean gain may be in truth."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
LEAST_GROUPS = 4
"""With fewer, the spread between groups is itself a guess."""


def lower_bound(values: NDArray[np.float64], groups: Sequence[str]) -> float:
    """The one-sided 95% lower bound of a mean whose values come in groups: what is alike in a group counts once.

    −∞ with fewer than LEAST_GROUPS groups.
    """
    return float(values.mean()) - margin((values - values.mean()) / len(values), groups)


def margin(influence: NDArray[np.float64], groups: Sequence[str]) -> float:
    """How far below an estimate its one-sided 95% lower bound lies. `influence`: how much each value moves it.

    Student's quantile times the cluster-robust standard error, with as many degrees of freedom as there are groups
    less one (Cameron and Miller 2015, section II). ∞ with fewer than LEAST_GROUPS groups.
    """
    names, place = np.unique(np.array(groups), return_inverse=True)
    if len(names) < LEAST_GROUPS:
        return np.inf
    sums = np.bincount(place, weights=influence)
    error = np.sqrt(len(names) / (len(names) - 1) * (sums**2).sum())
    return float(student(len(names) - 1) * error)


def student(freedom: int) -> float:
    """The 95% quantile of Student's t, by its expansion around the normal's (Abramowitz and Stegun 26.7.5), which is
    off by less than 0.1% from three degrees of freedom on."""
    z = NormalDist().inv_cdf(CONFIDENCE)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(sum(term / freedom**power for power, term in enumerate(terms)))
