"""An evaluation as learning takes it: who is to choose is decided by playing the choice again on it."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from bot.evaluation.matrix import Matrix
from bot.learning.replay import Replay


def replay_of(matrix: Matrix, at: datetime) -> Replay:
    """The matrix as plain tables; `at`: when the evaluation ended. Ways that were not possible for a question, or of
    which the selector expected nothing, count as kept out by a guard."""
    expected = np.full((len(matrix.rows), len(matrix.ways)), np.nan)
    for i, row in enumerate(matrix.rows):
        for j, way in enumerate(matrix.ways):
            cell = matrix.cells.get((row.id, way))
            if way in row.expected and (cell is None or cell.outcome != "not possible"):
                expected[i, j] = row.expected[way]
    return Replay(
        at=at,
        ways=tuple((way.strategy, way.model) for way in matrix.ways),
        ids=tuple(row.id for row in matrix.rows),
        texts=tuple(row.text for row in matrix.rows),
        groups=tuple(row.group for row in matrix.rows),
        features=tuple(row.features for row in matrix.rows),
        expected=expected,
        quality=matrix.quality(),
        cost=matrix.cost(),
        seconds=matrix.seconds(),
    )
