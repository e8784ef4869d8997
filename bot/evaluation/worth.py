"""What an answer is worth: its quality less what its price and its time are weighed at."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from bot.costs.money import dollars
from bot.evaluation.matrix import Matrix, Table

RIGHT = 0.5
"""From this quality on an answer counts as right where right and wrong are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """`cost_weight` (λ): quality that a US dollar is worth; `latency_weight` (μ): quality that a second is worth."""

    cost_weight: float
    latency_weight: float

    def utility(self, matrix: Matrix) -> Table:
        """Rows × ways: quality − λ · dollars − μ · seconds; NaN where one that has weight is unknown."""
        return self._utility(matrix, costs(matrix))

    def weighed(self, matrix: Matrix) -> Table:
        """The same with unknown prices taken for high ones, as the selector takes them: see `assumed_costs`."""
        return self._utility(matrix, assumed_costs(matrix))

    @property
    def sentence(self) -> str:
        """How money and time are weighed, for people."""
        money = "prices do not count"
        if self.cost_weight:
            money = f"a point of quality (0.01) is worth {dollars(Decimal(f'{0.01 / self.cost_weight:.3g}'))}"
        time = "time does not count"
        if self.latency_weight:
            time = f"{0.01 / self.latency_weight:.3g} s of waiting cost a point"
        return f"{money[:1].upper()}{money[1:]}, and {time}."

    def _utility(self, matrix: Matrix, cost: Table) -> Table:
        utility = matrix.quality()
        if self.cost_weight:
            utility = utility - self.cost_weight * cost
        if self.latency_weight:
            utility = utility - self.latency_weight * matrix.seconds()
        return utility


def costs(matrix: Matrix) -> Table:
    """Rows × ways: US dollars; NaN where the price is unknown. What cannot be done calls no model and costs nothing."""
    table = matrix.cost()
    for (row, way), value in _not_possible(matrix).items():
        if np.isnan(table[row, way]):
            table[row, way] = value
    return table


def assumed_costs(matrix: Matrix) -> Table:
    """US dollars with a stand-in for what is unknown, never NaN where the answer was judged.

    A single unknown price is the way's mean; a way without any is as dear as the dearest of its strategy, or of all.
    Without a single known price nothing is dearer than anything else: 0.
    """
    table = costs(matrix)
    means = [_mean(column) for column in table.T]
    for number, way in enumerate(matrix.ways):
        kin = [mean for other, mean in zip(matrix.ways, means, strict=True) if other.strategy is way.strategy]
        dearest = max((mean for mean in kin if mean is not None), default=None)
        if dearest is None:
            dearest = max((mean for mean in means if mean is not None), default=0.0)
        own = means[number]
        table[np.isnan(table[:, number]), number] = dearest if own is None else own
    return table


def _mean(column: Table) -> float | None:
    known = column[~np.isnan(column)]
    return float(known.mean()) if len(known) else None


def _not_possible(matrix: Matrix) -> dict[tuple[int, int], float]:
    rows = {row.id: number for number, row in enumerate(matrix.rows)}
    ways = {way: number for number, way in enumerate(matrix.ways)}
    return {
        (rows[id], ways[way]): 0.0
        for (id, way), cell in matrix.cells.items()
        if cell.outcome == "not possible" and id in rows and way in ways
    }
