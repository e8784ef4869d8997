"""What becomes of rows: no secret, no golden question, nothing twice, no contradiction."""

from __future__ import annotations

import random

import pytest
from made_up_secrets import made_up
from training_rows import real_questions, reordered, row

from bot.tuning.cleaning import cleaned
from knowledge.secrets import Masking, masking, use

QUESTIONS = real_questions()


def test_no_secret_of_any_kind_is_left_in_a_row() -> None:
    secrets = made_up()
    rows = [row(f"{QUESTIONS[n % 50]} Number {n}?", text, n) for n, (_, text, _) in enumerate(secrets)]
    rows += [row(f"Where do I put {text} in set-up {n}?", "There.", n) for n, (_, text, _) in enumerate(secrets)]
    done = cleaned(rows, (), ())
    kept = "\n".join(f"{one.question}\n{one.answer}" for one in done.rows)
    assert len(done.rows) + done.unusable + done.merged > 100
    assert [kind for kind, _, secret in secrets if secret in kept] == []
    assert set(done.secrets) == {kind for kind, _, _ in secrets}


def test_no_question_that_a_golden_one_asks_is_left() -> None:
    rng = random.Random(1)
    golden, others = QUESTIONS[:25], QUESTIONS[25:]
    rows = [row(one, f"A {n}.", n) for n, one in enumerate([*golden, *others])]
    rows += [row(reordered(one, rng), f"B {n}.", n) for n, one in enumerate(golden)]
    pairs = [row(one, "Better.", n, "choice", rejected="Worse.") for n, one in enumerate([*golden, *others])]
    done = cleaned(rows, pairs, golden)
    assert {one.question for one in done.rows} == {one.question for one in done.preferences} == set(others)
    assert done.golden == 3 * len(golden)


def test_every_planted_contradiction_is_told_and_none_is_trained_on() -> None:
    rows = [row(one, f"It takes {n} days.", n) for n, one in enumerate(QUESTIONS)]
    planted = QUESTIONS[::3]
    rows += [row(one.upper(), f"It takes {n + 1000} days.", 200 + n) for n, one in enumerate(planted)]
    done = cleaned(rows, (), ())
    assert {one.question.casefold() for one in done.contradictions} == {one.casefold() for one in planted}
    assert {one.question for one in done.rows} == set(QUESTIONS) - set(planted)
    first = min(done.contradictions, key=lambda one: one.where[1])
    assert len(first.where) == 2
    assert all(where.startswith("example s") for where in first.where)


def test_what_was_only_liked_gives_way_to_what_was_reviewed_and_is_told() -> None:
    rows = [row("How long is a rollback?", "Four minutes.", 1), row("How long is a rollback?", "An hour.", 9, "thumb")]
    done = cleaned(rows, (), ())
    assert [one.answer for one in done.rows] == ["Four minutes."]
    assert len(done.contradictions) == 1


def test_the_same_question_with_the_same_answer_is_kept_once() -> None:
    rows = [row("How do we deploy the search?", "By  Argo.", 1), row("the search, how do we deploy?", "by argo", 2)]
    done = cleaned(rows, (), ())
    assert [one.subject for one in done.rows] == ["s2"]
    assert (done.merged, done.contradictions) == (1, [])


def test_rows_that_say_nothing_are_counted() -> None:
    assert cleaned([row("…"), row("How?", "  "), row("hello", "x", 2)], (), ()).unusable >= 2


@pytest.mark.parametrize("mask", [False, True])
def test_personal_data_is_told_and_masked_where_that_is_set(mask: bool) -> None:
    before = masking()
    use(Masking(personal=mask))
    try:
        done = cleaned([row("Whom do I ask about pay?", "Write to ana.lopez@team.example.")], (), ())
    finally:
        use(before)
    assert sum(done.personal.values()) == (0 if mask else 1)
    assert ("ana.lopez" in done.rows[0].answer) is not mask
