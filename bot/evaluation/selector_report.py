"""The selector's own report: what choosing for each question gained over not choosing, from a finished matrix."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bot.domain import StrategyName
from bot.evaluation import policies
from bot.evaluation.calibration import Calibration, RiskCoverage, calibration, risk_coverage
from bot.evaluation.equal_cost import EqualCost, equal_cost
from bot.evaluation.flips import Flip
from bot.evaluation.matrix import Matrix, Way, plain
from bot.evaluation.overview import SCALE
from bot.evaluation.policies import Outcome, Picks, Tables
from bot.evaluation.statistics import (
    Interval,
    Values,
    count_groups,
    derived,
    difference,
    interval,
    lower_bound,
    questions_needed,
)
from bot.evaluation.worth import Worth

Kind = Literal["selector", "best fixed", "same mix", "nearest store", "oracle", "fixed"]
Verdict = Literal["better", "worse", "no difference", "too few", "no choices"]

_NO_GAP = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How one way of choosing did. `way` is set for a fixed one; `gain`: the selector's utility less this one's."""

    kind: Kind
    way: Way | None = None
    quality: Interval
    cost: Interval
    seconds: Interval
    utility: Interval
    gain: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long decisions took, in milliseconds."""

    p50: float
    p95: float
    decisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorReport:
    """All figures are of questions where the selector's choice and what came of it are known (`choices`).

    `best_fixed`: what the folds chose, the most frequent first. `gain`: the selector's utility less that of the best
    fixed way, `lower_bound` its one-sided 95% bound (None: nothing can be told), `needed` the questions that a gain of
    this size takes to be seen. `gap`: by how much the oracle, which knows what will come, beats the best fixed way;
    `gap_closed`: the share of it that the selector gains, None where there is no gap. `false_rag`: share of the
    questions without their document that were sent to the documents; `sent_to_rag`: share of all others.
    `calibration` is of every estimate, `calibration_taken` of those of the ways that were taken. `unpriced`: the ways
    without a known price; they are weighed as the dearest of their strategy.
    """

    worth: Worth
    questions: int
    groups: int
    choices: int
    verdict: Verdict
    policies: tuple[Policy, ...]
    best_fixed: tuple[Way, ...]
    held_out: bool
    gain: Interval
    lower_bound: float | None
    needed: int | None
    gap: Interval
    gap_closed: Interval | None
    equal_cost: EqualCost | None
    calibration: Calibration | None
    calibration_taken: Calibration | None
    risk: RiskCoverage | None
    false_rag: Interval | None
    sent_to_rag: Interval | None
    flips: tuple[Flip, ...]
    latency: Latency | None
    unpriced: tuple[Way, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; ways as "strategy · model"."""
        found: dict[str, Any] = plain(self)
        return found


def selector_report(
    matrix: Matrix,
    worth: Worth,
    *,
    absent: Collection[str] = (),
    flips: Sequence[Flip] = (),
    decision_ms: Sequence[float] = (),
) -> SelectorReport:
    """Reckons everything that a matrix with the selector's choices says of them.

    `absent`: ids of the questions whose document was removed. `decision_ms`: milliseconds of each decision.
    """
    tables = Tables.of(matrix, worth)
    taken = policies.selector(matrix)
    fixed = policies.best_fixed(tables)
    chosen, best, oracle = (tables.taken(picks) for picks in (taken, fixed, policies.oracle(tables)))
    gain = difference(chosen.utility, best.utility, tables.groups)
    bound = lower_bound(chosen.utility - best.utility, tables.groups)
    squared = np.nanmean((chosen.utility - best.utility) ** 2) if gain.questions else 0.0
    choices = ~np.isnan(chosen.utility)
    expected = _expected(matrix)
    expected_taken = policies.picked(expected, taken)
    rag = np.array([np.nan if row.chosen is None else row.chosen.strategy is StrategyName.RAG for row in matrix.rows])
    is_absent = np.array([row.id in absent for row in matrix.rows], dtype=bool)
    repeated = tuple(group for group in tables.groups for _ in matrix.ways)
    return SelectorReport(
        worth=worth,
        questions=len(matrix.rows),
        groups=count_groups(tables.groups),
        choices=int(choices.sum()),
        verdict=_verdict(taken, gain, bound),
        policies=_policies(tables, taken, chosen, best, oracle),
        best_fixed=_most_frequent(matrix, fixed),
        held_out=count_groups(tables.groups) > 1,
        gain=gain,
        lower_bound=bound if math.isfinite(bound) else None,
        needed=questions_needed(gain.mean, float(squared)) if gain.mean else None,
        gap=difference(oracle.utility, best.utility, tables.groups),
        gap_closed=_gap_closed(chosen, best, oracle, tables.groups),
        equal_cost=equal_cost(tables, chosen),
        calibration=calibration(expected.ravel(), tables.quality.ravel(), repeated),
        calibration_taken=calibration(expected_taken, chosen.quality, tables.groups),
        risk=risk_coverage(expected_taken, chosen.quality),
        false_rag=_share(rag, is_absent, tables.groups) if is_absent.any() else None,
        sent_to_rag=_share(rag, ~is_absent, tables.groups) if is_absent.any() else None,
        flips=tuple(flips),
        latency=_latency(decision_ms),
        unpriced=tuple(matrix.ways[number] for number in tables.running if np.isnan(tables.cost[:, number]).all()),
    )


