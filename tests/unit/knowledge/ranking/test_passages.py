"""From chunks to passages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from knowledge.ranking.candidate import Candidate, Ranked
from knowledge.ranking.passages import MOST_CHARACTERS, Joined, passages

Make = Callable[..., Candidate]


def page(make: Make, position: int, score: float, text: str = "", **said: Any) -> Ranked:
    text = text or f"part {position}"
    return Ranked(make(position, text, document_id="page", position=position, **said), score, frozenset())


def other(make: Make, key: int, score: float, **said: Any) -> Ranked:
    return Ranked(make(key, f"other {key}", **said), score, frozenset())


def texts(shown: list[Joined]) -> list[str]:
    return [one.text for one in shown]


def test_neighbours_that_were_found_are_joined_in_their_order(make_candidate: Make) -> None:
    ranked = [page(make_candidate, 4, 9), other(make_candidate, 50, 8), page(make_candidate, 3, 7)]
    shown = passages(ranked, 6)
    assert texts(shown) == ["part 3\n\npart 4", "other 50"]
    assert shown[0].best is ranked[0]


def test_chunks_with_a_gap_between_them_stay_apart(make_candidate: Make) -> None:
    assert texts(passages([page(make_candidate, 4, 9), page(make_candidate, 6, 8)], 6)) == ["part 4", "part 6"]


def test_a_heading_that_changes_in_the_middle_is_said(make_candidate: Make) -> None:
    ranked = [page(make_candidate, 1, 9, heading=("A",)), page(make_candidate, 2, 8, heading=("A", "B"))]
    assert texts(passages(ranked, 6)) == ["part 1\n\n**B**\n\npart 2"]


def test_a_passage_that_begins_under_another_heading_than_its_best_chunk_says_so(make_candidate: Make) -> None:
    ranked = [page(make_candidate, 2, 9, heading=("B",)), page(make_candidate, 1, 8, heading=("A",))]
    assert texts(passages(ranked, 6)) == ["**A**\n\npart 1\n\n**B**\n\npart 2"]


def test_a_joined_passage_is_bounded(make_candidate: Make) -> None:
    long = "x" * (MOST_CHARACTERS // 2)
    shown = passages([page(make_candidate, n, 9.0 - n, long) for n in range(6)], 6)
    assert max(len(part.candidate.text) * len(one.parts) for one in shown for part in one.parts) <= MOST_CHARACTERS
    assert sum(len(one.parts) for one in shown) == 6


def test_no_chunk_is_shown_twice(make_candidate: Make) -> None:
    shown = passages([page(make_candidate, n, 9.0 - n) for n in (5, 2, 4, 1, 3)], 6)
    assert sorted(part.candidate.key for one in shown for part in one.parts) == [1, 2, 3, 4, 5]


def test_what_repeats_a_better_passage_comes_last(make_candidate: Make) -> None:
    same = np.ones(64, np.float32) / 8
    ranked = [other(make_candidate, 1, 9, vector=same), other(make_candidate, 2, 8, vector=same)]
    ranked.append(other(make_candidate, 3, 7))
    assert texts(passages(ranked, 2)) == ["other 1", "other 3"]
    assert texts(passages(ranked, 3)) == ["other 1", "other 3", "other 2"]


def test_unjoined_as_many_chunks_are_given_as_are_wanted(make_candidate: Make) -> None:
    ranked = [page(make_candidate, n, 9.0 - n, vector=np.ones(64, np.float32) / 8) for n in range(6)]
    assert texts(passages(ranked, 5, joined=False)) == [f"part {n}" for n in range(5)]
