"""What is said of the ways of a run: matrices whose right answer can be reckoned by hand."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from matrices import FEW, RAG, TUNED, WORTH, ZERO, plain, simulated, ways

from bot.evaluation import overview_words
from bot.evaluation.matrix import Cell, Matrix, Row, Way
from bot.evaluation.overview import overview
from bot.evaluation.worth import Worth, assumed_costs

CHEAP, DEAR, OTHER = Way(ZERO, "small"), Way(RAG, "large"), Way(FEW, "small")
FREE = Worth(cost_weight=0.0, latency_weight=0.0)


def test_the_best_value_is_the_best_less_its_price() -> None:
    table = [[0.6, 0.9]] * 30
    assert overview(plain(table, (CHEAP, DEAR), costs=("0.001", "0.01")), WORTH).best == DEAR
    dear = overview(plain(table, (CHEAP, DEAR), costs=("0.001", "0.1")), WORTH)
    assert dear.best == CHEAP
    assert dear.of(DEAR).place == "behind"
    assert dear.of(CHEAP).utility.mean == pytest.approx(0.6 - 5 * 0.001 - 0.005)


def test_ways_that_chance_explains_are_not_called_behind() -> None:
    random = np.random.default_rng(4)
    table = (random.random((60, 2)) < [0.6, 0.55]).astype(float).tolist()
    found = overview(plain(table, (CHEAP, DEAR)), FREE)
    assert {each.place for each in found.standings} == {"best", "level"}
    assert "cannot be told from it" in overview_words.headline(found)


def test_among_many_equal_ways_none_is_called_behind_in_most_worlds() -> None:
    columns = ways(8)
    wrong = 0
    for seed in range(25):
        table = (np.random.default_rng(seed).random((80, 8)) < 0.5).astype(float).tolist()
        found = overview(plain(table, columns), FREE)
        wrong += any(each.place == "behind" for each in found.standings)
    assert wrong <= 3


def test_a_clear_lead_is_said_to_be_more_than_chance() -> None:
    found = overview(plain([[0.0, 1.0], [0.0, 1.0], [1.0, 1.0]] * 20, (CHEAP, DEAR)), FREE)
    assert overview_words.headline(found) == (
        "Knowledge search (RAG) with large is the best value, ahead of every other way by more than chance."
    )


def test_the_frontier_holds_what_nothing_beats_for_less() -> None:
    matrix = plain([[0.5, 0.9, 0.4]] * 10, (CHEAP, DEAR, OTHER), costs=("0.001", "0.01", "0.002"))
    found = overview(matrix, WORTH)
    assert {each.way for each in found.standings if each.on_frontier} == {CHEAP, DEAR}


def test_of_two_at_the_same_price_only_the_better_is_on_the_frontier() -> None:
    found = overview(plain([[0.5, 0.9]] * 10, (CHEAP, DEAR), costs=("0", "0")), WORTH)
    assert [each.way for each in found.standings if each.on_frontier] == [DEAR]


def test_an_unknown_price_is_shown_apart_and_never_best_value() -> None:
    found = overview(plain([[0.5, 1.0]] * 20, (CHEAP, DEAR), costs=("0.001", None)), WORTH)
    assert found.best == CHEAP
    assert (found.of(DEAR).place, found.of(DEAR).cost.mean, found.of(DEAR).on_frontier) == ("unknown", None, False)
    assert any("price is unknown: knowledge search" in said for said in overview_words.details(found))


def test_without_any_price_no_way_is_the_best_value() -> None:
    found = overview(plain([[0.5, 1.0]] * 20, (CHEAP, DEAR), costs=(None, None)), WORTH)
    assert found.best is None
    assert "knowledge search (RAG) with large has the highest quality, 1.00" in overview_words.headline(found)
    assert overview(plain([[0.5, 1.0]] * 20, (CHEAP, DEAR), costs=(None, None)), FREE).best == DEAR


def test_what_cannot_be_done_counts_as_wrong_and_costs_nothing() -> None:
    matrix = plain([[1.0, 1.0]] * 10, (CHEAP, DEAR), costs=("0.001", "0.01"))
    cells = dict(matrix.cells)
    for number in range(5):
        cells[f"q{number}", DEAR] = Cell(quality=None, outcome="not possible")
    found = overview(Matrix(matrix.rows, matrix.ways, cells), WORTH)
    assert found.of(DEAR).quality.mean == 0.5
    assert found.of(DEAR).cost.mean == pytest.approx(0.005)


def test_a_way_that_was_hardly_run_is_out_of_the_running() -> None:
    table: list[list[float | None]] = [[0.5, 1.0 if number < 3 else None] for number in range(30)]
    found = overview(plain(table, (CHEAP, DEAR)), FREE)
    assert found.best == CHEAP
    assert found.of(DEAR).place == "unknown"
    assert any("too few of its answers were judged" in said for said in overview_words.details(found))


def test_three_questions_cannot_tell_and_the_page_says_so() -> None:
    found = overview(plain([[0.0, 1.0]] * 3, (CHEAP, DEAR)), FREE)
    assert overview_words.headline(found).startswith("3 questions cannot tell the ways apart")
    assert any("At least 6 questions" in said for said in overview_words.details(found))


def test_one_group_only_is_said() -> None:
    found = overview(plain([[0.0, 1.0], [1.0, 1.0]] * 10, (CHEAP, DEAR), groups=["one"] * 20), FREE)
    assert any("All questions are of one group" in said for said in overview_words.details(found))


@pytest.mark.parametrize("columns", [(), (CHEAP,)])
def test_an_empty_run_has_nothing_to_compare(columns: tuple[Way, ...]) -> None:
    found = overview(Matrix((), columns, {}), WORTH)
    assert found.best is None
    assert overview_words.headline(found) == "No answer was judged, so there is nothing to compare."
    overview_words.details(found)


def test_a_single_way_is_not_compared_with_itself() -> None:
    found = overview(plain([[0.75]] * 10, (CHEAP,)), FREE)
    assert overview_words.headline(found) == "Only plain prompting with small was evaluated: quality 0.75."


def test_questions_that_one_way_alone_gets_right_are_found() -> None:
    table: list[list[float | None]] = [[1, 0], [0, 0.5], [0.49, 0], [1, 1], [1, None], [None, 0]]
    found = overview(plain(table, (CHEAP, DEAR)), FREE)
    assert found.alone == {CHEAP: ("q0",), DEAR: ("q1",)}
    assert (found.none_right, found.all_right, found.judged) == (1, 1, 4)


def test_an_unknown_price_is_weighed_as_the_dearest_of_its_strategy() -> None:
    columns = (Way(RAG, "a"), Way(RAG, "b"), Way(ZERO, "c"), Way(TUNED, "d"))
    matrix = plain([[1.0] * 4] * 3, columns, costs=("0.01", None, "0.07", None))
    assert assumed_costs(matrix)[0].tolist() == [0.01, 0.01, 0.07, 0.07]
    assert assumed_costs(plain([[1.0]], columns[:1], costs=(None,))).tolist() == [[0.0]]


def test_money_and_time_are_said_in_points_of_quality() -> None:
    assert WORTH.sentence == "A point of quality (0.01) is worth $0.002, and 2 s of waiting cost a point."
    assert FREE.sentence == "Prices do not count, and time does not count."


def test_fifty_thousand_questions_are_read() -> None:
    row = Row(id="q", text="why?", group="")
    rows = tuple(Row(id=f"q{n}", text=row.text, group=f"g{n}") for n in range(50_000))
    good, bad = Cell(quality=1.0, cost=Decimal("0.001"), seconds=1), Cell(quality=0.0, cost=Decimal(0), seconds=1)
    cells = {(r.id, CHEAP): good if n % 3 else bad for n, r in enumerate(rows)}
    found = overview(Matrix(rows, (CHEAP,), cells), WORTH).of(CHEAP).quality
    assert found.mean == pytest.approx(2 / 3, abs=1e-4)
    assert found.low is not None
    assert found.low > 0.66


def test_a_simulated_team_is_told_what_is_true_of_it() -> None:
    found = overview(simulated(600, 4), WORTH)
    assert found.best == Way(RAG, "small")  # what two in five of its questions need
