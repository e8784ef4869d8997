"""What the two sides of the search hand over to the ranking, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from knowledge.documents import NO_SIGNS, Signs, Vector
from knowledge.embedding.words import QuestionWords

# (text, language) → the text's stems in their order, as the lexical index cuts them; the language is the candidate's.
Stems = Callable[[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the question: the stems that count as it (one a language, or a corrected spelling), and its idf."""

    forms: tuple[str, ...]
    idf: float


@dataclass(frozen=True, slots=True)
class RankedQuestion:
    """A question as the ranking needs it. `terms` are its telling words in their order, each once.

    Without `now` no candidate is fresher than another. `words` are there where the embedding model gives them.
    """

    text: str
    vector: Vector
    terms: tuple[Term, ...]
    stems: Stems
    now: datetime | None = None
    words: QuestionWords | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that one side of the search found.

    `cosine` is that of question and chunk. `by_meaning` and `by_word` are what both sides gave it, whichever found it:
    from 0 for the least of all that was found to 1 for the greatest, since what BM25 gives means nothing from one
    question or collection to the next. `feedback` is what readers made of it, −1 to 1, 0 unknown. `words` are its
    packed words where the embedding model gives them.
    """

    key: int
    digest: str
    document_id: str
    position: int
    path: str
    title: str
    heading: tuple[str, ...]
    text: str
    updated: datetime | None
    vector: Vector
    cosine: float
    by_meaning: float
    by_word: float
    language: str = ""
    feedback: float = 0.0
    words: bytes | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate in its place. `held` are the numbers (from 0) of the question's terms that it holds.

    Of those far down, which no one looks at closely, `held` is empty.
    """

    candidate: Candidate
    score: float
    held: frozenset[int]


@dataclass(frozen=True, slots=True)
class Ranking:
    """All candidates, best first, the probability (0 to 1) that the best few hold the answer, and its signs."""

    ranked: tuple[Ranked, ...]
    probability: float
    signs: Signs = NO_SIGNS
