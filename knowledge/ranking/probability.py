"""How likely it is that the best few candidates hold the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from knowledge.ranking.candidate import Ranked, RankedQuestion

BEST = 6
BIAS = "bias"


def signs(question: RankedQuestion, ranked: Sequence[Ranked], windows: Sequence[float]) -> dict[str, float]:
    """What speaks for an answer among the best: likeness, words together in one place, words anywhere, and a lead.

    `windows` are those of `ranked`, in the same order.
    """
    best = ranked[:BEST]
    weights = [term.idf for term in question.terms]
    together: frozenset[int] = frozenset().union(*(one.held for one in best))
    return {
        "cosine": max(one.candidate.cosine for one in best),
        "window": max(windows[:BEST]),
        "coverage": sum(weights[number] for number in together) / (sum(weights) or 1.0),
        "lead": best[0].score - best[-1].score,
    }


def probability(found: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The logistic model's answer for these signs, 0 to 1."""
    return 1 / (1 + math.exp(-(weights[BIAS] + sum(weights[name] * value for name, value in found.items()))))
