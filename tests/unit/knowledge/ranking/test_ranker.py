"""The order of candidates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.embedding.words import AXES, QuestionWords, pack, unit
from knowledge.ranking.candidate import Candidate, RankedQuestion, Ranking
from knowledge.ranking.ranker import CLOSE, MOST_FEEDBACK, MOST_FRESHNESS, rank
from knowledge.ranking.weights import Weights

Make = Callable[..., Candidate]
Ask = Callable[..., RankedQuestion]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILLER = " filler" * 40


def keys(ranking: Ranking) -> list[int]:
    return [one.candidate.key for one in ranking.ranked]


def test_nothing_found_holds_no_answer(make_question: Ask) -> None:
    assert rank(make_question("rotate the key"), [], Weights()) == Ranking((), 0.0)


def test_all_candidates_come_back_once(make_candidate: Make, make_question: Ask) -> None:
    candidates = [make_candidate(key, "text", cosine=key / 100, by_word=key / 100) for key in range(CLOSE * 2)]
    ranking = rank(make_question("text"), candidates, Weights())
    assert sorted(keys(ranking)) == list(range(CLOSE * 2))
    scores = [one.score for one in ranking.ranked]
    assert scores == sorted(scores, reverse=True)


def test_what_is_found_by_both_sides_comes_first(make_candidate: Make, make_question: Ask) -> None:
    candidates = [
        make_candidate(1, "text", cosine=0.9, by_word=0.0),
        make_candidate(2, "text", cosine=0.8, by_word=0.9),
        make_candidate(3, "text", cosine=0.1, by_word=1.0),
    ]
    assert keys(rank(make_question("nothing of that"), candidates, Weights()))[0] == 2


def test_words_that_stand_together_beat_words_far_apart(make_candidate: Make, make_question: Ask) -> None:
    apart = make_candidate(1, f"Rotate this.{FILLER} And there is a key.{FILLER} It is for signing.")
    together = make_candidate(2, f"{FILLER}{FILLER} Rotate the signing key.")
    assert keys(rank(make_question("rotate the signing key"), [apart, together], Weights())) == [2, 1]


def test_a_candidate_among_good_ones_of_its_like_beats_a_lone_one(make_candidate: Make, make_question: Ask) -> None:
    like = np.zeros(64, np.float32)
    like[0] = 1
    alike = [make_candidate(key, "text", vector=like, cosine=0.9, by_word=0.9) for key in (2, 3, 4)]
    other = [make_candidate(key, "text", cosine=0.1, by_word=0.1) for key in range(11, 17)]
    lone = make_candidate(1, "text", cosine=0.5)
    among = make_candidate(5, "text", cosine=0.5, vector=like)
    order = keys(rank(make_question("unrelated"), [lone, *other, *alike, among], Weights()))
    assert order.index(5) < order.index(1)


def test_a_document_with_several_good_chunks_beats_one_with_one(make_candidate: Make, make_question: Ask) -> None:
    one = make_candidate(1, "text")
    several = [make_candidate(key, "text", document_id="same", position=key) for key in (2, 3, 4)]
    assert keys(rank(make_question("unrelated"), [one, *several], Weights()))[-1] == 1


def test_equals_are_ordered_by_key(make_candidate: Make, make_question: Ask) -> None:
    candidates = [make_candidate(key, "same") for key in (3, 1, 2)]
    assert keys(rank(make_question("same"), candidates, Weights())) == [1, 2, 3]


def test_the_terms_that_a_candidate_holds_are_named(make_candidate: Make, make_question: Ask) -> None:
    candidate = make_candidate(1, "The signing keys", heading=("Rotation",))
    (ranked,) = rank(make_question("rotation of keys yearly"), [candidate], Weights()).ranked
    assert ranked.held == {0, 2}


@pytest.mark.parametrize(
    ("said", "most"),
    [({"updated": NOW}, MOST_FRESHNESS), ({"feedback": 1.0}, MOST_FEEDBACK), ({"feedback": 99.0}, MOST_FEEDBACK)],
)
def test_freshness_and_feedback_decide_between_equals_within_bounds(
    said: dict[str, object], most: float, make_candidate: Make, make_question: Ask
) -> None:
    question = make_question("text", now=NOW)
    plain = rank(question, [make_candidate(1, "text"), make_candidate(2, "text")], Weights())
    liked = rank(question, [make_candidate(1, "text"), make_candidate(2, "text", **said)], Weights())
    assert (keys(plain), keys(liked)) == ([1, 2], [2, 1])
    assert liked.ranked[0].score - plain.ranked[0].score == pytest.approx(most)


def test_freshness_fades(make_candidate: Make, make_question: Ask) -> None:
    ages = [make_candidate(years, "text", updated=NOW - timedelta(days=365 * years)) for years in (3, 1, 2)]
    assert keys(rank(make_question("text", now=NOW), ages, Weights())) == [1, 2, 3]


def test_what_was_disliked_sinks(make_candidate: Make, make_question: Ask) -> None:
    candidates = [make_candidate(1, "text", feedback=-1.0), make_candidate(2, "text")]
    assert keys(rank(make_question("text"), candidates, Weights())) == [2, 1]


def test_the_probability_is_higher_where_the_words_are_there(make_candidate: Make, make_question: Ask) -> None:
    question = make_question("rotate the signing key")
    there = rank(question, [make_candidate(1, "Rotate the signing key.", cosine=0.8)], Weights())
    missing = rank(question, [make_candidate(1, "Lunch is at noon.", cosine=0.1, by_word=0.0)], Weights())
    assert 0 <= missing.probability < there.probability <= 1


def test_a_question_without_words_is_ranked_by_meaning(make_candidate: Make, make_question: Ask) -> None:
    candidates = [make_candidate(key, "text", cosine=key / 10, by_word=0.0) for key in (1, 2, 3)]
    assert keys(rank(make_question("???"), candidates, Weights())) == [3, 2, 1]


def words_of(*seeds: int) -> NDArray[np.float32]:
    return np.concatenate([np.random.default_rng(seed).normal(size=(1, AXES)) for seed in seeds]).astype(np.float32)


def test_words_that_mean_the_same_in_their_sentence_bring_a_candidate_up(
    make_candidate: Make, make_question: Ask
) -> None:
    question = make_question("renew cert", words=QuestionWords(unit(words_of(1, 2)), ("renew", "cert")))
    candidates = [
        make_candidate(1, "text", words=pack(words_of(3, 4))),
        make_candidate(2, "x", words=pack(words_of(1))),
    ]
    assert keys(rank(question, candidates, Weights())) == [2, 1]


def test_where_one_candidate_has_no_words_to_compare_none_is_judged_by_them(
    make_candidate: Make, make_question: Ask
) -> None:
    question = make_question("renew cert", words=QuestionWords(unit(words_of(1, 2)), ("renew", "cert")))
    candidates = [make_candidate(1, "text"), make_candidate(2, "text", words=pack(words_of(1, 2)))]
    assert keys(rank(question, candidates, Weights())) == [1, 2]
