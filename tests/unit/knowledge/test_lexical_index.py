from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.errors import IndexBroken
from knowledge.filters import Reach
from knowledge.key_sum import key_sum
from knowledge.lexical import Entry, LexicalIndex
from knowledge.records import Facets

PUBLIC = Facets("docs", frozenset({"everyone"}))
PRIVATE = Facets("docs", frozenset({"channel:C1"}))
DOCS = frozenset({"docs"})
TEXTS = {
    1: "Restarting the kube-apiserver takes a minute",
    2: "The api gateway and the kube proxy are different things on a server",
    3: "ERR_CONN_RESET means that the peer hung up",
    4: "Connections reset by errors of the network",
    5: "Version v1.27.3 fixes the leak",
    6: "Versions 1 and 27 and 3 of the plan",
}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LexicalIndex]:
    index = LexicalIndex(tmp_path)
    index.recreate()
    index.add(Entry(key, PRIVATE if key == 4 else PUBLIC, text) for key, text in TEXTS.items())
    index.commit()
    yield index
    index.close()


def search(index: LexicalIndex, text: str, scopes: set[str] | None = None) -> list[int]:
    reach = None if scopes is None else Reach(frozenset(scopes), DOCS)
    return [key for key, _ in index.search(index.wording(text, ()), reach, 10)]


def test_words_are_found_in_other_forms(index: LexicalIndex) -> None:
    assert search(index, "how to restart?") == [1]
    assert search(index, "connection errors")[0] == 4


@pytest.mark.parametrize(("question", "key"), [("kube-apiserver", 1), ("err_conn_reset?", 3), ("what is v1.27.3", 5)])
def test_identifiers_are_found_whole(index: LexicalIndex, question: str, key: int) -> None:
    assert search(index, question)[0] == key


def test_only_what_may_be_read_is_searched(index: LexicalIndex) -> None:
    assert 4 in search(index, "network connections", {"everyone", "channel:C1"})
    assert search(index, "network connections", {"everyone"}) == []
    assert search(index, "network connections", {"channel:C1"}) == [4]
    assert search(index, "network connections", set()) == []


def test_removed_chunks_are_found_no_more_and_the_others_are(index: LexicalIndex) -> None:
    index.remove([3, 5])
    index.commit()
    assert 3 not in search(index, "ERR_CONN_RESET peer")
    assert search(index, "leak") == []
    assert search(index, "minute") == [1]


def test_rare_words_tell_more_and_unknown_ones_most(index: LexicalIndex) -> None:
    common, rare, unknown = index.wording("version minute xylophone", ()).terms
    assert common.idf < rare.idf < unknown.idf


def test_a_question_of_common_words_alone_is_still_searched(index: LexicalIndex) -> None:
    assert [term.forms for term in index.wording("what is the", ()).terms] == [("what",), ("is",), ("the",)]
    assert search(index, "?!") == []


def test_a_question_of_forty_thousand_characters_is_searched_by_its_rarest_words(index: LexicalIndex) -> None:
    assert search(index, " ".join(f"the word{n}" for n in range(4000)) + " minute")[0] in TEXTS


def test_what_was_committed_opens_again_and_tells_what_it_holds(index: LexicalIndex, tmp_path: Path) -> None:
    index.rest()
    index.close()
    again = LexicalIndex(tmp_path)
    again.open("tantivy")
    assert search(again, "kube-apiserver")[0] == 1
    assert (again.count(), again.holds()) == (len(TEXTS), (len(TEXTS), key_sum([*TEXTS])))


def test_a_closed_index_says_so(index: LexicalIndex) -> None:
    index.close()
    for use in (index.count, index.commit, lambda: search(index, "server")):
        with pytest.raises(IndexBroken):
            use()
