"""An evaluation as plain tables, on which the choice by question is played again and held against fixed choices."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.domain import Mean, Option, StrategyName
from bot.learning.bandit import Bandit
from bot.learning.experience import Way

Table = NDArray[np.float64]

VERSION = 1
FOLDS = 5
LEAST_TAKEN = 0.5
"""A way can be the best fixed one where it can be taken for at least this share of the questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Rows are golden questions, columns ways. `expected`: the quality (0 to 1) that the estimates expect, NaN where
    a guard keeps the way out. `quality`: what was measured, `cost` in US dollars, `seconds`; NaN where unknown or not
    run. `groups`: what may not be torn apart when questions are held out."""

    at: datetime
    ways: tuple[Way, ...]
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    groups: tuple[str, ...]
    features: tuple[Mapping[str, float], ...]
    expected: Table
    quality: Table
    cost: Table
    seconds: Table

    def means(self) -> dict[Way, Mean]:
        """The measured quality of each way that was run at all."""
        counted = np.isfinite(self.quality) & np.isfinite(self.expected)
        return {
            way: Mean(n=float(n), mean=float(self.quality[counted[:, column], column].mean()))
            for column, way in enumerate(self.ways)
            if (n := counted[:, column].sum())
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values; NaN is null."""
        tables = {name: _plain(getattr(self, name)) for name in ("expected", "quality", "cost", "seconds")}
        return {
            "at": self.at.isoformat(),
            "ways": [[strategy.value, model] for strategy, model in self.ways],
            "ids": list(self.ids),
            "texts": list(self.texts),
            "groups": list(self.groups),
            "features": [{k: v for k, v in row.items() if np.isfinite(v)} for row in self.features],
            **tables,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Replay:
        """What `to_json` made plain."""
        shape = (len(plain["ids"]), len(plain["ways"]))
        tables = {
            name: np.array(plain[name], dtype=float).reshape(shape)
            for name in ("expected", "quality", "cost", "seconds")
        }
        return cls(
            at=datetime.fromisoformat(plain["at"]),
            ways=tuple((StrategyName(strategy), model) for strategy, model in plain["ways"]),
            ids=tuple(plain["ids"]),
            texts=tuple(plain["texts"]),
            groups=tuple(plain["groups"]),
            features=tuple(plain["features"]),
            **tables,
        )


@dataclass(frozen=True, slots=True)
class Gains:
    """What the choice by question gains in utility over the best fixed way of the other folds, question by question.
    `best`: the best fixed way on all questions."""

    values: Table
    groups: tuple[str, ...]
    best: Way


def held_out_gains(replay: Replay, bandit: Bandit, *, cost_weight: float, latency_weight: float) -> Gains | None:
    """The choice by estimates and bandit, with its chances, against fixed ways chosen on other groups' questions.

    Where a fixed way cannot be taken, the choice by question stands in for it. Questions of which what is needed was
    not measured are left out. None where there is nothing to hold out: one group, no way, no measured question.
    """
    if not replay.ways or len(set(replay.groups)) < 2:
        return None
    price = _known(replay.cost)
    reached = replay.quality - cost_weight * price - latency_weight * np.nan_to_num(replay.seconds)
    chances = _chances(replay, bandit, cost_weight, latency_weight)
    known = ~((chances > 0) & ~np.isfinite(reached)).any(axis=1) & chances.any(axis=1)
    by_question = np.where(chances > 0, chances * np.nan_to_num(reached), 0.0).sum(axis=1)
    fixed = np.where(np.isfinite(replay.expected), reached, by_question[:, None])
    # What guards keep out of most questions is no fixed choice: it would be the choice by question under another name.
    fixed[:, np.isfinite(replay.expected).mean(axis=0) < LEAST_TAKEN] = np.nan
    folds = _folds(replay.groups)
    values = np.full(len(replay.ids), np.nan)
    for fold in range(FOLDS):
        held, rest = folds == fold, (folds != fold) & known
        if (column := _best(fixed[rest])) is not None:
            values[held] = by_question[held] - fixed[held, column]
    kept = known & np.isfinite(values)
    best = _best(fixed[known])
    if best is None or not kept.any():
        return None
    groups = tuple(group for group, keep in zip(replay.groups, kept, strict=True) if keep)
    return Gains(values[kept], groups, replay.ways[best])


def chance_of(id: str) -> np.random.Generator:
    """The random numbers of one question: the same whenever it is chosen for again."""
    return np.random.default_rng(zlib.crc32(id.encode()))


def _chances(replay: Replay, bandit: Bandit, cost_weight: float, latency_weight: float) -> Table:
    """How likely each way is to be taken for each question, from what is known before it is answered."""
    usual_cost, usual_seconds = _known(_columns(replay.cost)), np.nan_to_num(_columns(replay.seconds))
    utility = replay.expected - cost_weight * usual_cost - latency_weight * usual_seconds
    rows = []
    for row, id in enumerate(replay.ids):
        options = [
            Option(
                strategy=strategy,
                model=model,
                quality=float(np.nan_to_num(replay.expected[row, column])),
                cost=None,
                latency=0.0,
                utility=float(utility[row, column]),
                available=bool(np.isfinite(replay.expected[row, column])),
            )
            for column, (strategy, model) in enumerate(replay.ways)
        ]
        rows.append(bandit.chances(options, replay.features[row], chance_of(id)))
    return np.array(rows).reshape(utility.shape)


def _columns(table: Table) -> Table:
    """Each column's mean over what is known of it, NaN where nothing is; one row."""
    known = np.isfinite(table)
    count = known.sum(axis=0)
    sums = np.where(known, table, 0.0).sum(axis=0)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def _known(cost: Table) -> Table:
    """Costs, an unknown one weighed as if it were the dearest of the others."""
    dearest = np.nanmax(cost) if np.isfinite(cost).any() else 0.0
    return np.where(np.isfinite(cost), cost, dearest)


def _best(utilities: Table) -> int | None:
    """The column of the highest mean, among those that are known for at least half of the rows."""
    if not len(utilities):
        return None
    enough = np.isfinite(utilities).mean(axis=0) >= 0.5
    means = np.where(enough, np.nan_to_num(_columns(utilities), nan=-np.inf), -np.inf)
    return int(means.argmax()) if np.isfinite(means.max()) else None


def _folds(groups: Sequence[str]) -> NDArray[np.int64]:
    """A fold for each question: the largest groups first, each to the fold that is smallest so far."""
    names, place, sizes = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    filled, fold = np.zeros(FOLDS, dtype=int), np.zeros(len(names), dtype=np.int64)
    for name in np.argsort(-sizes, kind="stable"):
        fold[name] = filled.argmin()
        filled[fold[name]] += sizes[name]
    return fold[place]


def _plain(table: Table) -> list[list[float | None]]:
    return [[float(value) if np.isfinite(value) else None for value in row] for row in table]
