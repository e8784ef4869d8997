"""Evaluated questions of a team whose answers come out otherwise than the shipped estimates expect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import numpy as np

from bot.domain import StrategyName
from bot.evaluation.matrix import Cell, Matrix, Row, Way
from bot.models.cards import FineTune, ModelCard
from bot.selection.features import NAMES
from bot.selection.weights import load_weights

ZERO, FEW, RAG, TUNED = StrategyName
CARDS: Mapping[str, ModelCard] = {
    "writer": ModelCard(name="writer", provider="house", context_window=8192),
    "notes": ModelCard(
        name="notes",
        provider="house",
        context_window=8192,
        fine_tune=FineTune(kind="release notes", prompts=("Write the release notes",)),
    ),
}
PLAIN, DOCUMENTS, NOTES = Way(ZERO, "writer"), Way(RAG, "writer"), Way(TUNED, "notes")
Chance = Callable[[float], float]
"""From a shipped estimate (0 to 1) to the true chance of a good answer."""


def as_shipped(estimate: float) -> float:
    """An answer is as good as the estimates expect."""
    return 0.85 * estimate


def stale(estimate: float) -> float:
    """The documents look right and are out of date: of ten answers from them one is good."""
    return 0.1


def well_known(estimate: float) -> float:
    """The model knows most of it by itself."""
    return 0.85


def evaluated(
    questions: int,
    documents: Chance = stale,
    plain: Chance = well_known,
    *,
    groups: int = 15,
    seed: int = 1,
    tuned: float | None = None,
) -> Matrix:
    """Golden questions by plain prompting and from documents, which hold something on two of three of them.

    `tuned`: the chance of a good answer from a fine-tuned model, for every second question, which is of its kind; None
    where there is no such model.
    """
    random, weights = np.random.default_rng(seed), load_weights()
    ways = (PLAIN, DOCUMENTS, *((NOTES,) if tuned is not None else ()))
    towards = weights.models[RAG].b[:-1] / np.linalg.norm(weights.models[RAG].b[:-1])
    rows, cells = [], {}
    for number in range(questions):
        covered = 2.5 if number % 3 else -2.5
        values = weights.mean + weights.scale * (random.normal(0.0, 0.3, len(NAMES)) + covered * towards)
        of_kind = tuned is not None and number % 2 == 0
        id, near = f"q{number}", {"notes": 0.9 if of_kind else 0.1} if tuned is not None else {}
        shipped = weights.probabilities(values)
        features = dict(zip(NAMES, values.tolist(), strict=True))
        paid = dict.fromkeys(ways, 0.01)
        rows.append(
            Row(
                id=id, text=f"question {number}", group=f"g{number % groups}", features=features, paid=paid, tuned=near,
                chosen=DOCUMENTS, expected={DOCUMENTS: 0.99},
            )
        )  # fmt: skip
        chances = {PLAIN: plain(shipped[ZERO]), DOCUMENTS: documents(shipped[RAG]), NOTES: tuned or 0.0}
        for way in ways:
            quality = float(random.random() < chances[way])
            cells[id, way] = Cell(quality=quality, cost=Decimal("0.001"), seconds=1.0)
            if way == NOTES and not of_kind:
                cells[id, way] = Cell(quality=None, outcome="not possible")
    return Matrix(tuple(rows), ways, cells)
