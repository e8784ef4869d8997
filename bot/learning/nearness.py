"""What the examples nearest to a question tell the selector."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bot.domain import Example
from knowledge.documents import Vector

VOTERS = 10
_LEAST_SPREAD = 1e-3


def lead(best: float, similarities: Vector) -> float:
    """How many standard deviations the best similarity stands above the mean of all; NaN for fewer than two."""
    if len(similarities) < 2:
        return math.nan
    return (best - float(similarities.mean())) / max(float(similarities.std()), _LEAST_SPREAD)


def vote_purity(nearest: Sequence[Example]) -> float:
    """Share of these examples whose answer is that of the first; NaN where no two answers are alike."""
    answers = [example.answer for example in nearest]
    if len(set(answers)) == len(answers):
        return math.nan
    return answers.count(answers[0]) / len(answers)
