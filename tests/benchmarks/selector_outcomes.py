"""Choosing how often to retrieve by the question alone: none, once or several times (AdaRAGUE's outcomes).

Nothing of a team's stores is known here, so the features of the selector say nothing; what is tried is the same
choice, argmax of quality − λ · cost, on what can be learned from earlier questions: kernel ridge regression of the
three outcomes on the question's embedding. What was tried and gave no more: the shape of the question (how it begins,
what it names), words and letters (TF-IDF), logistic regression, boosted trees, nearest neighbours, a mean of all.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GroupKFold, StratifiedKFold

from knowledge.embedding.minilm import MiniLM

STEPS = ("none", "single", "multi")
COSTS = np.array([1.0, 4.3, 13.0])
"""By the authors' own timings."""
PUBLISHED = 0.401
"""Accuracy of always retrieving several times on the half of the data that published routers were measured on."""
FOLDS = 5
LAMBDAS = np.concatenate([[0.0], np.geomspace(1e-4, 0.1, 120)])
RESAMPLES = 10_000
_RIDGE, _GAMMA = 15.0, 2.0

JSON = dict[str, Any]
Table = NDArray[np.float64]


async def measure_outcomes(file: Path, models_dir: Path) -> tuple[JSON, list[JSON]]:
    """All figures, and a line for each question. The columns are `question`, `dataset`, `acc_none` and so on."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    outcome = np.array([[float(row[f"acc_{step}"]) for step in STEPS] for row in rows])
    datasets = np.array([row["dataset"] for row in rows])
    texts = [row["question"] for row in rows]
    embedder = MiniLM(models_dir)
    try:
        vectors = await embedder.embed(texts)
    finally:
        await embedder.close()
    x = vectors.astype(np.float64)
    within = _folds(x, outcome, datasets, apart=False)
    found: JSON = {
        "questions": len(rows),
        "always": {
            step: {"accuracy": round(float(outcome[:, n].mean()), 4), "cost": float(COSTS[n])}
            for n, step in enumerate(STEPS)
        },
        "oracle": _oracle(outcome),
        "folds_stratified_by_dataset": within.figures(outcome),
        "dataset_known": _told_by_dataset(outcome, datasets),
    }
    if len(set(datasets.tolist())) >= FOLDS:
        found["datasets_never_seen"] = _folds(x, outcome, datasets, apart=True).figures(outcome)
    lines_out = [
        {"question": row["question"], "dataset": row["dataset"], "chosen": STEPS[n], **_named(p)}
        for row, n, p in zip(rows, within.chosen, within.expected, strict=True)
    ]
    return found, lines_out


class _Folds:
    """What was expected of each held-out question, and what was chosen by a λ that the training folds set."""

    def __init__(self, expected: Table, chosen: NDArray[np.intp]) -> None:
        self.expected = expected
        self.chosen = chosen

    def figures(self, outcome: Table) -> JSON:
        """At the λ that was set without these questions, and along the whole curve (λ known afterwards)."""
        every = np.arange(len(outcome))
        best = int(outcome.mean(axis=0).argmax())
        gain = outcome[every, self.chosen] - outcome[:, best]
        means = np.random.default_rng(0).choice(gain, size=(RESAMPLES // 10, len(gain))).mean(axis=1)
        curve = np.array([_point(self.expected, outcome, value) for value in LAMBDAS])
        enough = curve[curve[:, 0] >= outcome[:, -1].mean()]
        return {
            "accuracy": round(float(outcome[every, self.chosen].mean()), 4),
            "cost": round(float(COSTS[self.chosen].mean()), 2),
            "gain_over_the_best_fixed": [round(float(np.quantile(means, q)), 4) for q in (0.025, 0.975)],
            "best_fixed": STEPS[best],
            "cost_at_accuracy_of_always_multi": round(float(enough[:, 1].min()), 2) if len(enough) else None,
            "accuracy_at_cost_6.5": round(float(curve[curve[:, 1] <= 6.5][:, 0].max()), 4),
            "cost_at_accuracy_0.401": round(float(curve[curve[:, 0] >= PUBLISHED][:, 1].min()), 2),
        }


def _folds(x: Table, outcome: Table, datasets: NDArray[np.str_], *, apart: bool) -> _Folds:
    """`apart`: no dataset is on both sides, neither where λ is set nor where it is tried."""
    expected = np.zeros_like(outcome)
    chosen = np.zeros(len(outcome), np.intp)
    for known, held in _splits(x, datasets, apart):
        expected[held] = _fitted(x[known], outcome[known], x[held])
        weight = _lambda(x[known], outcome[known], datasets[known], apart)
        chosen[held] = (expected[held] - weight * COSTS).argmax(axis=1)
    return _Folds(expected, chosen)


def _splits(x: Table, datasets: NDArray[np.str_], apart: bool) -> list[tuple[Table, Table]]:
    if apart:
        return list(GroupKFold(min(FOLDS, len(set(datasets.tolist())))).split(x, groups=datasets))
    return list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(x, datasets))


def _fitted(x: Table, outcome: Table, wanted: Table) -> Table:
    mean = outcome.mean(axis=0)
    model = KernelRidge(alpha=_RIDGE, kernel="rbf", gamma=_GAMMA).fit(x, outcome - mean)
    found: Table = model.predict(wanted) + mean
    return found


def _lambda(x: Table, outcome: Table, datasets: NDArray[np.str_], apart: bool) -> float:
    """The greatest λ at which the choice, held out among the known questions, is as right as the best fixed one."""
    expected = np.zeros_like(outcome)
    for known, held in _splits(x, datasets, apart):
        expected[held] = _fitted(x[known], outcome[known], x[held])
    least = outcome.mean(axis=0).max()
    good = [value for value in LAMBDAS if _point(expected, outcome, value)[0] >= least]
    return float(max(good, default=0.0))


def _point(expected: Table, outcome: Table, value: float) -> tuple[float, float]:
    chosen = (expected - value * COSTS).argmax(axis=1)
    return float(outcome[np.arange(len(outcome)), chosen].mean()), float(COSTS[chosen].mean())


def _oracle(outcome: Table) -> JSON:
    """The cheapest right one, known afterwards; none where nothing is right."""
    chosen = np.where(outcome.max(axis=1) > 0, outcome.argmax(axis=1), 0)
    accuracy = outcome[np.arange(len(outcome)), chosen].mean()
    return {"accuracy": round(float(accuracy), 4), "cost": round(float(COSTS[chosen].mean()), 2)}


def _told_by_dataset(outcome: Table, datasets: NDArray[np.str_]) -> JSON:
    """What knowing each question's dataset, and nothing else of it, would give at best: a bound for style alone."""
    expected = np.zeros_like(outcome)
    for name in set(datasets.tolist()):
        expected[datasets == name] = outcome[datasets == name].mean(axis=0)
    curve = np.array([_point(expected, outcome, value) for value in LAMBDAS])
    enough = curve[curve[:, 0] >= outcome[:, -1].mean()]
    return {
        "best_accuracy": round(float(curve[:, 0].max()), 4),
        "cost_at_accuracy_of_always_multi": round(float(enough[:, 1].min()), 2) if len(enough) else None,
        "accuracy_at_cost_6.5": round(float(curve[curve[:, 1] <= 6.5][:, 0].max()), 4),
    }


def _named(expected: Table) -> JSON:
    return {f"expected_{step}": round(float(value), 4) for step, value in zip(STEPS, expected, strict=True)}
