from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from judging import PLAIN, RAG, SHOTS, choice, judged, option

from bot.domain import Option, StrategyName
from bot.learning.bandit import EPSILON, Bandit

FIRST, SECOND = option(RAG, 0.70), option(PLAIN, 0.60)
DOWN = [judged(0.0, choice(FIRST)) for _ in range(20)]
UP = [judged(1.0, choice(SECOND)) for _ in range(20)]


def chances(bandit: Bandit, *options: Option, features: Mapping[str, float] | None = None) -> list[float]:
    found: list[float] = bandit.chances(options, features or {}, np.random.default_rng(1)).tolist()
    return found


def test_without_labels_the_estimates_hold() -> None:
    assert chances(Bandit.fresh(), SECOND, FIRST) == [0.0, 1.0]
    assert Bandit.fresh().corrections((FIRST, SECOND), {}).tolist() == [0.0, 0.0]


def test_labels_change_what_is_taken_and_by_how_much_is_expected() -> None:
    bandit = Bandit.learn([*DOWN, *UP])
    assert chances(bandit, FIRST, SECOND) == [0.0, 1.0]
    less, more = bandit.corrections((FIRST, SECOND), {})
    assert -0.7 < less < -0.2
    assert 0.15 < more < 0.4


def test_few_labels_move_little_and_light_ones_less() -> None:
    def moved(*labels: float) -> float:
        bandit = Bandit.learn(judged(0.0, choice(FIRST), weight=weight) for weight in labels)
        return float(-bandit.corrections((FIRST,), {})[0])

    assert 0 < moved(0.5) < moved(1.0) < 0.15 < moved(*[1.0] * 30)


def test_what_a_strategy_taught_carries_over_to_another_model_in_part() -> None:
    bandit = Bandit.learn(DOWN)
    same, other = bandit.corrections((FIRST, option((StrategyName.RAG, "other"), 0.70)), {})
    assert same < other < -0.1


def test_a_correction_may_depend_on_the_evidence() -> None:
    near, far = {"passage_similarity": 0.9}, {"passage_similarity": 0.1}
    labels = [judged(1.0, choice(FIRST, features=near)), judged(0.0, choice(FIRST, features=far))] * 30
    bandit = Bandit.learn(labels)
    assert bandit.corrections((FIRST,), near)[0] > bandit.corrections((FIRST,), far)[0] + 0.2


def test_only_near_options_are_tried_and_never_one_that_a_guard_keeps_out() -> None:
    near = option(SHOTS, 0.70 - EPSILON / 2)
    barred = option(PLAIN, 0.99, available=False, reason="The budget is spent.")
    found = chances(Bandit.fresh(), FIRST, near, SECOND, barred)
    assert sum(found) == pytest.approx(1)
    assert min(found[0], found[1]) >= 0.05
    assert found[2:] == [0.0, 0.0]


def test_an_option_that_costs_more_is_near_by_its_utility() -> None:
    dear = option(SHOTS, 0.80, utility=0.70 - 2 * EPSILON)
    assert chances(Bandit.fresh(), FIRST, dear) == [1.0, 0.0]


def test_options_are_drawn_as_often_as_their_propensities_say() -> None:
    near = option(SHOTS, 0.70 - EPSILON / 3)
    bandit = Bandit.learn([judged(1.0, choice(near), weight=0.4)])
    told, taken = [], []
    for seed in range(600):
        pick = bandit.pick((FIRST, near), {}, np.random.default_rng(seed))
        assert pick is not None
        assert pick.option in pick.options
        told.append(pick.options[0].chance)
        taken.append(pick.option.strategy is StrategyName.RAG)
    assert 0.1 < np.mean(taken) < 0.9
    assert np.mean(taken) == pytest.approx(np.mean([chance for chance in told if chance is not None]), abs=0.06)


def test_the_same_seed_draws_the_same() -> None:
    near = option(SHOTS, 0.69)
    one, other = (Bandit.fresh().pick((FIRST, near), {}, np.random.default_rng(5)) for _ in range(2))
    assert one == other


def test_where_nothing_can_be_taken_nothing_is_picked() -> None:
    barred = replace(FIRST, available=False)
    assert Bandit.fresh().pick((barred,), {}, np.random.default_rng(1)) is None
    assert Bandit.fresh().pick((), {}, np.random.default_rng(1)) is None


def test_numbers_that_are_not_finite_sink_nothing() -> None:
    odd = {"passage_similarity": math.nan, "coverage": math.inf}
    broken = judged(1.0, choice(option(RAG, math.nan)))
    heavy = judged(1.0, weight=math.inf)
    bandit = Bandit.learn([*DOWN, broken, heavy, judged(0.0, choice(FIRST, features=odd))])
    assert bandit.labels == len(DOWN) + 1
    assert np.isfinite(bandit.corrections((FIRST, SECOND), odd)).all()
    assert sum(chances(bandit, FIRST, SECOND, option(SHOTS, 0.5, utility=math.nan), features=odd)) == pytest.approx(1)


def test_the_state_is_kept_as_plain_values() -> None:
    bandit = Bandit.learn([*DOWN, *UP])
    again = Bandit.from_json(json.loads(json.dumps(bandit.to_json())))
    assert again.corrections((FIRST, SECOND), {}) == pytest.approx(bandit.corrections((FIRST, SECOND), {}))
    assert again.labels == 40


@pytest.mark.parametrize(
    "change",
    [
        {"context": ["something else"]},
        {"ways": []},
        {"ways": [["no such strategy", "writer"], ["rag", "writer"]]},
        {"shift": [math.nan] * 22},
        {"precision": [[0.0] * 22] * 22},
    ],
)
def test_a_state_that_is_not_sound_is_refused(change: dict[str, object]) -> None:
    plain = Bandit.learn([*DOWN, *UP]).to_json()
    with pytest.raises(ValueError):
        Bandit.from_json({**plain, **change})
