"""A team's own golden questions turn the shipped estimates to its stores.

The shipped weights are the prior: what is found is the maximum of the posterior (MAP) under a normal prior around them,
whose precision is that of their own fit. How strongly it holds is chosen by cross-validation on the golden questions,
with the shipped weights themselves in the running, so that few or odd questions change nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bot.domain import StrategyName
from bot.selection.weights import Logistic, Table, Weights

LEAST = 30
"""Fewer golden questions leave the estimates as they are."""
HOLDS = (1.0, 0.3, 0.1, 0.03, 0.01)
"""How strongly the prior may hold: 0.1 lets one golden question count as ten of those that it was fitted on."""
FOLDS = 5
_STEPS = 50
_SMALL = 1e-8
_PROBABLE = 1e-6


def refitted(
    shipped: Weights,
    rows: Table,
    quality: Mapping[StrategyName, Sequence[float]],
    groups: Sequence[str],
    *,
    index: str = "",
    least: int = LEAST,
) -> Weights:
    """The weights for a team whose golden questions have these features (questions × NAMES).

    `quality`: for each strategy how good its answers were (0 to 1), NaN where it was not tried. `groups`: what may not
    be torn apart when questions are held out. A strategy with fewer than `least` known answers, or with equal ones
    only, keeps its model. `index`: the version of the knowledge that was searched.
    """
    x = np.array([shipped.standardised(row) for row in rows])
    fold = _folds(groups)
    models = dict(shipped.models)
    changed = 0
    for strategy, found in quality.items():
        y = np.asarray(found, float)
        known = np.isfinite(y)
        if known.sum() >= least and np.ptp(y[known]) > 0:
            prior = shipped.models[strategy]
            hold = _best_hold(prior, x[known], y[known], fold[known])
            if hold is not None:
                models[strategy] = map_fit(prior, x[known], y[known], hold)
                changed = max(changed, int(known.sum()))
    if not changed:
        return shipped
    stamp = hashlib.sha256(np.concatenate([models[s].b for s in sorted(models)]).round(6).tobytes()).hexdigest()[:8]
    version = f"{shipped.version}+{changed} golden ({stamp})"
    return replace(shipped, models=models, questions=shipped.questions + changed, version=version, index=index)


def map_fit(prior: Logistic, x: Table, y: Table, hold: float) -> Logistic:
    """The weights of the greatest posterior, by Newton's method; `y` may be fractions."""
    b, strength = prior.b.copy(), hold * prior.precision
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ b, -30, 30)))
        curvature = (x * (p * (1 - p))[:, None]).T @ x + strength
        step = np.linalg.solve(curvature, x.T @ (y - p) - strength @ (b - prior.b))
        # Far from the maximum a whole step may overshoot.
        b = b + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _SMALL:
            break
    return Logistic(b, curvature)


def _best_hold(prior: Logistic, x: Table, y: Table, fold: Table) -> float | None:
    """The strongest hold whose held-out loss is not worse than the best by more than its standard error.

    None: nothing was better than the shipped weights by more than its standard error.
    """
    shipped = _loss(x @ prior.b, y)
    losses = {hold: np.empty(len(y)) for hold in HOLDS}
    for number in range(FOLDS):
        held = fold == number
        if held.any() and not held.all():
            for hold in HOLDS:
                model = map_fit(prior, x[~held], y[~held], hold)
                losses[hold][held] = _loss(x[held] @ model.b, y[held])
        else:
            for hold in HOLDS:
                losses[hold][held] = shipped[held]
    best = min(HOLDS, key=lambda hold: losses[hold].mean())
    if not _clearly_less(losses[best], shipped):
        return None
    return next(hold for hold in HOLDS if not _clearly_less(losses[best], losses[hold]))


def _clearly_less(one: Table, other: Table) -> bool:
    """Whether the mean of one is below that of the other by more than the standard error of their difference."""
    less = other - one
    return bool(less.mean() > less.std() / np.sqrt(len(less)))


def _loss(logit: Table, y: Table) -> Table:
    """Cross entropy of each question."""
    p = np.clip(1 / (1 + np.exp(-np.clip(logit, -30, 30))), _PROBABLE, 1 - _PROBABLE)
    loss: Table = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return loss


def _folds(groups: Sequence[str]) -> Table:
    """A fold for each question, the same for all of a group and on every machine."""
    numbers = {
        group: int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") % FOLDS for group in set(groups)
    }
    return np.array([numbers[group] for group in groups])
