from __future__ import annotations

import numpy as np
import pytest

from bot.domain import StrategyName
from bot.selection.features import NAMES
from bot.selection.refit import LEAST, map_fit, refitted
from bot.selection.weights import Weights, load_weights

RAG, FEW_SHOT = StrategyName.RAG, StrategyName.FEW_SHOT


def rows(count: int, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Evidence as teams have it, one row a question."""
    shipped = load_weights()
    return shipped.mean + np.random.default_rng(seed).normal(size=(count, len(NAMES))) * shipped.scale


def drawn(weights: Weights, table: np.ndarray[tuple[int, int], np.dtype[np.float64]], shift: float) -> list[float]:
    """Whether documents helped, for a team whose log odds are off by `shift`."""
    chance = np.random.default_rng(1)
    model = weights.models[RAG]
    logits = np.array([model.b @ weights.standardised(row) for row in table]) + shift
    return [float(chance.random() < 1 / (1 + np.exp(-logit))) for logit in logits]


def loss(weights: Weights, table: np.ndarray[tuple[int, int], np.dtype[np.float64]], y: list[float]) -> float:
    p = np.array([weights.probabilities(row)[RAG] for row in table]).clip(1e-6, 1 - 1e-6)
    found = np.array(y)
    return float(-(found * np.log(p) + (1 - found) * np.log(1 - p)).mean())


def groups(count: int) -> list[str]:
    return [f"group {number}" for number in range(count)]


def test_golden_questions_of_another_kind_of_team_turn_the_estimates() -> None:
    shipped = load_weights()
    known, fresh = rows(150, seed=2), rows(1000, seed=3)
    again = refitted(shipped, known, {RAG: drawn(shipped, known, 2.5)}, groups(150), index="local")
    truth = drawn(shipped, fresh, 2.5)
    assert loss(again, fresh, truth) < 0.9 * loss(shipped, fresh, truth)
    assert again.version != shipped.version
    assert again.version.startswith(shipped.version)
    assert again.questions == shipped.questions + 150
    assert again.index == "local"


def test_golden_questions_that_the_estimates_fit_hardly_change_them() -> None:
    shipped = load_weights()
    known, fresh = rows(50, seed=4), rows(1000, seed=5)
    again = refitted(shipped, known, {RAG: drawn(shipped, known, 0.0)}, groups(50))
    truth = drawn(shipped, fresh, 0.0)
    assert loss(again, fresh, truth) < 1.1 * loss(shipped, fresh, truth)


@pytest.mark.parametrize("count", [3, LEAST - 1])
def test_too_few_golden_questions_leave_the_estimates_as_they_are(count: int) -> None:
    shipped = load_weights()
    known = rows(count)
    assert refitted(shipped, known, {RAG: drawn(shipped, known, 3.0)}, groups(count)) is shipped


@pytest.mark.parametrize("quality", [[1.0] * 60, [0.0] * 60, [float("nan")] * 60])
def test_answers_of_one_kind_only_teach_nothing(quality: list[float]) -> None:
    shipped = load_weights()
    assert refitted(shipped, rows(60), {RAG: quality}, groups(60)) is shipped


def test_one_group_alone_cannot_be_held_out_and_changes_nothing() -> None:
    shipped = load_weights()
    known = rows(60)
    assert refitted(shipped, known, {RAG: drawn(shipped, known, 3.0)}, ["all"] * 60) is shipped


def test_what_is_not_known_of_some_questions_does_not_spoil_the_others() -> None:
    shipped = load_weights()
    known = rows(120, seed=6)
    known[::3, NAMES.index("closeness")] = np.nan
    again = refitted(shipped, known, {RAG: drawn(shipped, known, 2.5), FEW_SHOT: [float("nan")] * 120}, groups(120))
    assert np.isfinite(again.models[RAG].b).all()
    assert again.models[FEW_SHOT] is shipped.models[FEW_SHOT]


def test_the_most_probable_weights_balance_the_prior_and_the_questions() -> None:
    shipped = load_weights()
    prior = shipped.models[RAG]
    x = np.array([shipped.standardised(row) for row in rows(80, seed=7)])
    y = np.random.default_rng(8).random(80)
    found = map_fit(prior, x, y, hold=0.1)
    p = 1 / (1 + np.exp(-x @ found.b))
    slope = x.T @ (y - p) - 0.1 * prior.precision @ (found.b - prior.b)
    assert np.abs(slope).max() < 1e-5
