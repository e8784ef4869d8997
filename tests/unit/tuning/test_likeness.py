"""Golden questions that were planted in training data, in every form in which people ask the same again."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from training_rows import real_questions, reordered, shouted, spaced, turned_round

from bot.tuning.likeness import Asked, Shelf

GOLDEN = real_questions()


def found(planted: list[str]) -> float:
    shelf = Shelf.of(GOLDEN)
    return sum(shelf.like(Asked.of(question)) is not None for question in planted) / len(planted)


@pytest.mark.parametrize(
    ("form", "least"),
    [(lambda text, _: text, 1.0), (shouted, 1.0), (spaced, 1.0), (reordered, 1.0), (turned_round, 0.9)],
    ids=["exact", "case", "spaces", "reordered", "turned round"],
)
def test_planted_golden_questions_are_found(form: Callable[[str, random.Random], str], least: float) -> None:
    rng = random.Random(7)
    assert len(GOLDEN) > 50
    assert found([form(question, rng) for question in GOLDEN for _ in range(5)]) >= least


def test_other_questions_about_the_same_collection_are_not_taken_for_golden_ones() -> None:
    shelf = Shelf.of(GOLDEN[::2])
    assert [other for other in GOLDEN[1::2] if shelf.like(Asked.of(other)) is not None] == []


def test_another_number_or_a_negation_makes_another_question_where_that_is_asked_for() -> None:
    shelf = Shelf.of(["How many replicas may version 2 of the search have?", "Which teams may deploy on Fridays?"])
    for other in ("How many replicas may version 3 of the search have?", "Which teams may not deploy on Fridays?"):
        assert shelf.like(Asked.of(other)) is not None
        assert shelf.like(Asked.of(other), same_facts=True) is None


def test_questions_of_small_words_alone_are_the_same_only_where_they_are() -> None:
    shelf = Shelf.of(["What is it?"])
    assert shelf.like(Asked.of("what IS it")) == 0
    assert shelf.like(Asked.of("Who are you?")) is None
