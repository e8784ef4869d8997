"""Evidence as numbers: what tells which strategy a question needs.

The words of a question hardly tell; what carries over from one team to another is how near the question comes to the
team's own passages, examples and fine-tuning prompts, and how those compare.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.domain import Evidence

Features = NDArray[np.float64]

NAMES = (
    "passage_similarity",
    "passage_margin",
    "passage_mean",
    "lexical",
    "coverage",
    "agreement",
    "example_similarity",
    "example_margin",
    "fine_tuned_similarity",
    "passage_less_example",
    "passage_less_fine_tuned",
    "example_less_fine_tuned",
    "lead",
)
_NEXT = 3


def features(evidence: Evidence) -> Features:
    """The numbers in the order of NAMES; 0 where a store has nothing."""
    passages = sorted((passage.similarity for passage in evidence.passages), reverse=True)
    examples = sorted((example.similarity for example in evidence.examples), reverse=True)
    passage, example = _best(passages), _best(examples)
    tuned = max(evidence.fine_tuned.values(), default=0.0)
    ranked = sorted((passage, example, tuned))
    return np.array(
        [
            passage,
            _margin(passages),
            sum(passages[:_NEXT]) / _NEXT,
            max((passage.lexical for passage in evidence.passages), default=0.0),
            evidence.coverage,
            evidence.agreement,
            example,
            _margin(examples),
            tuned,
            passage - example,
            passage - tuned,
            example - tuned,
            ranked[-1] - ranked[-2],
        ],
        dtype=np.float64,
    )


def _best(similarities: Sequence[float]) -> float:
    return similarities[0] if similarities else 0.0


def _margin(similarities: Sequence[float]) -> float:
    """How far the best stands out from the next few."""
    rest = similarities[1 : 1 + _NEXT]
    return similarities[0] - sum(rest) / len(rest) if rest else 0.0
