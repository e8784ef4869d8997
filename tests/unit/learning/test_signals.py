from __future__ import annotations

import pytest

from bot.learning.asked_again import same_question
from bot.learning.corrections import MOST_CHARACTERS, is_correction


@pytest.mark.parametrize(
    "text",
    [
        "No, that is wrong, it is five days.",
        "no. It's 30 days",
        "that's not correct",
        "Actually, that's outdated.",
        "The answer is wrong: deploys run on Mondays",
        "Wrong, the port is 8700.",
        "this isn't true",
        "Nein, es sind 28 Tage.",
        "Das stimmt nicht, es sind 30 Tage.",
        "Das stimmt leider nicht",
        "Stimmt nicht: der Port ist 8700",
        "Falsch: es ist der 3. Mai",
        "Das ist veraltet.",
    ],
)
def test_a_plain_denial_is_a_correction(text: str) -> None:
    assert is_correction(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no, thanks",
        "Nein danke",
        "No, I meant the other one",
        "No problem, it is fine",
        "no, that is fine",
        "no, that's all",
        "Nein, das ist in Ordnung",
        "Is that wrong?",
        "That is right",
        "wrong button, sorry",
        "no it does not matter",
        "Das ist nicht schlimm",
        "What is wrong with the build",
        "That is wrong. " + "x" * MOST_CHARACTERS,
    ],
)
def test_other_replies_are_none(text: str) -> None:
    assert not is_correction(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When do deploys run?", "hey, when do the deploys run"),
        ("How do I roll back a release?", "how do i rol back a relase??"),
        ("How many vacation days are left over?", "How many vacation days are left over now?"),
        ("Wann laufen die Deploys?", "wann laufen denn bitte die deploys"),
    ],
)
def test_the_same_question_is_known_in_other_words_of_no_weight(one: str, other: str) -> None:
    assert same_question(one, other)
    assert same_question(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("When do deploys run on Monday?", "When do deploys run on Friday?"),
        ("What was the revenue in Q1?", "What was the revenue in Q2?"),
        ("When do deploys run?", "Do deploys run on Fridays?"),
        ("When do deploys run?", "When do deploys run on Fridays?"),
        ("Who may deploy?", "Who may deploy robots to the finance cluster on weekends?"),
        ("who?", "who?"),
        ("", ""),
    ],
)
def test_another_question_is_not(one: str, other: str) -> None:
    assert not same_question(one, other)
    assert not same_question(other, one)
