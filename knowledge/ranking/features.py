"""What is measured of each candidate, and how the measures of its neighbours and its document count for it.

What was tried and left out, as it gained nothing on questions and collections held out: ranks of both sides, matches in
title, heading and path, ordered and unordered pairs of words, the rarest word, length, place in the document, feedback
of the best into the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Vector
from knowledge.embedding.words import QuestionWords, closeness
from knowledge.ranking.candidate import Candidate, RankedQuestion

Column = NDArray[np.float64]
NEIGHBOURS = 5
WINDOW = 24  # stems: about a sentence
_STEEP = 6.0
_COMMON_WORD = 0.2  # what a word that every text has counts, in parts of the most telling one
_FAR = 1 << 20


def stretched(values: Column) -> Column:
    """From 0 for the least to 1 for the greatest; 0 where all are equal."""
    least, most = values.min(initial=np.inf), values.max(initial=-np.inf)
    result: Column = (values - least) / (most - least) if most > least else np.zeros_like(values)
    return result


def spread(scores: Column, vectors: NDArray[np.float32]) -> Column:
    """For each candidate the mean score of the five most like it, weighted by the square of their likeness.

    Texts that are alike answer the same questions (Diaz 2005, regularising ad hoc retrieval scores).
    """
    count = min(NEIGHBOURS, len(scores) - 1)
    if count < 1:
        return np.zeros_like(scores)
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1)
    near = np.argpartition(-alike, count - 1, axis=1)[:, :count]
    weights = np.maximum(np.take_along_axis(alike, near, axis=1), 0).astype(np.float64) ** 2
    result: Column = (weights * scores[near]).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9)
    return result


def company(scores: Column, documents: Sequence[str]) -> Column:
    """How many good candidates a candidate's document has, in logarithms: each counts the less the worse it is.

    `scores` run from 0 to 1.
    """
    _, places = np.unique(np.array(documents), return_inverse=True)
    good = np.exp(_STEEP * (scores - 1))
    result: Column = np.log1p(np.bincount(places, weights=good)[places])
    return result


def late(question: RankedQuestion, candidates: Sequence[Candidate]) -> Column | None:
    """Late interaction: how close each candidate's words are to the question's, those that tell more counting more.

    None where the question or a candidate has no words to compare.
    """
    packed = [one.words for one in candidates if one.words is not None]
    if question.words is None or len(packed) < len(candidates):
        return None
    return closeness(question.words.vectors, word_weights(question, question.words), packed)


def word_weights(question: RankedQuestion, words: QuestionWords) -> Vector:
    """How much each of the question's tokens tells: the idf of its word, and little where no text has the word."""
    idf = {form: term.idf for term in question.terms for form in term.forms}
    stems = {word: question.stems(word, "") for word in set(words.words)}
    least = _COMMON_WORD * max(idf.values(), default=1.0)
    told = {word: max((idf[stem] for stem in of if stem in idf), default=least) for word, of in stems.items()}
    return np.array([told[word] for word in words.words], np.float32)


def matches(question: RankedQuestion, candidate: Candidate) -> list[tuple[int, int]]:
    """Where in the candidate, and which of the question's terms by number, in order of the places."""
    numbers = {form: number for number, term in enumerate(question.terms) for form in term.forms}
    front = "\n".join([candidate.path, candidate.title, *candidate.heading])
    # The space between keeps a window from spanning the front and the text.
    stems = chain(
        enumerate(question.stems(front, candidate.language), -_FAR),
        enumerate(question.stems(candidate.text, candidate.language)),
    )
    return [(place, numbers[stem]) for place, stem in stems if stem in numbers]


def window(question: RankedQuestion, found: Sequence[tuple[int, int]]) -> float:
    """The greatest share (0 to 1) of the question's idf weight within `WINDOW` successive stems."""
    weights = [term.idf for term in question.terms]
    held = [0] * len(weights)
    best = now = 0.0
    start = 0
    for place, number in found:
        now += 0 if held[number] else weights[number]
        held[number] += 1
        while place - found[start][0] >= WINDOW:
            gone = found[start][1]
            held[gone] -= 1
            now -= 0 if held[gone] else weights[gone]
            start += 1
        best = max(best, now)
    total = sum(weights)
    return best / total if total else 0.0
