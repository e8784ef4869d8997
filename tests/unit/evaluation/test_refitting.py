"""The estimates fitted again on a team's own questions: only where that holds on questions held out."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from matrices import WORTH
from shifted_team import CARDS, DOCUMENTS, NOTES, PLAIN, RAG, as_shipped, evaluated

from bot.domain import Evidence, Example, StrategyName
from bot.evaluation.matrix import Cell, Matrix, Row
from bot.evaluation.refitting import Refit, refit
from bot.evaluation.weighing import features_of
from bot.selection.features import as_dict, features
from bot.selection.weights import load_weights

INDEX = "minilm"


def fitted(matrix: Matrix) -> Refit:
    return refit(matrix, CARDS, WORTH, load_weights(), index=INDEX)


def estimated(matrix: Matrix, rows: tuple[Row, ...]) -> float:
    """How far what was expected of the documents lies from what came of them, where they were an option."""
    there = [row for row in rows if DOCUMENTS in row.expected]
    expected = [row.expected[DOCUMENTS] for row in there]
    came = [matrix.cells[row.id, DOCUMENTS].quality or 0.0 for row in there]
    return abs(float(np.mean(expected)) - float(np.mean(came)))


def by_chance(estimate: float) -> float:
    return 0.5


def worth(matrix: Matrix, rows: tuple[Row, ...]) -> float:
    return float(np.mean([matrix.cells[row.id, row.chosen].quality or 0.0 for row in rows if row.chosen]))


def test_a_wrong_estimate_is_turned_right_on_a_team_whose_documents_are_out_of_date() -> None:
    matrix = evaluated(150)
    found = fitted(matrix)
    assert found.fit is not None
    assert found.fit.weights is not None
    shipped, own = load_weights(), found.fit.weights
    sure = [row for row in matrix.rows if shipped.probabilities(features_of(row))[RAG] > 0.8]
    assert len(sure) > 50
    assert np.mean([own.probabilities(features_of(row))[RAG] for row in sure]) < 0.25
    assert (own.index, own.questions) == (INDEX, shipped.questions + 150)
    errors = re.search(r"on your 150 questions: calibration error (\S+) → (\S+) on questions held out", found.sentence)
    assert errors is not None
    assert float(errors[2]) < float(errors[1])
    assert {row.chosen for row in found.rows} == {PLAIN}
    assert worth(matrix, found.rows) > 0.75


def test_what_is_expected_of_a_question_does_not_know_its_own_result() -> None:
    matrix = evaluated(150)
    other = dict(matrix.cells)
    for row in matrix.rows:
        if row.group == "g0":
            for way in matrix.ways:
                other[row.id, way] = Cell(quality=1.0 - (matrix.cells[row.id, way].quality or 0.0), seconds=1.0)
    one, two = fitted(matrix), fitted(replace(matrix, cells=other))
    assert one.fit is not None
    assert two.fit is not None
    assert one.fit.weights is not None
    assert two.fit.weights is not None
    assert one.fit.weights.version != two.fit.weights.version
    for before, after in zip(one.rows, two.rows, strict=True):
        if before.group == "g0":
            assert (before.expected, before.chosen) == (after.expected, after.chosen)


@pytest.mark.parametrize("seed", range(4))
def test_where_the_shipped_estimates_fit_nothing_gets_worse(seed: int) -> None:
    matrix = evaluated(120, as_shipped, as_shipped, seed=seed)
    found = fitted(matrix)
    assert found.fit is not None
    if found.fit.weights is None:
        assert "they were not better on questions held out" in found.sentence
    else:
        assert estimated(matrix, found.rows) < 0.15
    assert all(row.chosen in row.expected for row in found.rows if row.chosen)
    # What the run had recorded was chosen by nobody knows what; it is weighed anew in either case.
    assert not any(row.expected == {DOCUMENTS: 0.99} for row in found.rows)
    assert DOCUMENTS in {row.chosen for row in found.rows}


def test_fewer_than_thirty_questions_change_nothing() -> None:
    matrix = evaluated(29)
    found = fitted(matrix)
    assert (found.fit, found.rows) == (None, matrix.rows)
    assert found.sentence.endswith("to fit them on your own questions, 30 are needed, and these are 29.")
    assert fitted(evaluated(30)).fit is not None


def test_questions_that_were_not_judged_do_not_count() -> None:
    matrix = evaluated(40)
    cells = {**matrix.cells, **{(f"q{n}", PLAIN): Cell(quality=None, seconds=1.0) for n in range(12)}}
    found = fitted(replace(matrix, cells=cells))
    assert found.fit is None
    assert "30 of which every answer was judged are needed, and these are 28." in found.sentence


def test_questions_of_too_few_groups_change_nothing() -> None:
    found = fitted(evaluated(60, groups=3))
    assert found.fit is None
    assert "the questions are of 3 groups, and it takes 4 to hold some of them out" in found.sentence


@pytest.mark.parametrize("quality", [0.0, 1.0])
def test_answers_that_are_all_alike_leave_the_shipped_estimates(quality: float) -> None:
    matrix = evaluated(60)
    alike = {place: replace(cell, quality=quality) for place, cell in matrix.cells.items()}
    found = fitted(replace(matrix, cells=alike))
    assert found.fit is not None
    assert found.fit.weights is None


def test_answers_by_chance_leave_the_choice_no_worse_than_the_shipped_one() -> None:
    matrix = evaluated(200, by_chance, by_chance)
    found = fitted(matrix)
    assert found.fit is not None
    assert worth(matrix, found.rows) > 0.4


def test_a_fine_tuned_model_is_proven_where_it_beats_the_best_other_way_on_questions_of_its_kind() -> None:
    matrix = evaluated(200, plain=by_chance, tuned=0.98)
    found = fitted(matrix)
    assert found.fit is not None
    assert found.fit.proven == {"notes"}
    assert any(row.chosen == NOTES for row in found.rows)
    assert not any(NOTES in row.expected for row in found.rows if row.tuned["notes"] < 0.5)


def test_a_fine_tuned_model_that_is_only_as_good_as_another_is_not_proven_and_not_taken() -> None:
    found = fitted(evaluated(200, tuned=0.85))
    assert found.fit is not None
    assert found.fit.proven == frozenset()
    assert not any(NOTES in row.expected for row in found.rows)


def test_a_team_of_one_strategy_alone_keeps_its_other_estimates() -> None:
    matrix = evaluated(150)
    found = fitted(matrix)
    assert found.fit is not None
    assert found.fit.weights is not None
    few = StrategyName.FEW_SHOT
    assert found.fit.weights.models[few] is load_weights().models[few]


def test_of_several_fine_tuned_models_each_is_weighed_by_how_near_it_is() -> None:
    near = Example(id="1", question="Q?", answer="A", readers=frozenset({"everyone"}), similarity=0.4)
    evidence = Evidence(examples=(near,), fine_tuned={"notes": 0.7, "mails": 0.3})
    row = Row(id="q", text="Q?", group="g", features=as_dict(features(evidence)), tuned=evidence.fine_tuned)
    for name in evidence.fine_tuned:
        assert as_dict(features_of(row, name)) == as_dict(features(evidence, name))
    assert as_dict(features_of(row)) == as_dict(features(evidence))
