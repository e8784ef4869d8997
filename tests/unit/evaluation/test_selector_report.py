"""The selector's own report on matrices whose right answer is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from matrices import FEW, RAG, WORTH, ZERO, plain, simulated, with_choices

from bot.evaluation import policies, selector_words
from bot.evaluation.matrix import Cell, Matrix, Way
from bot.evaluation.policies import Tables
from bot.evaluation.selector_report import SelectorReport, selector_report
from bot.evaluation.worth import Worth

A, B, C = Way(ZERO, "small"), Way(RAG, "small"), Way(FEW, "small")
FREE = Worth(cost_weight=0.0, latency_weight=0.0)
EITHER = [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]] * 20


def of(report: SelectorReport, kind: str) -> float:
    found = next(policy for policy in report.policies if policy.kind == kind).utility.mean
    assert found is not None
    return found


def test_a_selector_that_is_always_right_closes_the_whole_gap() -> None:
    report = selector_report(plain(EITHER, (A, B), chosen=[A, B, B] * 20), FREE)
    assert report.best_fixed == (B,)
    assert report.gain.mean == pytest.approx(1 / 3)
    assert report.gap_closed is not None
    assert (report.gap_closed.mean, report.gap_closed.low, report.gap_closed.high) == (1.0, 1.0, 1.0)
    assert report.verdict == "better"
    assert selector_words.verdict(report).startswith("Choosing for each question pays")


def test_the_share_of_the_gap_that_is_closed_has_a_range() -> None:
    chosen = [A, B, B] * 10 + [B] * 30
    report = selector_report(plain(EITHER, (A, B), chosen=chosen), FREE)
    assert report.gap_closed is not None
    assert report.gap_closed.mean == pytest.approx(0.5)
    assert report.gap_closed.low is not None
    assert report.gap_closed.high is not None
    assert 0.2 < report.gap_closed.low < 0.5 < report.gap_closed.high < 0.8


def test_a_selector_that_always_takes_the_best_fixed_way_makes_no_difference_worth_routing_for() -> None:
    report = selector_report(plain(EITHER, (A, B), chosen=[B] * 60), FREE)
    assert report.verdict == "no difference"
    assert report.gain.mean == 0.0
    assert selector_words.verdict(report).startswith(selector_words.NO_DIFFERENCE)


def test_choices_by_chance_are_not_called_better_and_bad_ones_are_called_worse() -> None:
    random = np.random.default_rng(3)
    better = 0
    for _ in range(25):
        table = (random.random((60, 2)) < 0.5).astype(float).tolist()
        chosen = [(A, B)[pick] for pick in random.integers(0, 2, 60)]
        better += selector_report(plain(table, (A, B), chosen=chosen), FREE).verdict == "better"
    # The best fixed way is chosen on other folds, so between equals it is no better than chance either.
    assert better <= 4
    wrong = selector_report(plain(EITHER, (A, B), chosen=[B, A, A] * 20), FREE)
    assert wrong.verdict == "worse"
    assert "costs more than it brings" in selector_words.verdict(wrong)


def test_the_best_fixed_way_is_chosen_on_other_groups() -> None:
    groups = [f"g{number // 10}" for number in range(60)]
    table = [[1.0, 0.0]] * 10 + [[0.0, 0.9]] * 50
    tables = Tables.of(plain(table, (A, B), groups=groups), FREE)
    picks = policies.best_fixed(tables)
    assert set(picks.tolist()) == {1}
    fold = policies.folds(groups)
    assert all(len({int(fold[n]) for n in range(60) if groups[n] == group}) == 1 for group in set(groups))
    assert sorted(np.bincount(fold).tolist()) == [10, 10, 10, 10, 20]


def test_random_at_the_same_mix_is_the_mean_of_the_ways_by_their_share() -> None:
    report = selector_report(plain(EITHER, (A, B), chosen=[A, B, B] * 20), FREE)
    assert of(report, "same mix") == pytest.approx(1 / 3 * 1 / 3 + 2 / 3 * 2 / 3)


def test_the_nearest_store_decides_by_the_highest_similarity_alone() -> None:
    near = {"passage_similarity": 0.7, "example_similarity": 0.4, "fine_tuned_similarity": 0.9}
    matrix = plain([[0.1, 0.2, 0.3]] * 12, (A, B, C), features=near)
    picks = policies.nearest_store(Tables.of(matrix, FREE))
    assert {matrix.ways[pick] for pick in picks} == {B}  # nothing fine-tuned was evaluated
    empty = plain([[0.1, 0.2, 0.3]] * 12, (A, B, C), features={"passage_similarity": float("nan"), "lexical": 0.0})
    assert {empty.ways[pick] for pick in policies.nearest_store(Tables.of(empty, FREE))} == {A}
    unseen = plain([[0.1, 0.2, 0.3]] * 12, (A, B, C))
    assert set(policies.nearest_store(Tables.of(unseen, FREE)).tolist()) == {-1}
    assert "nearest store" not in [policy.kind for policy in selector_report(unseen, FREE).policies]


def test_the_nearest_store_takes_the_model_that_is_best_elsewhere() -> None:
    ways = (Way(RAG, "weak"), Way(RAG, "strong"))
    matrix = plain([[0.2, 0.8]] * 12, ways, features={"passage_similarity": 0.7})
    assert set(policies.nearest_store(Tables.of(matrix, FREE)).tolist()) == {1}


def test_knowing_every_result_beforehand_is_never_beaten() -> None:
    report = selector_report(simulated(300, 8), WORTH)
    assert all(of(report, "oracle") >= (policy.utility.mean or 0) for policy in report.policies)


def test_where_one_way_is_always_best_there_is_no_gap() -> None:
    report = selector_report(plain([[0.2, 0.9]] * 30, (A, B), chosen=[B] * 30), FREE)
    assert report.gap_closed is None
    assert any("would not beat the best fixed choice" in said for said in selector_words.details(report))


def test_at_equal_cost_the_selector_stands_beside_a_mix_of_fixed_ways() -> None:
    # Half of the answers by the dear way: a mix at that price reaches the mean of both.
    table = [[1.0, 1.0], [0.0, 1.0]] * 30
    matrix = plain(table, (A, B), costs=("0.001", "0.003"), chosen=[A, B] * 30)
    found = selector_report(matrix, WORTH).equal_cost
    assert found is not None
    assert found.cost == pytest.approx(0.002)
    assert (found.cheaper, found.dearer) == (A, B)
    assert found.share == pytest.approx(0.5)
    assert found.quality == 1.0
    assert found.mix_quality == pytest.approx(0.75)
    assert found.gain.above


def test_at_equal_cost_a_selector_that_ignores_the_question_gains_nothing() -> None:
    random = np.random.default_rng(1)
    chosen = [(A, B)[pick] for pick in random.integers(0, 2, 400)]
    table = (random.random((400, 2)) < [0.4, 0.8]).astype(float).tolist()
    found = selector_report(plain(table, (A, B), costs=("0.001", "0.003"), chosen=chosen), WORTH).equal_cost
    assert found is not None
    assert not found.gain.above


def test_a_choice_without_a_price_is_weighed_and_not_left_out() -> None:
    matrix = plain(EITHER, (A, B), costs=("0.001", None), chosen=[A, B, B] * 20)
    report = selector_report(matrix, WORTH)
    assert report.choices == 60
    assert report.unpriced == (B,)
    assert report.equal_cost is None
    assert any("weighed as the dearest" in said for said in selector_words.details(report))


def test_only_one_group_has_no_other_to_choose_on() -> None:
    report = selector_report(plain(EITHER, (A, B), chosen=[A, B, B] * 20, groups=["one"] * 60), FREE)
    assert (report.verdict, report.lower_bound, report.held_out) == ("too few", None, False)
    assert "60 questions in 1 group cannot tell" in selector_words.verdict(report)
    assert any("All questions are of one group" in said for said in selector_words.details(report))


@pytest.mark.parametrize("questions", [0, 1, 2, 3])
def test_a_handful_of_questions_gets_a_sentence_and_no_verdict(questions: int) -> None:
    report = selector_report(plain(EITHER[:questions], (A, B), chosen=[A, B, B][:questions]), WORTH)
    assert report.verdict in ("too few", "no choices")
    assert selector_words.verdict(report).endswith(".")
    selector_words.details(report)


def test_a_run_without_choices_says_so() -> None:
    report = selector_report(plain(EITHER, (A, B)), WORTH)
    assert report.verdict == "no choices"
    assert "were not recorded" in selector_words.verdict(report)
    assert selector_words.details(report) == ()


def test_choices_of_ways_that_were_not_evaluated_are_left_out_and_counted() -> None:
    chosen = [A, B, B] * 19 + [C, C, None]
    report = selector_report(plain(EITHER, (A, B), chosen=chosen), FREE)
    assert (report.choices, report.questions) == (57, 60)
    assert any("Left out: 3 questions" in said for said in selector_words.details(report))


def test_expectations_of_a_team_that_is_understood_are_calibrated() -> None:
    report = selector_report(simulated(1_500, 4), WORTH)
    assert report.calibration is not None
    assert report.calibration_taken is not None
    assert report.calibration.debiased < 0.02
    assert report.calibration_taken.debiased < 0.03
    assert report.risk is not None
    assert report.risk.area_ideal < report.risk.area < report.risk.area_random
    assert report.verdict == "better"


def test_questions_without_their_document_that_are_sent_to_the_documents_are_counted() -> None:
    matrix = plain(EITHER, (A, B), chosen=[A, B, B] * 20)
    report = selector_report(matrix, FREE, absent=[f"q{number}" for number in range(30)])
    assert report.false_rag is not None
    assert report.sent_to_rag is not None
    assert report.false_rag.mean == pytest.approx(2 / 3)
    assert report.false_rag.questions == 30
    none = selector_report(with_choices(matrix, lambda row: A), FREE, absent=["q1"])
    assert none.false_rag is not None
    assert none.false_rag.mean == 0.0
    assert selector_report(matrix, FREE).false_rag is None


def test_the_time_of_decisions_is_told_where_it_was_taken() -> None:
    matrix = plain(EITHER, (A, B), chosen=[A, B, B] * 20)
    latency = selector_report(matrix, FREE, decision_ms=[1.0] * 95 + [9.0] * 5).latency
    assert latency is not None
    assert (latency.p50, latency.decisions) == (1.0, 100)
    assert 1.0 <= latency.p95 <= 9.0
    assert selector_report(matrix, FREE).latency is None


def test_the_report_is_plain_json_without_nan() -> None:
    matrix = simulated(60, 4, unpriced=(1,))
    cells = {**matrix.cells, (matrix.rows[0].id, matrix.ways[0]): Cell(quality=None, outcome="timed_out")}
    report = selector_report(Matrix(matrix.rows, matrix.ways, cells), WORTH, absent=["q0001"])
    back = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert back["verdict"] == report.verdict
    assert back["policies"][-1]["way"] == str(matrix.ways[-1])
    assert json.loads(json.dumps(selector_report(plain([], (A,)), WORTH).as_dict(), allow_nan=False))


def test_how_many_questions_a_gain_needs_is_said_where_it_cannot_be_seen() -> None:
    chosen = [A if number in (0, 3) else B for number in range(60)]
    report = selector_report(plain(EITHER, (A, B), chosen=chosen), FREE)
    assert report.verdict == "no difference"
    assert report.needed == 236  # 7.85 · (2/60) / (2/60)²
    assert any("About 236 questions" in said for said in selector_words.details(report))


def test_a_matrix_that_was_only_half_run_is_reported_on_what_is_there() -> None:
    matrix = simulated(80, 4)
    half = {key: cell for key, cell in matrix.cells.items() if key[0] < "q0040"}
    rest = {
        key: replace(cell, quality=None, outcome="not run") for key, cell in matrix.cells.items() if key not in half
    }
    report = selector_report(Matrix(matrix.rows, matrix.ways, half | rest), WORTH)
    assert report.choices == 40
