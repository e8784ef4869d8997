"""Evidence as numbers: what tells which strategy a question needs.

The words of a question hardly tell; what carries over from one team to another is how near the question comes to the
team's own passages, examples and fine-tuning prompts, each held against what is usual in its store, and how those
compare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bot.domain import Evidence

Features = NDArray[np.float64]

NAMES = (
    "passage_similarity",
    "passage_mean",
    "passage_margin",
    "passage_lead",
    "closeness",
    "closeness_lead",
    "rarest",
    "lexical",
    "coverage",
    "agreement",
    "freshness",
    "example_similarity",
    "example_mean",
    "example_lead",
    "vote_purity",
    "fine_tuned_similarity",
    "passage_less_example",
    "passage_less_fine_tuned",
    "example_less_fine_tuned",
    "lead",
)
WORDS: Mapping[str, str] = {
    "passage_similarity": "nearest passage",
    "closeness": "its closeness word by word",
    "coverage": "rare words of the question found",
    "example_similarity": "nearest reviewed example",
    "fine_tuned_similarity": "nearest tuning prompt",
    "agreement": "agreement of search by word and by meaning",
    "vote_purity": "agreement of the nearest examples",
    "passage_lead": "lead of the nearest passage in standard deviations",
    "example_lead": "lead of the nearest example in standard deviations",
    "rarest": "match of the question's rarest word",
    "lexical": "weight of the question's words found",
    "passage_margin": "lead over the next passages",
    "freshness": "freshness of the nearest passage",
}
"""What people are told of, those that say most first; the other numbers say the same in other words."""
_NEXT = 3
_LEAST_SPREAD = 0.01
_HALF_LIFE_DAYS = 180.0


def features(evidence: Evidence, tuned: str | None = None, *, now: datetime | None = None) -> Features:
    """The numbers in the order of NAMES: 0 where a store has nothing, NaN where nothing is known.

    `tuned`: the fine-tuned model that is asked about; None: the nearest of all. `now`: what freshness counts from.
    """
    passages = sorted((passage.similarity for passage in evidence.passages), reverse=True)
    examples = sorted(evidence.near or (example.similarity for example in evidence.examples), reverse=True)
    passage, example = _best(passages), _best(examples)
    prompt = evidence.fine_tuned.get(tuned, 0.0) if tuned else max(evidence.fine_tuned.values(), default=0.0)
    ranked = sorted((passage, example, prompt))
    signs = evidence.signs
    row = [
        passage,
        _mean(passages),
        _margin(passages),
        _in_spreads(passage, signs.background, signs.spread) if passages else 0.0,
        signs.closeness if passages else 0.0,
        signs.closeness_lead if passages else 0.0,
        signs.rarest if passages else 0.0,
        max((passage.lexical for passage in evidence.passages), default=0.0),
        evidence.coverage,
        evidence.agreement,
        _freshness(evidence, now or datetime.now(UTC)),
        example,
        _mean(examples),
        evidence.example_lead if examples else 0.0,
        evidence.vote_purity if examples else 0.0,
        prompt,
        passage - example,
        passage - prompt,
        example - prompt,
        ranked[-1] - ranked[-2],
    ]
    found = np.array(row, dtype=np.float64)
    if passages and not evidence.comparable:
        found[_OF_COSINES] = math.nan
    return found


# What says nothing where the passages' cosines are those of another embedding model.
_OF_COSINES = [
    NAMES.index(name)
    for name in (
        "passage_similarity",
        "passage_mean",
        "passage_margin",
        "passage_less_example",
        "passage_less_fine_tuned",
        "lead",
    )
]


def as_dict(row: Features) -> dict[str, float]:
    """The numbers by name, without those that are not known."""
    return {name: round(float(value), 4) for name, value in zip(NAMES, row, strict=True) if math.isfinite(value)}


def _best(similarities: Sequence[float]) -> float:
    return similarities[0] if similarities else 0.0


def _mean(similarities: Sequence[float]) -> float:
    return sum(similarities[:_NEXT]) / len(similarities[:_NEXT]) if similarities else 0.0


def _margin(similarities: Sequence[float]) -> float:
    """How far the best stands out from the next few."""
    rest = similarities[1 : 1 + _NEXT]
    return similarities[0] - sum(rest) / len(rest) if rest else 0.0


def _in_spreads(best: float, background: float, spread: float) -> float:
    return (best - background) / max(spread, _LEAST_SPREAD)


def _freshness(evidence: Evidence, now: datetime) -> float:
    """1 for a best passage of today, half of it after half a year; NaN where it has no date."""
    if not evidence.passages:
        return 0.0
    updated = max(evidence.passages, key=lambda passage: passage.similarity).updated
    if updated is None:
        return math.nan
    days = max(0.0, (now - updated).total_seconds() / 86_400)
    return float(0.5 ** (days / _HALF_LIFE_DAYS))
