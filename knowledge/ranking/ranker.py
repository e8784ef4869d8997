"""From candidates to their order: all by a simple fusion first, then the best of them by a closer look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from knowledge.ranking.candidate import Candidate, Ranked, RankedQuestion, Ranking
from knowledge.ranking.features import Column, company, late, matches, spread, stretched, window
from knowledge.ranking.probability import probability, signs
from knowledge.ranking.signs import signs_of
from knowledge.ranking.weights import Weights

NEAR = 64  # candidates whose words are compared with the question's as the encoder sees them
CLOSE = 32  # candidates that are read word by word: that takes most of the time
# The most that freshness and feedback add to a score, in which good neighbours differ by about as much: they decide
# between equals and bring nothing up that does not answer.
MOST_FRESHNESS = 0.15
MOST_FEEDBACK = 0.3
_FRESH_DAYS = 180.0  # after so long freshness has halved


@dataclass(frozen=True, slots=True)
class Look:
    """The candidates looked at closely, best by the simple fusion first, with a row of measures for each."""

    order: NDArray[np.intp]
    measures: dict[str, Column]
    held: list[frozenset[int]]


def rank(question: RankedQuestion, candidates: Sequence[Candidate], weights: Weights) -> Ranking:
    """The candidates, best first, equals by key. Blocks for about seven milliseconds with 64 of them."""
    if not candidates:
        return Ranking((), 0.0)
    simple = fused(candidates)
    look = look_closely(question, candidates, simple)
    learned = weights.order if "late" in look.measures else weights.order_without_words
    close = sum(learned[name] * column for name, column in look.measures.items()) + np.array(
        [_extra(candidates[place], question.now) for place in look.order]
    )
    again = np.lexsort((_keys(candidates)[look.order], -close))
    ranked = [Ranked(candidates[look.order[i]], float(close[i]), look.held[i]) for i in again]
    ranked += _rest(candidates, simple, look.order, ranked[-1].score)
    found = signs(question, ranked, look.measures["window"][again].tolist())
    told = signs_of(question, candidates, look.measures.get("late"), ranked[0].candidate)
    return Ranking(tuple(ranked), probability(found, weights.probability), told)


def fused(candidates: Sequence[Candidate]) -> Column:
    """Both sides of the search, half and half."""
    return np.array([(one.by_meaning + one.by_word) / 2 for one in candidates], dtype=np.float64)


def look_closely(question: RankedQuestion, candidates: Sequence[Candidate], simple: Column) -> Look:
    """Measures the best: those that are by the simple fusion, and of these those whose words are close too."""
    first = np.lexsort((_keys(candidates), -simple))[:NEAR]
    near = [candidates[place] for place in first]
    columns = {
        "cosine": np.array([one.by_meaning for one in near], dtype=np.float64),
        "bm25": np.array([one.by_word for one in near], dtype=np.float64),
    }
    score = simple[first]
    closeness = late(question, near)
    if closeness is not None:
        columns["late"] = closeness
        score = score + stretched(closeness) / 2
    columns["spread"] = spread(score, np.array([one.vector for one in near]))
    columns["company"] = company(stretched(score), [one.document_id for one in near])
    second = np.lexsort((_keys(near), -score))[:CLOSE]
    found = [matches(question, near[place]) for place in second]
    measures = {name: column[second] for name, column in columns.items()}
    measures["window"] = np.array([window(question, places) for places in found])
    return Look(first[second], measures, [frozenset(number for _, number in places) for places in found])


def _rest(candidates: Sequence[Candidate], simple: Column, looked_at: NDArray[np.intp], below: float) -> list[Ranked]:
    """Those that nobody looked at closely, in the order of the simple fusion, below the others."""
    others = np.setdiff1d(np.arange(len(candidates)), looked_at)
    order = others[np.lexsort((_keys(candidates)[others], -simple[others]))]
    return [Ranked(candidates[i], below - 1 + float(simple[i]), frozenset()) for i in order]


def _extra(candidate: Candidate, now: datetime | None) -> float:
    """What freshness and feedback add: 0 where neither is known."""
    fresh = 0.0
    if now is not None and candidate.updated is not None:
        days = max(0.0, (now - candidate.updated).total_seconds() / 86_400)
        fresh = MOST_FRESHNESS * 0.5 ** (days / _FRESH_DAYS)
    return fresh + MOST_FEEDBACK * max(-1.0, min(1.0, candidate.feedback))


def _keys(candidates: Sequence[Candidate]) -> NDArray[np.int64]:
    return np.array([one.key for one in candidates], dtype=np.int64)
