"""What the selector's money would have bought without a selector: the best mix of fixed ways at the same mean cost."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from bot.evaluation.matrix import Way
from bot.evaluation.policies import Outcome, Tables
from bot.evaluation.statistics import Interval, Values, derived


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualCost:
    """`cost`: the selector's mean US dollars. `quality` and `mix_quality` (0 to 1): what it and the mix reach for that.

    The mix takes `cheaper` and, for the share `share` of questions, `dearer` instead. `gain`: the selector's quality
    less the mix's; the mix is chosen anew in every resample, which speaks for the mix.
    """

    cost: float
    quality: float
    mix_quality: float
    cheaper: Way
    dearer: Way
    share: float
    gain: Interval


def equal_cost(tables: Tables, chosen: Outcome) -> EqualCost | None:
    """Compares on the questions that all priced ways were judged on.

    None where there are none, where the selector took a way whose price is unknown, and where it spends less than the
    cheapest way costs: no mix is as cheap.
    """
    priced = [n for n in tables.running if not np.isnan(tables.cost[:, n]).all()]
    if not priced or np.isnan(chosen.cost[~np.isnan(chosen.quality)]).any():
        return None
    table = np.column_stack([tables.quality[:, priced], tables.cost[:, priced], chosen.quality, chosen.cost])
    gain = derived(table, lambda means: means[:, -2] - _mix(means, len(priced))[0], tables.groups)
    if gain.mean is None:
        return None
    means = table[~np.isnan(table).any(axis=1)].mean(axis=0)[None, :]
    if means[0, -1] < means[0, len(priced) : -2].min():
        return None
    mixed, (cheaper, dearer), share = _mix(means, len(priced))
    return EqualCost(
        cost=float(means[0, -1]),
        quality=float(means[0, -2]),
        mix_quality=float(mixed[0]),
        cheaper=tables.matrix.ways[priced[cheaper]],
        dearer=tables.matrix.ways[priced[dearer]],
        share=share,
        gain=gain,
    )


def _mix(means: Values, ways: int) -> tuple[Values, tuple[int, int], float]:
    """For each line of means the best quality at the selector's cost; of the first also the pair and its share.

    A line that spends less than any way costs is given the cheapest way.
    """
    quality, cost, spent = means[:, :ways], means[:, ways : 2 * ways], means[:, -1]
    spent = np.maximum(spent, cost.min(axis=1))
    best = np.where(cost <= spent[:, None], quality, -np.inf)
    pair = (int(best[0].argmax()),) * 2
    top: Values = best.max(axis=1)
    share = 0.0
    for cheap, dear in permutations(range(ways), 2):
        between = (cost[:, cheap] <= spent) & (spent < cost[:, dear])
        part = np.zeros(len(means))
        np.divide(spent - cost[:, cheap], cost[:, dear] - cost[:, cheap], out=part, where=between)
        mixed = np.where(between, quality[:, cheap] + part * (quality[:, dear] - quality[:, cheap]), -np.inf)
        if mixed[0] > top[0]:
            pair, share = (cheap, dear), float(part[0])
        top = np.maximum(top, mixed)
    return top, pair, share
