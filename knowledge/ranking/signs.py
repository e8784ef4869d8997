"""What speaks for and against the passages as a whole, in numbers that mean the same in any store of documents."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from knowledge.documents import Signs
from knowledge.embedding.words import unpack
from knowledge.ranking.candidate import Candidate, RankedQuestion
from knowledge.ranking.features import Column, word_weights

_NEXT = 3
_BACKGROUND = slice(5, 30)
_RARE = 4  # the rarest quarter of the question's tokens


def signs_of(question: RankedQuestion, candidates: Sequence[Candidate], late: Column | None, best: Candidate) -> Signs:
    """The signs. `late`: the closeness of those looked at closely, None where words cannot be compared."""
    cosines = np.sort([one.cosine for one in candidates])[::-1][_BACKGROUND]
    close = np.array([math.nan]) if late is None else np.sort(late)[::-1]
    return Signs(
        closeness=float(close[0]),
        closeness_lead=float(close[0] - close[1 : 1 + _NEXT].mean()) if len(close) > 1 else math.nan,
        rarest=_rarest(question, best),
        background=float(cosines.mean()) if len(cosines) else math.nan,
        spread=float(cosines.std()) if len(cosines) > 1 else math.nan,
    )


def _rarest(question: RankedQuestion, best: Candidate) -> float:
    """How close the best candidate comes to that one of the question's rarest words which it matches least."""
    if question.words is None or not best.words or not question.words.words:
        return math.nan
    nearest = (question.words.vectors @ unpack(best.words).T).max(axis=1)
    weights = word_weights(question, question.words)
    rare = np.argsort(-weights, kind="stable")[: max(1, len(weights) // _RARE)]
    return float(nearest[rare].min())
