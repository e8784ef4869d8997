"""Which questions ask the same."""

from __future__ import annotations

import pytest

from bot.learning.alike import key, same, same_facts


@pytest.mark.parametrize(
    "other",
    ["hello, When do DEPLOYS run??", "When  do\ndeploys run", "Good morning all! When do deploys run? Thank you!"],
)
def test_case_spaces_punctuation_and_greetings_make_no_other_question(other: str) -> None:
    assert same(key("When do deploys run?"), "When do deploys run?", other, 0.0)


def test_a_question_that_is_a_greeting_keeps_its_words() -> None:
    assert key("Hello!") == "hello"
    assert key("Hello, hi") == "hello hi"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How many days in 2026?", "How many days in 2027?"),
        ("Can I deploy on Fridays?", "Can I not deploy on Fridays?"),
        ("Can guests read it?", "Can’t guests read it?"),
        ("Who leads the Berlin office?", "Who leads the Munich office?"),
        ("Darf ich das?", "Darf ich das nicht?"),
        ("Is port 8080 open?", "Is port 80 open?"),
    ],
)
def test_another_number_name_or_negation_is_another_question_however_near(one: str, other: str) -> None:
    assert not same_facts(one, other)
    assert not same(key(one), one, other, 0.99)


def test_near_questions_with_the_same_facts_ask_the_same() -> None:
    one, other = "How do I rotate the Vault key in Berlin?", "In Berlin, how would I rotate the vault key?"
    assert same(key(one), one, other, 0.93)
    assert not same(key(one), one, other, 0.85)
