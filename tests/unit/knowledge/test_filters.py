"""Both sides of the search, word and meaning, find by the same rules: held against each other for many filters."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from knowledge.filters import Filters, Reach, moment, reach
from knowledge.lexical import Entry, LexicalIndex
from knowledge.records import Facets
from knowledge.vectors import VectorTable

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SOURCES, LANGUAGES, TAGS = ("docs", "wiki"), (None, "en", "de"), (frozenset[str](), frozenset({"a"}), frozenset("ab"))
READERS = (frozenset({"everyone"}), frozenset({"channel:C1", "user:U1"}), frozenset({"channel:C2"}))
AGES = (None, NEW_YEAR - timedelta(days=1), NEW_YEAR, NEW_YEAR + timedelta(microseconds=1))
ALL = [
    Facets(source, readers, updated, language, tags)
    for source, readers, updated, language, tags in itertools.product(SOURCES, READERS, AGES, LANGUAGES, TAGS)
]
NARROWED = [
    Reach(frozenset(scopes), frozenset(sources), after, frozenset(languages), frozenset(tags))
    for scopes in ((), ("everyone",), ("everyone", "user:U1"), ("channel:C2", "channel:C9"))
    for sources in ((), ("docs",), ("docs", "wiki"))
    for after in (None, NEW_YEAR)
    for languages in ((), ("de",), ("en", "xx"))
    for tags in ((), ("b",), ("a", "zz"))
]


@pytest.fixture(scope="module")
def table() -> VectorTable:
    table = VectorTable(4)
    table.add(range(1, len(ALL) + 1), ALL, np.full((len(ALL), 4), 0.5, np.float32))
    return table


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    index = LexicalIndex(Path(tmp_path_factory.mktemp("words")))
    index.recreate()
    index.add(Entry(key, facets, "lamp") for key, facets in enumerate(ALL, 1))
    index.commit()
    return index


def test_words_and_meaning_find_exactly_what_is_within_reach(table: VectorTable, index: LexicalIndex) -> None:
    wording = index.wording("lamp", ())
    sizes = set()
    for within in NARROWED:
        covered = {key for key, facets in enumerate(ALL, 1) if within.covers(facets)}
        assert set(table.snapshot.keys[table.snapshot.readable(within)].tolist()) == covered
        assert {key for key, _ in index.search(wording, within, len(ALL))} == covered
        sizes.add(len(covered))
    assert len(sizes) > 10


def test_a_document_of_unknown_age_is_neither_new_nor_old() -> None:
    facets = Facets("docs", frozenset({"everyone"}))
    everyone, docs = frozenset({"everyone"}), frozenset({"docs"})
    assert Reach(everyone, docs).covers(facets)
    assert not Reach(everyone, docs, datetime(1970, 1, 1, tzinfo=UTC)).covers(facets)


def test_a_time_without_a_zone_is_taken_for_utc() -> None:
    assert moment(NEW_YEAR.replace(tzinfo=None)) == moment(NEW_YEAR)


def test_a_source_that_is_none_any_more_is_not_reached_by_naming_it() -> None:
    there = frozenset({"docs"})
    assert reach(frozenset(), there, Filters()).sources == there
    assert reach(frozenset(), there, Filters(sources=frozenset({"gone"}))).sources == frozenset()
    assert reach(frozenset(), there, Filters(sources=frozenset({"docs", "gone"}))).sources == there
