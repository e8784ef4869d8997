from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from knowledge.documents import NO_SIGNS
from knowledge.embedding.words import AXES, QuestionWords, pack, unit
from knowledge.ranking.candidate import Candidate, RankedQuestion
from knowledge.ranking.ranker import rank
from knowledge.ranking.signs import signs_of
from knowledge.ranking.weights import Weights

MakeCandidate = Callable[..., Candidate]
MakeQuestion = Callable[..., RankedQuestion]


def words(seed: int, count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(size=(count, AXES)).astype(np.float32)


def test_the_background_is_what_was_found_but_not_wanted(
    make_question: MakeQuestion, make_candidate: MakeCandidate
) -> None:
    cosines = [0.9, 0.8, 0.7, 0.6, 0.5, *(0.1 + 0.01 * n for n in range(25))]
    candidates = [replace(make_candidate(n), cosine=value) for n, value in enumerate(cosines)]
    signs = signs_of(make_question("rotate the key"), candidates, None, candidates[0])
    assert signs.background == pytest.approx(np.mean(cosines[5:]))
    assert signs.spread == pytest.approx(np.std(cosines[5:]))
    assert math.isnan(signs.closeness)
    assert math.isnan(signs.rarest)


def test_closeness_is_that_of_the_closest_and_leads_the_next_three(
    make_question: MakeQuestion, make_candidate: MakeCandidate
) -> None:
    candidates = [make_candidate(1)]
    late = np.array([0.2, 0.8, 0.5, 0.4, 0.3])
    signs = signs_of(make_question("rotate the key"), candidates, late, candidates[0])
    assert signs.closeness == pytest.approx(0.8)
    assert signs.closeness_lead == pytest.approx(0.8 - 0.4)


def test_a_rare_word_that_the_best_does_not_hold_is_told(
    make_question: MakeQuestion, make_candidate: MakeCandidate
) -> None:
    tokens = words(0, 8)
    question = replace(make_question("a b c d"), words=QuestionWords(unit(tokens[:4]), ("a", "b", "c", "d")))

    def rarest(held: list[int]) -> float:
        best: Candidate = replace(make_candidate(1), words=pack(tokens[held]))
        return signs_of(question, [best], None, best).rarest

    assert rarest([0, 1, 2, 3]) > 0.9
    assert rarest([4, 5, 6, 7]) < 0.5


def test_without_candidates_there_are_no_signs(make_question: MakeQuestion) -> None:
    assert rank(make_question("rotate the key"), [], Weights()).signs == NO_SIGNS
