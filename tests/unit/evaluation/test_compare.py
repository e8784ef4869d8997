"""Two runs beside each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matrices import RAG, ZERO, plain, run, ways

from bot.evaluation.compare import compare, sentences, verdict_sentence, what_changed
from bot.evaluation.matrix import Matrix, Way

A, B = Way(ZERO, "small"), Way(RAG, "small")
MIXED = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]] * 20
BEFORE = run(id="1", name="October")


def test_everything_that_could_explain_a_difference_is_named() -> None:
    after = run(
        index="42", prompts="new", judge=None, models={"small": "openai/small-2", "new": "local/x"},
        settings={"max_tokens": "900"},
    )  # fmt: skip
    assert {(change.what, change.before, change.after) for change in what_changed(run(), after)} == {
        ("index", "41", "42"),
        ("prompts", "c9f0f895", "new"),
        ("judge", "large", "none"),
        ("model small", "openai/small-1", "openai/small-2"),
        ("model large", "openai/large-2", "none"),
        ("model new", "none", "local/x"),
        ("setting max_tokens", "800", "900"),
    }
    assert what_changed(run(), run(id="other", name="other")) == ()


def test_a_change_beyond_chance_is_called_one() -> None:
    better = [[1.0, quality] for _, quality in MIXED]
    found = compare((BEFORE, plain(MIXED, (A, B))), (run(), plain(better, (A, B))))
    assert [change.verdict for change in found.ways] == ["better", "no difference"]
    assert found.ways[0].quality.mean == pytest.approx(2 / 3)
    assert any(said.startswith("Plain prompting with small became better: quality +0.667") for said in sentences(found))
    back = compare((BEFORE, plain(better, (A, B))), (run(), plain(MIXED, (A, B))))
    assert back.ways[0].verdict == "worse"


def test_the_same_answers_are_the_same_on_all_questions() -> None:
    found = compare((BEFORE, plain(MIXED, (A, B))), (run(), plain(MIXED, (A, B))))
    assert verdict_sentence(found.ways[0]) == "the same on all 60 questions"
    assert "No difference that 60 questions could show in any way (2)." in sentences(found)


def test_noise_is_not_called_better_though_many_ways_are_compared() -> None:
    random, columns = np.random.default_rng(9), ways(12)
    called = 0
    for _ in range(25):
        one, other = ((random.random((60, 12)) < 0.6).astype(float).tolist() for _ in range(2))
        found = compare((BEFORE, plain(one, columns)), (run(), plain(other, columns)))
        called += any(change.verdict in ("better", "worse") for change in found.ways)
    assert called <= 4


def test_no_difference_says_what_would_have_been_seen() -> None:
    random = np.random.default_rng(2)
    one, other = ((random.random((120, 1)) < 0.5).astype(float).tolist() for _ in range(2))
    found = compare((BEFORE, plain(one, (A,))), (run(), plain(other, (A,)))).ways[0]
    assert verdict_sentence(found).startswith("no difference that 120 questions could show (a change of 0.1")


def test_questions_that_were_reworded_or_are_in_one_run_alone_are_not_compared() -> None:
    before = plain([[1.0]] * 30, (A,))
    rows = (*before.rows[:20], *(replace(row, text="something else") for row in before.rows[20:25]))
    new = replace(before.rows[0], id="new")
    after = Matrix((*rows, new), (A,), {**before.cells, ("new", A): before.cells["q0", A]})
    found = compare((BEFORE, before), (run(), after))
    assert (found.questions, found.reworded, found.only_earlier, found.only_later) == (20, 5, 5, 1)
    assert sentences(found)[-1] == (
        "Not compared: 5 questions with other words, 5 questions of the earlier run alone and "
        "1 question of this run alone."
    )


def test_runs_with_nothing_in_common_say_so() -> None:
    other = plain([[1.0]] * 3, (B,))
    gone = Matrix(tuple(replace(row, id=f"x{row.id}") for row in other.rows), (B,), {})
    found = compare((BEFORE, plain([[1.0]] * 3, (A,))), (run(), gone))
    assert (found.ways, found.new_ways, found.gone_ways) == ((), (B,), (A,))
    assert "The two runs have no question in common, so nothing can be compared." in sentences(found)


def test_a_few_common_questions_are_too_few_to_tell() -> None:
    found = compare((BEFORE, plain([[0.0]] * 4, (A,))), (run(), plain([[1.0]] * 4, (A,))))
    assert found.ways[0].verdict == "too few"
    assert any("too few to tell" in said for said in sentences(found))


def test_what_was_judged_in_one_run_alone_is_left_out() -> None:
    table: list[list[float | None]] = [[None if number == 0 else 0.0] for number in range(20)]
    found = compare((BEFORE, plain([[1.0]] * 20, (A,))), (run(), plain(table, (A,)))).ways[0]
    assert (found.quality.questions, found.quality.left_out, found.verdict) == (19, 1, "worse")
