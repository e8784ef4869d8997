from __future__ import annotations

import numpy as np
import pytest

from knowledge.documents import Vector
from knowledge.filters import Reach
from knowledge.key_sum import key_sum
from knowledge.records import Facets
from knowledge.vectors import VectorTable, floor

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
    assert table.holds == (100, key_sum(left)) != (100, key_sum([*left[1:], 1]))
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


@pytest.mark.parametrize("share", [0.0005, 0.02, 0.3, 1.0])
def test_vectors_that_bytes_hold_badly_are_ordered_exactly_too(share: float) -> None:
    """One large number and many small ones: in a byte a number nearly all of the rest is lost."""
    random = np.random.default_rng(5)
    vectors = random.standard_normal((20_000, 16)).astype(np.float32) / 100
    vectors[np.arange(20_000), random.integers(0, 16, 20_000)] = 1
    vectors[::7] = unit_vectors(len(vectors[::7]), seed=9)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    table = VectorTable(16)
    table.add(range(20_000), [PUBLIC] * 20_000, vectors)
    for number in range(20):
        question = unit_vectors(1, seed=100 + number)[0] if number % 2 else vectors[number * 31]
        mask = random.random(20_000) < share
        rows, cosines = table.snapshot.nearest(question, mask, 10)
        exact = (vectors.astype(np.float64) @ question.astype(np.float64)).astype(np.float32)
        allowed = np.flatnonzero(mask)
        assert rows.tolist() == allowed[np.lexsort((allowed, -exact[allowed]))][:10].tolist()
        assert np.array_equal(cosines, exact[rows])


def test_the_floor_is_reached_by_as_many_as_are_wanted_and_is_close() -> None:
    values = np.random.default_rng(1).standard_normal(10_000).astype(np.float32)
    for count in (1, 10, 1_000, 9_999):
        reached = np.count_nonzero(values >= floor(values, count))
        assert count <= reached <= 2 * count + 5
    assert floor(values, 10_000) == floor(values, 20_000) == -np.inf


def test_rows_with_the_same_vector_count_once_and_are_all_given() -> None:
    table = VectorTable(16)
    one, other = unit_vectors(2)
    table.add(range(60), [PUBLIC] * 60, np.stack([one] * 50 + [other] * 10))
    rows, cosines = table.snapshot.nearest(one, np.ones(60, np.bool_), 2)
    assert rows.tolist() == list(range(60))
    assert len(np.unique(cosines)) == 2


def test_other_readers_leave_language_and_tags_as_they_were() -> None:
    table = VectorTable(16)
    said = Facets("docs", frozenset({"everyone"}), None, "de", frozenset({"draft"}))
    table.add([1, 2], [said, PUBLIC], unit_vectors(2))
    table.restrict([1], frozenset({"user:U1"}))
    drafts = Reach(frozenset({"user:U1"}), DOCS, languages=frozenset({"de"}), tags=frozenset({"draft"}))
    assert table.snapshot.readable(drafts).tolist() == [True, False]
    assert table.snapshot.readable(Reach(frozenset({"everyone"}), DOCS)).tolist() == [False, True]


def test_keys_that_do_not_ascend_are_refused(table: VectorTable) -> None:
    with pytest.raises(ValueError, match="ascend"):
        table.add([5], [PUBLIC], unit_vectors(1))
    with pytest.raises(ValueError, match="ascend"):
        table.add([9_001, 9_000], [PUBLIC] * 2, unit_vectors(2))
