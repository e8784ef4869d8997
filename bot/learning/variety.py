"""Which examples go into a prompt: near to the question, and not all the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]

ANSWER_SHARE = 0.2
"""How much of the relevance is the cosine of the question to the example's answer, beside that to its question: what
was answered tells what was meant."""
NEARNESS = 0.7
"""What relevance counts beside variety, as in the paper's own examples for short lists."""
FLAGGED = 0.1
"""What an example that may be out of date loses of its relevance."""


def relevance(to_questions: Vector, to_answers: Vector, flagged: Sequence[bool]) -> Vector:
    """How much each example is worth for a question, from the cosines to its question and its answer."""
    found: Vector = (1 - ANSWER_SHARE) * to_questions + ANSWER_SHARE * to_answers
    return found - np.float32(FLAGGED) * np.asarray(flagged, np.float32)


def varied(relevances: Vector, questions: Vector, answers: Vector, k: int) -> list[int]:
    """The places of the `k` examples to take, best first, by maximal marginal relevance (Carbonell and Goldstein,
    SIGIR 1998): each next one is near to the question and unlike those that are taken.

    `questions` and `answers`: the examples' vectors, a row each; two are alike as the mean of both cosines says.
    """
    alike = (questions @ questions.T + answers @ answers.T) / 2
    redundancy = np.zeros(len(relevances), np.float32)
    taken: list[int] = []
    while len(taken) < min(k, len(relevances)):
        gain = NEARNESS * relevances - (1 - NEARNESS) * redundancy
        gain[taken] = -np.inf
        best = int(np.argmax(gain))
        taken.append(best)
        redundancy = np.maximum(redundancy, alike[best])
    return taken
