"""nDCG and recall of one ranking, and the two usual ways to fuse rankings by word and by meaning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

_RRF = 60  # as published: what is found first on one side alone does not win


def ndcg(ranked: Sequence[str], gains: Mapping[str, float], at: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `at` documents, 0 to 1."""
    got = sum(gains.get(one, 0.0) / math.log2(place + 2) for place, one in enumerate(ranked[:at]))
    best = sorted(gains.values(), reverse=True)[:at]
    return got / sum(gain / math.log2(place + 2) for place, gain in enumerate(best))


def recall(ranked: Sequence[str], gains: Mapping[str, float], at: int = 5) -> float:
    """The share of the documents that answer which is among the first `at`."""
    return len(gains.keys() & set(ranked[:at])) / len(gains)


def by_score(scores: Mapping[int, float]) -> list[int]:
    """Keys, the highest score first."""
    return sorted(scores, key=lambda key: (-scores[key], key))


def reciprocal(sides: Iterable[Sequence[int]]) -> dict[int, float]:
    """Reciprocal rank fusion."""
    fused: dict[int, float] = {}
    for side in sides:
        for place, key in enumerate(side, 1):
            fused[key] = fused.get(key, 0.0) + 1 / (_RRF + place)
    return fused


def halves(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    """Both sides' scores over the same keys, each stretched from 0 to 1, half and half."""
    first, second = _stretched(one), _stretched(other)
    return {key: (first[key] + second[key]) / 2 for key in one}


def _stretched(scores: Mapping[int, float]) -> dict[int, float]:
    least, most = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    return {key: (score - least) / (most - least) if most > least else 0.0 for key, score in scores.items()}
