from __future__ import annotations

import random

import pytest

from knowledge.records import Fingerprint, Original
from knowledge.refresh.twins import are_twins, fingerprint

TEXT = (
    "to release the service the captain opens the board and checks that every test is green. then the button is "
    "pressed and the new version goes to one machine in each region. after ten minutes without alarms it goes to the "
    "rest. the queue listens on port 8080 and the old version is kept for a day so that it can be brought back. it is "
    "not allowed to release on a friday. whoever presses the button stays at the desk until the graphs are flat again."
)


def original(text: str, title: str = "Releases") -> Original:
    return Original("d", title, ("Releases", "How"), text)


def share(one: Fingerprint, other: Fingerprint) -> bool:
    return one.first == other.first or one.second == other.second or one.third == other.third


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("to release the service", "to release a service"),
        ("goes to the rest.", "goes to the rest!"),
        ("  ", " "),
        ("the button is pressed", "the  **button** is\npressed"),
        ("so that it can be brought back", "so it can be brought back"),
    ],
)
def test_texts_that_differ_in_a_small_word_or_in_signs_are_twins(old: str, new: str) -> None:
    assert are_twins(original(TEXT), original(TEXT.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("8080", "8081"),
        ("it is not allowed", "it is allowed"),
        ("the captain opens", "Maya opens"),
        ("listens on port", "listens on PORT_NUMBER"),
        ("after ten minutes without alarms", "after ten minutes with alarms"),
        ("until the graphs", "before the graphs"),
        ("to release the service", "to stop a machine"),
    ],
)
def test_another_number_name_or_negation_is_another_fact(old: str, new: str) -> None:
    assert old in TEXT
    assert not are_twins(original(TEXT), original(TEXT.replace(old, new)))


def test_the_same_numbers_in_another_order_are_other_facts() -> None:
    one = TEXT + " port 80 leads to port 90."
    assert not are_twins(original(one), original(TEXT + " port 90 leads to port 80."))


def test_the_same_words_under_another_title_are_no_twins() -> None:
    assert not are_twins(original("not yet known.", "Billing"), original("not yet known.", "Search"))


def test_twins_nearly_always_share_a_number_and_others_hardly_ever() -> None:
    chance = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"
    found = strangers = 0
    for _ in range(400):
        words = ["".join(chance.choices(letters, k=5)) for _ in range(160)]
        changed = list(words)
        changed[chance.randrange(160)] = "another"
        one, other = original(" ".join(words)), original(" ".join(changed))
        assert are_twins(one, other)
        found += share(fingerprint(one), fingerprint(other))
        chance.shuffle(changed)
        strangers += share(fingerprint(one), fingerprint(original(" ".join(changed))))
    assert found >= 392
    assert strangers == 0


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    assert fingerprint(original(TEXT)) == Fingerprint(-2101090145206613947, -3170734146961896882, 6618349548506446142)


@pytest.mark.parametrize("text", ["", "word", "two words", "。", "版本 八〇八〇"])
def test_the_shortest_texts_have_a_fingerprint_too(text: str) -> None:
    assert fingerprint(original(text, "")) == fingerprint(original(text, ""))
    assert are_twins(original(text, ""), original(text, ""))
