"""Candidates to rank, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from knowledge.analysis import Analyzer
from knowledge.ranking.candidate import Candidate, RankedQuestion, Term

_ANALYZER = Analyzer()
MakeCandidate = Callable[..., Candidate]
MakeQuestion = Callable[..., RankedQuestion]


@pytest.fixture
def make_candidate() -> MakeCandidate:
    """A candidate that resembles no other one, unless told."""

    def make(key: int, text: str = "", **said: Any) -> Candidate:
        vector = np.zeros(64, np.float32)
        vector[key % 64] = 1
        given: dict[str, Any] = {
            "digest": f"digest-{key}",
            "document_id": f"document-{key}",
            "position": 0,
            "path": f"{key}.md",
            "title": "",
            "heading": (),
            "updated": None,
            "vector": vector,
            "cosine": 0.5,
            "by_meaning": said.get("cosine", 0.5),
            "by_word": 0.5,
        }
        return Candidate(key=key, text=text, **(given | said))

    return make


@pytest.fixture
def make_question() -> MakeQuestion:
    """A question whose words tell equally much."""

    def make(text: str, **said: Any) -> RankedQuestion:
        terms = tuple(Term((stem,), 1.0) for stem in dict.fromkeys(_ANALYZER.stems(text)))
        return RankedQuestion(text, np.zeros(64, np.float32), terms, _ANALYZER.stems, **said)

    return make
