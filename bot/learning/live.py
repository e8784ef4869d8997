"""What the learned choice gains on real questions, from the chances with which their options were drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bot.learning.bound import margin
from bot.learning.experience import Judged, Way

LEAST_JUDGED = 100
LEAST_OF_FIXED = 30.0
"""How many judged answers of the fixed way it takes, after those that weigh more than others are accounted for."""


def live_gain(judged: Sequence[Judged], fixed: Way) -> tuple[float, float, int] | None:
    """Mean gain in utility over a fixed way, its one-sided 95% lower bound, and on how many judged answers.

    Counted are answers for which the learned policy drew while the fixed way had a chance. The policy's value is the
    mean of what it drew, the fixed way's the self-normalised inverse propensity estimate (Swaminathan and Joachims
    2015), and the bound comes from the estimate's influence on each person's judgements together. None where there
    are too few of them.
    """
    kept = [(one, chance) for one in judged if (chance := _chance_of(one, fixed))]
    if len(kept) < LEAST_JUDGED:
        return None
    weight = np.array([one.weight for one, _ in kept])
    reached = np.array([one.value - (one.choice.option.quality - one.choice.option.utility) for one, _ in kept])
    inverse = np.array([one.weight * (one.way == fixed) / chance for one, chance in kept])
    if not inverse.any() or inverse.sum() ** 2 / (inverse**2).sum() < LEAST_OF_FIXED:
        return None
    policy, other = np.average(reached, weights=weight), np.average(reached, weights=inverse)
    influence = weight * (reached - policy) / weight.sum() - inverse * (reached - other) / inverse.sum()
    gain = float(policy - other)
    return gain, gain - margin(influence, [one.person for one, _ in kept]), len(kept)


def _chance_of(one: Judged, way: Way) -> float:
    """How likely the way was to be drawn for this question; 0 where it had no chance or nothing was drawn."""
    if one.propensity is None or one.choice.policy != "learned" or one.weight <= 0:
        return 0.0
    return next((o.chance or 0.0 for o in one.choice.options if (o.strategy, o.model) == way), 0.0)
