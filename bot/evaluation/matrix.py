"""What every option made of every golden question: the matrix that all reports are reckoned from.

Plain values; nothing here calls a model or reads a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.domain import StrategyName

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A strategy with a model: one column."""

    strategy: StrategyName
    model: str

    def __str__(self) -> str:
        return f"{self.strategy.value} · {self.model}"


def plain(value: Any) -> Any:
    """Dataclasses, tuples and ways within each other as plain values; ways as "strategy · model"."""
    if isinstance(value, Way):
        return str(value)
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One golden question. `group`: what it may not be torn from when questions are held out (a topic, an intent).

    `features`: the evidence as numbers by name, as the selector saw it; empty where it was not looked at.
    `chosen`: what the selector would take, with the quality (0 to 1) that it expects in `expected` of each way that no
    rule keeps out. `paid`: what the expected price and time of each way take off its quality; `tuned`: how near
    (cosine) the question is to what each fine-tuned model was tuned for.
    """

    id: str
    text: str
    group: str
    features: Mapping[str, float] = field(default_factory=dict)
    chosen: Way | None = None
    expected: Mapping[Way, float] = field(default_factory=dict)
    paid: Mapping[Way, float] = field(default_factory=dict)
    tuned: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one way made of one question.

    `quality`: 0 to 1, None where it could not be judged. `scores`: each scorer's own. `cost`: US dollars, None where
    the price is unknown. `seconds` until the answer was whole. `outcome` is "answered", "nothing_found", "not
    possible" (a guard or missing evidence; no call was made), "not run" (the budget ended) or a ModelError's kind.
    """

    quality: float | None
    scores: Mapping[str, float] = field(default_factory=dict)
    cost: Decimal | None = None
    seconds: float = 0.0
    outcome: str = "answered"
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows are questions, columns ways; `cells` may lack what was never run."""

    rows: tuple[Row, ...]
    ways: tuple[Way, ...]
    cells: Mapping[tuple[str, Way], Cell]

    def quality(self) -> Table:
        """Rows × ways: quality (0 to 1). What cannot be done is 0; NaN where it was not run or not judged."""
        return self._table(lambda cell: 0.0 if cell.outcome == "not possible" else cell.quality)

    def cost(self) -> Table:
        """Rows × ways: US dollars; NaN where the price is unknown or nothing was run."""
        return self._table(lambda cell: None if cell.cost is None else float(cell.cost))

    def seconds(self) -> Table:
        """Rows × ways: seconds; NaN where nothing was run."""
        return self._table(lambda cell: None if cell.outcome == "not run" else cell.seconds)

    def _table(self, value: Callable[[Cell], float | None]) -> Table:
        table = np.full((len(self.rows), len(self.ways)), np.nan)
        for i, row in enumerate(self.rows):
            for j, way in enumerate(self.ways):
                cell = self.cells.get((row.id, way))
                found = None if cell is None else value(cell)
                if found is not None:
                    table[i, j] = found
        return table