def _policies(tables: Tables, taken: Picks, chosen: Outcome, best: Outcome, oracle: Outcome) -> tuple[Policy, ...]:
    nearest = policies.nearest_store(tables)
    found = [
        _policy("selector", chosen, None, tables.groups),
        _policy("best fixed", best, chosen, tables.groups),
        _policy("same mix", policies.same_mix(tables, taken), chosen, tables.groups),
    ]
    if (nearest >= 0).any():
        found.append(_policy("nearest store", tables.taken(nearest), chosen, tables.groups))
    found.append(_policy("oracle", oracle, chosen, tables.groups))
    for number, way in enumerate(tables.matrix.ways):
        outcome = tables.taken(np.full(len(tables.groups), number, dtype=np.intp))
        found.append(_policy("fixed", outcome, chosen, tables.groups, way))
    return tuple(found)


def _policy(
    kind: Kind, outcome: Outcome, chosen: Outcome | None, groups: Sequence[str], way: Way | None = None
) -> Policy:
    return Policy(
        kind=kind,
        way=way,
        quality=interval(outcome.quality, groups, scale=SCALE),
        cost=interval(outcome.cost, groups),
        seconds=interval(outcome.seconds, groups),
        utility=interval(outcome.utility, groups),
        gain=None if chosen is None else difference(chosen.utility, outcome.utility, groups),
    )


def _verdict(taken: Picks, gain: Interval, bound: float) -> Verdict:
    if not (taken >= 0).any():
        return "no choices"
    if not math.isfinite(bound):
        return "too few"
    if bound > 0:
        return "better"
    return "worse" if gain.below else "no difference"


def _gap_closed(chosen: Outcome, best: Outcome, oracle: Outcome, groups: Sequence[str]) -> Interval | None:
    """(selector − best fixed) / (oracle − best fixed), of questions where all three are known."""

    def closed(means: Values) -> Values:
        found = np.full(len(means), np.nan)
        np.divide(means[:, 0], means[:, 1], out=found, where=means[:, 1] > _NO_GAP)
        return found

    table = np.column_stack([chosen.utility - best.utility, oracle.utility - best.utility])
    found = derived(table, closed, groups)
    return None if found.mean is None else found


def _expected(matrix: Matrix) -> Values:
    table = [[row.expected.get(way, np.nan) for way in matrix.ways] for row in matrix.rows]
    return np.array(table, dtype=np.float64).reshape(len(matrix.rows), len(matrix.ways))


def _share(values: Values, kept: NDArray[np.bool_], groups: Sequence[str]) -> Interval:
    return interval(values[kept], [groups[int(row)] for row in np.flatnonzero(kept)], scale=SCALE)


def _most_frequent(matrix: Matrix, picks: Picks) -> tuple[Way, ...]:
    counts = np.bincount(picks[picks >= 0], minlength=len(matrix.ways))
    order = np.argsort(-counts, kind="stable")
    return tuple(matrix.ways[number] for number in order if counts[number])


def _latency(milliseconds: Sequence[float]) -> Latency | None:
    if not len(milliseconds):
        return None
    p50, p95 = np.percentile(milliseconds, (50, 95))
    return Latency(p50=float(p50), p95=float(p95), decisions=len(milliseconds))
