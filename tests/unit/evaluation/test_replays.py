from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from bot.domain import Mean, StrategyName
from bot.evaluation.matrix import Cell, Matrix, Row, Way
from bot.evaluation.replays import replay_of

AT = datetime(2026, 11, 20, tzinfo=UTC)
RAG, PLAIN = Way(StrategyName.RAG, "writer"), Way(StrategyName.ZERO_SHOT, "writer")


def test_an_evaluation_is_taken_with_what_was_expected_and_what_came_of_it() -> None:
    rows = (
        Row(id="1", text="How?", group="a", features={"coverage": 0.5}, expected={RAG: 0.8, PLAIN: 0.4}),
        Row(id="2", text="Why?", group="b", expected={RAG: 0.7, PLAIN: 0.3}),
        Row(id="3", text="Who?", group="b", expected={PLAIN: 0.3}),
    )
    cells = {
        ("1", RAG): Cell(quality=1.0, cost=Decimal("0.01"), seconds=2.0),
        ("1", PLAIN): Cell(quality=0.5),
        ("2", RAG): Cell(quality=None, outcome="not possible"),
        ("2", PLAIN): Cell(quality=None, outcome="not run"),
        ("3", RAG): Cell(quality=1.0),
        ("3", PLAIN): Cell(quality=0.0),
    }
    replay = replay_of(Matrix(rows, (RAG, PLAIN), cells), AT)
    assert replay.ways == ((StrategyName.RAG, "writer"), (StrategyName.ZERO_SHOT, "writer"))
    assert (replay.ids, replay.texts, replay.groups) == (("1", "2", "3"), ("How?", "Why?", "Who?"), ("a", "b", "b"))
    assert replay.features[0] == {"coverage": 0.5}
    np.testing.assert_array_equal(replay.expected, [[0.8, 0.4], [np.nan, 0.3], [np.nan, 0.3]])
    np.testing.assert_array_equal(replay.cost, [[0.01, np.nan], [np.nan, np.nan], [np.nan, np.nan]])
    assert replay.seconds[0].tolist() == [2.0, 0.0]
    assert replay.means() == {replay.ways[0]: Mean(1, 1.0), replay.ways[1]: Mean(2, 0.25)}
