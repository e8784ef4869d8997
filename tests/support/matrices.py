"""Matrices as evaluations make them, from a world whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from bot.domain import StrategyName
from bot.evaluation.matrix import Cell, Matrix, Row, Way
from bot.evaluation.run import Run
from bot.evaluation.worth import Worth

WORTH = Worth(cost_weight=5.0, latency_weight=0.005)
ZERO, FEW, RAG, TUNED = StrategyName.ZERO_SHOT, StrategyName.FEW_SHOT, StrategyName.RAG, StrategyName.FINE_TUNED
STORES = {RAG: "passage_similarity", FEW: "example_similarity", TUNED: "fine_tuned_similarity"}
NEEDS, SHARES = (ZERO, RAG, FEW, TUNED), (0.25, 0.4, 0.2, 0.15)
TOPICS = ("deployments", "holidays and leave", "expenses", "on-call", "security", "hardware", "access", "releases")
FACETS = ("how to", "who", "where")
ASKED = (
    "How do we roll back {}?",
    "Who signs off {}?",
    "Where is the page about {}?",
    "What changed in {} last week?",
    "Is there a limit for {}?",
)


def plain(
    table: Sequence[Sequence[float | None]],
    ways: Sequence[Way],
    *,
    costs: Sequence[str | None] | None = None,
    groups: Sequence[str] | None = None,
    chosen: Sequence[Way | None] | None = None,
    **row: Any,
) -> Matrix:
    """A matrix of these qualities, rows × ways; each way costs the same everywhere and takes a second."""
    costs = costs or ["0"] * len(ways)
    rows = tuple(
        Row(
            id=f"q{number}",
            text=f"question {number}",
            group=groups[number] if groups else f"g{number}",
            chosen=chosen[number] if chosen else None,
            **row,
        )
        for number in range(len(table))
    )
    cells = {
        (rows[number].id, way): Cell(quality=quality, cost=None if cost is None else Decimal(cost), seconds=1.0)
        for number, line in enumerate(table)
        for way, quality, cost in zip(ways, line, costs, strict=True)
    }
    return Matrix(rows, tuple(ways), cells)


def ways(number: int, *, long_names: bool = False) -> tuple[Way, ...]:
    """Strategies × models, the first `number` of them."""
    models = ["small", "medium", "large"]
    if long_names:
        models = ["org/an-open-model-with-a-long-name-8x22b-instruct-2026-10", "gpt-oss-120b", "<b>local&free</b>"]
    strategies = (ZERO, RAG, FEW, TUNED)
    return tuple(Way(strategy, model) for model in models for strategy in strategies)[:number]


def simulated(
    questions: int,
    number_of_ways: int,
    *,
    seed: int = 1,
    unpriced: Sequence[int] = (),
    free: Sequence[int] = (),
    long_names: bool = False,
    skill: float = 0.7,
) -> Matrix:
    """A team's questions: each needs one strategy; stronger models are dearer and somewhat better at everything.

    `skill`: how often the selector recognises what a question needs; else it believes in anything. What it expects of
    each way is the true chance, given what it believes; it takes what is worth most.
    """
    random = np.random.default_rng(seed)
    columns = ways(number_of_ways, long_names=long_names)
    models = list(dict.fromkeys(way.model for way in columns))
    needs = random.choice(len(SHARES), size=questions, p=SHARES)
    guesses = np.where(random.random(questions) < skill, needs, random.choice(len(SHARES), size=questions, p=SHARES))
    rows, cells = [], {}
    for number, need in enumerate(needs):
        wanted = NEEDS[need]
        topic = TOPICS[int(random.integers(len(TOPICS)))]
        group = f"{topic}: {FACETS[int(random.integers(len(FACETS)))]}"
        near = {name: float(random.beta(6, 4) if s is wanted else random.beta(3, 6)) for s, name in STORES.items()}
        true = {way: _chance(way, wanted, models.index(way.model)) for way in columns}
        known = {way: _expected(way, int(guesses[number]), models.index(way.model), skill) for way in columns}
        id = f"q{number:04d}"
        for column, way in enumerate(columns):
            cells[id, way] = _cell(random, column, way, true[way], models.index(way.model), unpriced, free)
        text = ASKED[number % len(ASKED)].format(f"{topic} ({number})")
        worth = {way: known[way] - WORTH.cost_weight * _dollars(way, models.index(way.model)) for way in columns}
        rows.append(
            Row(
                id=id, text=text, group=group, features=near, expected=known,
                chosen=max(worth, key=lambda way: worth[way]),
            )
        )  # fmt: skip
    return Matrix(tuple(rows), columns, cells)


def run(**changes: Any) -> Run:
    """A run's metadata."""
    values: dict[str, Any] = {
        "id": "20261121-1",
        "name": "golden questions of November",
        "started": datetime(2026, 11, 21, 9, 30, tzinfo=UTC),
        "finished": datetime(2026, 11, 21, 9, 52, tzinfo=UTC),
        "source": "golden.jsonl",
        "data": "8f14e45f",
        "questions": 400,
        "index": "41",
        "models": {"small": "openai/small-1", "large": "openai/large-2"},
        "prompts": "c9f0f895",
        "scorers": ("contains", "token_f1", "citation_recall"),
        "judge": "large",
        "settings": {"max_tokens": "800"},
        "budget": Decimal("5"),
        "spent": Decimal("3.1204"),
    }
    return Run(**(values | changes))


def with_choices(matrix: Matrix, choose: Any) -> Matrix:
    """The same with other choices: `choose(row)` gives the way."""
    return Matrix(tuple(replace(row, chosen=choose(row)) for row in matrix.rows), matrix.ways, matrix.cells)


def _chance(way: Way, wanted: StrategyName, strength: int) -> float:
    right = {ZERO: 0.82, RAG: 0.86, FEW: 0.84, TUNED: 0.9}[wanted] if way.strategy is wanted else 0.28
    return min(0.98, right + 0.04 * strength)


def _expected(way: Way, guess: int, strength: int, skill: float) -> float:
    """P(need | guess) = skill · [need = guess] + (1 − skill) · P(need), since wrong guesses say nothing."""
    believed = [(1 - skill) * share + skill * (number == guess) for number, share in enumerate(SHARES)]
    return sum(p * _chance(way, need, strength) for p, need in zip(believed, NEEDS, strict=True))


def _dollars(way: Way, strength: int) -> float:
    return {ZERO: 0.0002, RAG: 0.0011, FEW: 0.0006, TUNED: 0.0004}[way.strategy] * 6.0**strength


def _cell(
    random: np.random.Generator, column: int, way: Way, chance: float, strength: int,
    unpriced: Sequence[int], free: Sequence[int],
) -> Cell:  # fmt: skip
    cost = Decimal(f"{_dollars(way, strength) * random.lognormal(0, 0.3):.7f}")
    if column in unpriced:
        return _answered(random, chance, None)
    return _answered(random, chance, Decimal(0) if column in free else cost)


def _answered(random: np.random.Generator, chance: float, cost: Decimal | None) -> Cell:
    quality = float(random.random() < chance)
    return Cell(
        quality=quality, cost=cost, seconds=float(random.gamma(6, 0.25)), answer="Roll it back with `make back`."
    )
