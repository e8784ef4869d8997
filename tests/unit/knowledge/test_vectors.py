from __future__ import annotations

import numpy as np
import pytest

from knowledge.documents import Vector
from knowledge.filters import Reach
from knowledge.records import Facets
from knowledge.vectors import VectorTable

PUBLIC = Facets("docs", frozenset({"everyone"}))
PRIVATE = Facets("docs", frozenset({"channel:C1"}))
DOCS = frozenset({"docs"})


def unit_vectors(count: int, seed: int = 0) -> Vector:
    vectors = np.random.default_rng(seed).standard_normal((count, 16)).astype(np.float32)
    rows: Vector = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


@pytest.fixture
def table() -> VectorTable:
    table = VectorTable(16)
    table.add(range(1, 3001), [PUBLIC if key % 3 else PRIVATE for key in range(1, 3001)], unit_vectors(3000))
    return table


def found(table: VectorTable, scopes: frozenset[str], count: int = 10) -> list[int]:
    snapshot = table.snapshot
    rows, _ = snapshot.nearest(unit_vectors(1, seed=7)[0], snapshot.readable(Reach(scopes, DOCS)), count)
    found: list[int] = snapshot.keys[rows].tolist()
    return found


def by_hand(keys: list[int], count: int = 10) -> list[int]:
    cosines = unit_vectors(3000) @ unit_vectors(1, seed=7)[0]
    return sorted(keys, key=lambda key: (-cosines[key - 1], key))[:count]


def test_the_nearest_are_those_that_sorting_all_of_them_gives(table: VectorTable) -> None:
    assert found(table, frozenset({"everyone"})) == by_hand([key for key in range(1, 3001) if key % 3])
    assert found(table, frozenset({"channel:C1"})) == by_hand(list(range(3, 3001, 3)))
    assert found(table, frozenset({"everyone", "channel:C1"})) == by_hand(list(range(1, 3001)))


def test_nothing_is_found_by_those_who_may_read_nothing(table: VectorTable) -> None:
    assert found(table, frozenset({"user:U1"})) == []
    assert not table.snapshot.readable(Reach(frozenset({"everyone"}), frozenset({"other source"}))).any()


def test_what_is_removed_is_not_found_however_often_the_table_is_packed(table: VectorTable) -> None:
    for start in range(1, 2900, 50):
        table.remove(range(start, start + 50))
    table.remove([99_999])
    left = list(range(2901, 3001))
    assert table.fingerprint == [100, sum(left), 3000]
    assert found(table, frozenset({"everyone", "channel:C1"})) == by_hand(left)
    assert len(table.snapshot.rows_of([5, 99_999])) == 0
    assert len(table.snapshot.rows_of([2950])) == 1


def test_new_readers_hold_at_once(table: VectorTable) -> None:
    best = found(table, frozenset({"everyone"}))[0]
    table.move([best], [PRIVATE])
    assert best not in found(table, frozenset({"everyone"}))
    assert found(table, frozenset({"channel:C1"}))[0] == best


def test_a_search_that_runs_sees_the_moment_at_which_it_began(table: VectorTable) -> None:
    before = table.snapshot
    everyone = frozenset({"everyone"})
    seen = before.readable(Reach(everyone, DOCS))
    table.add(range(3001, 5001), [PUBLIC] * 2000, unit_vectors(2000, seed=3))
    table.remove(range(1, 2500))
    table.move(range(2500, 2600), [PRIVATE] * 100)
    assert np.array_equal(before.readable(Reach(everyone, DOCS)), seen)
    assert len(before.rows_of([4000])) == 0
    rows, _ = before.nearest(unit_vectors(1, seed=7)[0], seen, 10)
    assert before.keys[rows].tolist() == by_hand([key for key in range(1, 3001) if key % 3])
