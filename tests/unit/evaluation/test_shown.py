"""What the table and the remarks say of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.console import Console

from bot.domain import StrategyName
from bot.evaluation.golden import Golden
from bot.evaluation.matrix import Cell, Matrix, Row, Way
from bot.evaluation.run import Run
from bot.evaluation.runs import Record
from bot.evaluation.shown import remarks, summaries, table, troubles

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


def test_a_way_is_summed_up_over_what_was_run() -> None:
    rag, zero, _ = summaries(record().matrix)
    # 1, 0.5 and a 0 for what is not possible: the standard deviation is 0.5.
    assert rag.quality == pytest.approx(0.5)
    assert rag.error == pytest.approx(0.5 / 3**0.5)
    assert (rag.judged, rag.answered, rag.not_possible, rag.not_run, rag.failed, rag.unjudged) == (3, 2, 1, 1, 0, 0)
    assert (rag.cost, rag.seconds) == (Decimal("0.02"), 2.5)
    assert zero.quality == pytest.approx(0.5)
    assert (zero.judged, zero.answered, zero.failed, zero.unjudged) == (2, 3, 1, 1)


def test_a_price_that_is_not_known_makes_the_mean_unknown_and_not_cheaper() -> None:
    assert summaries(record().matrix)[1].cost is None


def test_the_last_row_is_what_the_selector_would_have_chosen() -> None:
    selector = summaries(record().matrix)[-1]
    assert selector.name == "the selector's choice"
    assert selector.quality == pytest.approx((1.0 + 0.5 + 0.75) / 3)
    assert (selector.answered, selector.failed) == (3, 1)


def test_the_table_shows_only_the_counts_that_there_are() -> None:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(table(summaries(record().matrix)))
    text = shown.get()
    assert "0.500 ± 0.289" in text
    assert "$0.02" in text
    assert "unknown" in text
    assert "not possible" in text
    whole = Matrix((Row(id="a", text="a", group="a"),), (RAG,), {("a", RAG): Cell(quality=1.0, cost=Decimal(0))})
    with console.capture() as shown:
        console.print(table(summaries(whole)))
    assert "not possible" not in shown.get()
    assert "selector" not in shown.get()


def test_the_remarks_say_what_the_numbers_leave_out() -> None:
    told = "\n".join(remarks(record()))
    assert "1 reviewed example was passed over" in told
    assert "takes the strategy that the question names 1 of 2 times" in told
    assert "3 calls were of no known price" in told


def test_troubles_are_told_once_with_how_often() -> None:
    assert troubles(record()) == [("too many", 2), ("nonsense", 1)]
