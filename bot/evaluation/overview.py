"""What a run says of its ways: which is the best value, which cannot be told from it, which are on the frontier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bot.evaluation.matrix import Matrix, Table, Way
from bot.evaluation.statistics import LEVEL, Interval, Values, count_groups, difference, interval, shared
from bot.evaluation.worth import RIGHT, Worth, costs

Place = Literal["best", "level", "behind", "unknown"]

SCALE = (0.0, 1.0)
_ENOUGH = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one way did. `quality` 0 to 1, `cost` US dollars and `seconds` are means over its questions.

    `behind`: by how much utility the best way leads, pairwise, at a level shared by all pairs of ways. `place`: "level"
    cannot be told from the best, "unknown" has no known price or was judged too seldom to be compared.
    """

    way: Way
    quality: Interval
    cost: Interval
    seconds: Interval
    utility: Interval
    place: Place
    behind: Interval | None = None
    on_frontier: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """`standings` in the order of the matrix; `best` is None where no way can be compared.

    `alone`: the ids of the questions that a way alone gets right; `none_right` and `all_right`: how many questions no
    way and every way gets right, of the `judged` ones, which every way was judged on.
    """

    questions: int
    groups: int
    worth: Worth
    standings: tuple[Standing, ...]
    best: Way | None
    alone: Mapping[Way, tuple[str, ...]]
    none_right: int
    all_right: int
    judged: int

    def of(self, way: Way) -> Standing:
        """How this way did."""
        return next(standing for standing in self.standings if standing.way == way)


def overview(matrix: Matrix, worth: Worth) -> Overview:
    """Reads a matrix. Ways that were judged on less than half as many questions as others are out of the running."""
    groups = [row.group for row in matrix.rows]
    quality, cost, utility = matrix.quality(), costs(matrix), worth.utility(matrix)
    running = in_the_running(utility, quality)
    best = max(running, key=lambda number: float(np.nanmean(utility[:, number])), default=None)
    frontier = on_frontier(quality, cost, in_the_running(quality, quality))
    level = shared(LEVEL, len(running) * (len(running) - 1) // 2)  # the best is picked after all were seen
    seconds = matrix.seconds()
    standings = []
    for number, way in enumerate(matrix.ways):
        behind = None
        if best is not None and number != best and number in running:
            behind = difference(utility[:, best], utility[:, number], groups, level=level)
        standings.append(
            Standing(
                way=way,
                quality=interval(quality[:, number], groups, scale=SCALE),
                cost=interval(cost[:, number], groups),
                seconds=interval(seconds[:, number], groups),
                utility=interval(utility[:, number], groups),
                place="best" if number == best else _place(behind),
                behind=behind,
                on_frontier=number in frontier,
            )
        )
    right = _right(quality)
    return Overview(
        questions=len(matrix.rows),
        groups=count_groups(groups),
        worth=worth,
        standings=tuple(standings),
        best=None if best is None else matrix.ways[best],
        alone=alone(matrix),
        none_right=int((right == 0).all(axis=1).sum()) if len(matrix.ways) else 0,
        all_right=int((right == 1).all(axis=1).sum()) if len(matrix.ways) else 0,
        judged=int((~np.isnan(right)).all(axis=1).sum()) if len(matrix.ways) else 0,
    )


def in_the_running(utility: Table, quality: Table) -> tuple[int, ...]:
    """The columns that can be compared: with a known utility, on half as many questions as any was judged on."""
    enough = _ENOUGH * max(_counts(quality), default=0)
    return tuple(number for number, known in enumerate(_counts(utility)) if known and known >= enough)


def on_frontier(quality: Table, cost: Table, columns: Sequence[int]) -> tuple[int, ...]:
    """Those of the columns whose mean quality no other reaches for less money, or for the same; the cheapest first."""
    points = [
        (float(np.nanmean(cost[:, number])), -float(np.nanmean(quality[:, number])), number)
        for number in columns
        if not np.isnan(cost[:, number]).all()
    ]
    found: list[int] = []
    highest = -np.inf
    for _, less, number in sorted(points):
        if -less > highest:
            highest = -less
            found.append(number)
    return tuple(found)


def alone(matrix: Matrix) -> dict[Way, tuple[str, ...]]:
    """For each way the ids of the questions that it gets right and every other way was seen to get wrong."""
    right = _right(matrix.quality())
    found = {}
    for number, way in enumerate(matrix.ways):
        others = np.delete(right, number, axis=1)
        only = (right[:, number] == 1) & (others == 0).all(axis=1) if others.size else np.zeros(len(right), bool)
        found[way] = tuple(row.id for row, is_only in zip(matrix.rows, only, strict=True) if is_only)
    return found


def _right(quality: Table) -> Values:
    """1 right, 0 wrong, NaN unknown."""
    right: Values = np.where(np.isnan(quality), np.nan, quality >= RIGHT)
    return right


def _counts(table: Table) -> list[int]:
    return [int(number) for number in (~np.isnan(table)).sum(axis=0)]


def _place(behind: Interval | None) -> Place:
    if behind is None or behind.mean is None:
        return "unknown"
    return "behind" if behind.above else "level"
