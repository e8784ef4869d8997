"""The same question asked otherwise."""

from __future__ import annotations

import pytest
from matrices import RAG, ZERO, plain

from bot.evaluation.flips import flips
from bot.evaluation.matrix import Row, Way
from bot.evaluation.perturbations import PERTURBATIONS, perturbed

A, B = Way(ZERO, "small"), Way(RAG, "small")
TEXTS = [f"How do we roll back a failed release of service number {number} on Fridays?" for number in range(40)]
ROWS = [Row(id=str(number), text=text, group=str(number)) for number, text in enumerate(TEXTS)]


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_a_perturbation_is_the_same_for_a_seed_and_changes_the_text(kind: str) -> None:
    assert perturbed(TEXTS[0], kind, 3) == perturbed(TEXTS[0], kind, 3)
    assert all(perturbed(text, kind) != text for text in TEXTS)


def test_politeness_stands_around_the_whole_question() -> None:
    for text in TEXTS:
        before, found, after = perturbed(text, "greetings and thanks").partition(text)
        assert before
        assert found
        assert after
    assert len({perturbed(text, "greetings and thanks", seed) for seed in range(20) for text in TEXTS[:1]}) > 5


def test_a_tenth_of_the_words_get_a_typing_error() -> None:
    for text in TEXTS:
        before, after = text.split(), perturbed(text, "typing errors").split()
        assert len(before) == len(after)
        changed = [(one, other) for one, other in zip(before, after, strict=True) if one != other]
        assert len(changed) == 1  # of 13 or 14 words
        ((word, slip),) = changed
        assert len(word) >= 4
        assert abs(len(word) - len(slip)) <= 1
        assert word[0] == slip[0]


@pytest.mark.parametrize("text", ["", "why?", "a b c", "v1.2.3 https://x.example/a_b"])
def test_texts_without_words_that_could_be_mistyped_stay_as_they_are(text: str) -> None:
    assert perturbed(text, "typing errors").count(" ") == text.count(" ")
    perturbed(text, "greetings and thanks")


async def test_flips_are_counted_where_the_choice_changes() -> None:
    found = {flip.kind: flip for flip in await flips(ROWS, lambda text: B if text.isupper() else A)}
    assert found["upper case"].share.mean == 1.0
    assert found["upper case"].share.questions == 40
    assert [found[kind].share.mean for kind in ("greetings and thanks", "lower case", "typing errors")] == [0.0] * 3
    assert (found["upper case"].examples[0].before, found["upper case"].examples[0].after) == (A, B)
    assert found["lower case"].examples == ()


async def test_a_decision_may_take_its_time() -> None:
    async def decide(text: str) -> Way | None:
        return None if text.startswith(("H", "G", "@")) and text.count("release") else A

    found = {flip.kind: flip.share.mean for flip in await flips(ROWS, decide)}
    assert found["lower case"] == 1.0


async def test_a_wording_that_changes_nothing_is_not_counted() -> None:
    rows = plain([[1.0]] * 3, (A,)).rows  # in lower case already
    found = {flip.kind: flip.share for flip in await flips(rows, lambda text: A)}
    assert (found["lower case"].mean, found["lower case"].questions) == (None, 0)
    assert found["upper case"].questions == 3
