"""The fitted models of the strategies: from evidence to the probability that a strategy has what a question needs.

One logistic model a strategy. A question is looked at in standard deviations from what is usual; what is not known of
it counts as usual. The covariance of the weights (Laplace's approximation, MacKay 1992) says how sure each probability
is, and is what a team's own golden questions are weighed against.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.domain import StrategyName
from bot.selection.features import NAMES, Features

WEIGHTS = Path(__file__).with_name("weights.json")
FARTHEST = 4.0
"""Standard deviations beyond which a number counts no more: weights were fitted to what is usual."""
IN_FOUR_OF_FIVE = 1.2816
"""Standard deviations around the mean that hold four of five values of a normal distribution."""

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """p = 1 / (1 + exp(−b · (x, 1))). `precision`: the inverse covariance of `b`, size + 1 rows and columns."""

    b: Features
    precision: Table

    def probability(self, x: Features) -> float:
        """For a row of standardised features with a 1 behind."""
        return logistic(float(self.b @ x))

    def range(self, x: Features) -> tuple[float, float]:
        """What holds the probability in about four of five cases."""
        middle = float(self.b @ x)
        spread = IN_FOUR_OF_FIVE * math.sqrt(max(0.0, float(x @ np.linalg.solve(self.precision, x))))
        return logistic(middle - spread), logistic(middle + spread)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """`least_rag`: the probability below which passages are too little to answer from, fitted with the rest.

    `questions`: how many questions all this rests on. `version` names the weights; `index` is the version of the
    knowledge index that they were fitted on, empty where they are for any.
    """

    mean: Features
    scale: Features
    models: Mapping[StrategyName, Logistic]
    least_rag: float
    questions: int
    version: str
    index: str = ""

    def standardised(self, row: Features) -> Features:
        """The row as the models take it: in standard deviations, 0 for what is not known, with a 1 behind."""
        x = np.clip((row - self.mean) / self.scale, -FARTHEST, FARTHEST)
        return np.append(np.where(np.isfinite(x), x, 0.0), 1.0)

    def probabilities(self, row: Features) -> dict[StrategyName, float]:
        """For each strategy the probability (0 to 1) that it has what the question needs."""
        x = self.standardised(row)
        return {strategy: model.probability(x) for strategy, model in self.models.items()}

    def ranges(self, row: Features) -> dict[StrategyName, tuple[float, float]]:
        """For each strategy what holds that probability in about four of five cases."""
        x = self.standardised(row)
        return {strategy: model.range(x) for strategy, model in self.models.items()}

    def speaks_for(self, row: Features, strategy: StrategyName) -> dict[str, float]:
        """How much each feature moves the strategy's log odds from those of a usual question, by name."""
        x = self.standardised(row)
        return dict(zip(NAMES, (self.models[strategy].b * x)[:-1].tolist(), strict=True))

    def to_json(self) -> dict[str, Any]:
        """As plain values, which `from_json` takes."""
        return {
            "version": self.version,
            "index": self.index,
            "questions": self.questions,
            "features": list(NAMES),
            "mean": _rounded(self.mean),
            "scale": _rounded(self.scale),
            "least_rag": round(self.least_rag, 4),
            "strategies": {
                strategy.value: {"weights": _rounded(model.b), "precision": [_rounded(row) for row in model.precision]}
                for strategy, model in self.models.items()
            },
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Weights:
        """Raises ValueError where they were fitted to other features than these, or are no numbers."""
        if tuple(plain["features"]) != NAMES:
            raise ValueError("The estimates were fitted to other features than this version measures.")
        models = {
            StrategyName(name): Logistic(np.array(model["weights"], float), np.array(model["precision"], float))
            for name, model in plain["strategies"].items()
        }
        if not all(np.isfinite(model.b).all() and np.isfinite(model.precision).all() for model in models.values()):
            raise ValueError("The estimates are not all numbers.")
        return cls(
            mean=np.array(plain["mean"], float),
            scale=np.array(plain["scale"], float),
            models=models,
            least_rag=float(plain["least_rag"]),
            questions=int(plain["questions"]),
            version=str(plain["version"]),
            index=str(plain.get("index", "")),
        )


@cache
def load_weights(path: Path = WEIGHTS) -> Weights:
    """The weights that the program ships with. Raises ValueError where they were fitted to other features."""
    try:
        return Weights.from_json(json.loads(path.read_text("utf-8")))
    except ValueError as error:
        raise ValueError(f"{path}: {error} Run tests/benchmarks/fit_selector.py again.") from error


def logistic(value: float) -> float:
    """1 / (1 + exp(−value)), for any value."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _rounded(row: NDArray[np.float64]) -> list[float]:
    return [round(float(value), 5) for value in row]
