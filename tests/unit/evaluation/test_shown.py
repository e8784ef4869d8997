"""What the table and the remarks say of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from matrices import plain, simulated
from rich.console import Console

from bot.domain import StrategyName
from bot.evaluation.golden import Golden
from bot.evaluation.matrix import Cell, Matrix, Row, Way
from bot.evaluation.report import EvaluationReport, evaluation_report
from bot.evaluation.run import Run
from bot.evaluation.runs import Record
from bot.evaluation.shown import lines, remarks, said, table, troubles
from bot.evaluation.worth import Worth

RAG, ZERO = Way(StrategyName.RAG, "m"), Way(StrategyName.ZERO_SHOT, "m")
RUN = Run(
    id="1",
    name="n",
    started=datetime(2026, 1, 1, tzinfo=UTC),
    source="s",
    data="d",
    questions=4,
    index="i",
    models={},
    prompts="p",
    scorers=(),
    unpriced=3,
)


def record() -> Record:
    rows = tuple(Row(id=id, text=id, group=id, chosen=RAG if id in "ab" else ZERO) for id in "abcd")
    cells = {
        ("a", RAG): Cell(quality=1.0, cost=Decimal("0.01"), seconds=1.0),
        ("b", RAG): Cell(quality=0.5, cost=Decimal("0.03"), seconds=4.0),
        ("c", RAG): Cell(quality=None, outcome="not possible"),
        ("d", RAG): Cell(quality=None, outcome="not run"),
        ("a", ZERO): Cell(quality=None, cost=Decimal("0.01"), seconds=2.0),
        ("b", ZERO): Cell(quality=0.25, cost=None, seconds=2.0),
        ("c", ZERO): Cell(quality=None, outcome="rate_limited"),
        ("d", ZERO): Cell(quality=0.75, cost=Decimal("0.01"), seconds=2.0),
    }
    details = {("a", ZERO): "nonsense", ("c", ZERO): "too many", ("d", RAG): "too many", ("c", RAG): "no passages"}
    golden = tuple(Golden(id=id, question=id, strategy=StrategyName.RAG if id in "ad" else None) for id in "abcd")
    return Record(run=RUN, matrix=Matrix(rows, (RAG, ZERO), cells), golden=golden, details=details, left_out=1)


def report(matrix: Matrix) -> EvaluationReport:
    return evaluation_report(RUN, matrix, Worth(cost_weight=5.0, latency_weight=0.005))


def printed(matrix: Matrix) -> str:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(table(lines(report(matrix))))
    return shown.get()


def test_a_way_is_summed_up_over_what_was_run() -> None:
    rag, zero, _ = lines(report(record().matrix))
    # 1, 0.5 and a 0 for what is not possible.
    assert rag.quality == pytest.approx(0.5)
    assert (rag.low, rag.high) == (None, None)
    assert (rag.judged, rag.answered, rag.not_possible, rag.not_run, rag.failed, rag.unjudged) == (3, 2, 1, 1, 0, 0)
    assert zero.quality == pytest.approx(0.5)
    assert (zero.judged, zero.answered, zero.failed, zero.unjudged) == (2, 3, 1, 1)


def test_a_price_that_is_not_known_makes_the_mean_unknown_and_not_cheaper() -> None:
    assert lines(report(record().matrix))[1].cost is None


def test_the_last_row_is_what_the_selector_would_have_chosen() -> None:
    selector = lines(report(record().matrix))[-1]
    assert selector.name == "the selector's choice"
    assert selector.quality == pytest.approx((1.0 + 0.5 + 0.75) / 3)
    assert (selector.answered, selector.failed) == (3, 1)


def test_the_table_shows_only_the_counts_that_there_are() -> None:
    text = printed(record().matrix)
    assert "unknown" in text
    assert "not possible" in text
    whole = Matrix((Row(id="a", text="a", group="a"),), (RAG,), {("a", RAG): Cell(quality=1.0, cost=Decimal(0))})
    assert "not possible" not in printed(whole)
    assert "selector" not in printed(whole)


def test_the_table_names_the_best_value_and_what_cannot_be_told_from_it() -> None:
    ways = (RAG, ZERO, Way(StrategyName.FEW_SHOT, "m"))
    table = [[1.0, 0.0, float(row % 20 > 0)] for row in range(40)]
    rag, zero, few = (line for line in printed(plain(table, ways)).splitlines() if "· m" in line)
    assert "1.000  0.912–1.000" in rag
    assert "best value" in rag
    assert "cannot be told apart" in few
    assert "best" not in zero
    assert "told apart" not in zero


def test_the_sentences_say_what_is_the_best_value_and_whether_choosing_pays() -> None:
    told = " ".join(said(report(simulated(120, 4))))
    assert "best value" in told
    assert "A point of quality (0.01) is worth $0.002" in told
    assert "Choosing for each question pays" in told
    assert "closes" in told


def test_the_remarks_say_what_the_numbers_leave_out() -> None:
    told = "\n".join(remarks(record()))
    assert "1 reviewed example was passed over" in told
    assert "takes the strategy that the question names 1 of 2 times" in told
    assert "3 calls were of no known price" in told


def test_troubles_are_told_once_with_how_often() -> None:
    assert troubles(record()) == [("too many", 2), ("nonsense", 1)]
