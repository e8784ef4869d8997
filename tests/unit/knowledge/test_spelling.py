from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.lexical import Entry, LexicalIndex
from knowledge.records import Facets
from knowledge.spelling import distance

PUBLIC = Facets("docs", frozenset({"everyone"}))
TEXTS = {
    1: "The kubernetes scheduler places pods",
    2: "Certificates expire after a year",
    3: "Release v1.27.3 of the gateway, see ERR_CONN_RESET",
    4: "The schema of the database",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    index = LexicalIndex(Path(tmp_path_factory.mktemp("words")))
    index.recreate()
    index.add(Entry(key, PUBLIC, text) for key, text in TEXTS.items())
    index.commit()
    return index


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("kuberntes", 1),  # a letter too few
        ("kubernettes", 1),  # one too many
        ("gatewax", 3),  # another one
        ("gaetway", 3),  # two exchanged
        ("sheduller", 1),  # two edits of a long word
        ("kuber", 1),  # the beginning
        ("certif", 2),
        ("v1.27", 3),  # the beginning of an identifier
        ("err_conn", 3),
    ],
)
def test_what_no_text_has_stands_for_what_is_spelt_like_it(index: LexicalIndex, question: str, key: int) -> None:
    assert [found for found, _ in index.search(index.wording(question, ()), None, 10)][:1] == [key]


@pytest.mark.parametrize("question", ["yeat", "xyzzyplugh", "how2", "pds"])
def test_short_and_strange_words_stand_for_nothing_far_away(index: LexicalIndex, question: str) -> None:
    found = {key for key, _ in index.search(index.wording(question, ()), None, 10)}
    assert found <= ({2} if question == "yeat" else set())


def test_a_word_that_is_there_is_never_taken_for_another(index: LexicalIndex) -> None:
    (term,) = index.wording("schema", ()).terms
    assert term.forms == ("schema",)
    assert index.wording("schema", ()).guessed == frozenset()


def test_a_guess_counts_less_than_the_word_itself(index: LexicalIndex) -> None:
    ((_, exact),) = index.search(index.wording("gateway", ()), None, 10)
    ((_, guessed),) = index.search(index.wording("gatewax", ()), None, 10)
    assert 0 < guessed < exact


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("abc", "acb", 1), ("abcd", "badc", 2), ("kitten", "sitting", 3)],
)
def test_the_distance_counts_letters_and_exchanges(one: str, other: str, edits: int) -> None:
    assert distance(one, other) == distance(other, one) == edits


def test_an_ending_that_is_mistyped_still_leads_to_the_stem(index: LexicalIndex) -> None:
    assert index.wording("certifcates", ()).terms[0].forms == ("certif",)
    assert index.wording("certificatse", ()).terms[0].forms == ("certif",)
