from __future__ import annotations

import json

import numpy as np
import pytest
from judging import PLAIN, RAG, alike, choice, judged, option, replay, telling

from bot.domain import Mean
from bot.learning.bandit import Bandit
from bot.learning.bound import lower_bound
from bot.learning.replay import Gains, Replay, held_out_gains

NAN = float("nan")


def gains(played: Replay, bandit: Bandit | None = None, cost: float = 0.0, latency: float = 0.0) -> Gains:
    found = held_out_gains(played, bandit or Bandit.fresh(), cost_weight=cost, latency_weight=latency)
    assert found is not None
    return found


def test_choosing_by_question_gains_where_the_estimates_know_which_way_is_right() -> None:
    found = gains(telling())
    assert found.values.mean() == pytest.approx(0.3, abs=0.15)
    assert lower_bound(found.values, found.groups) > 0


def test_it_gains_nothing_where_one_way_is_best_throughout() -> None:
    found = gains(alike())
    assert found.best == RAG
    assert found.values.mean() < 0
    assert lower_bound(found.values, found.groups) < 0


def test_the_gain_is_that_in_utility_not_in_quality() -> None:
    played = replay([[0.9, 0.8]] * 40, [[1.0, 1.0]] * 40, cost=np.tile([0.02, 0.01], (40, 1)))
    assert gains(played).values.tolist() == [0.0] * 40
    assert gains(played).best == RAG
    assert gains(played, cost=20.0).best == PLAIN


def test_seconds_count_as_well() -> None:
    played = replay([[0.9, 0.9]] * 40, [[1.0, 1.0]] * 40, seconds=np.tile([9.0, 1.0], (40, 1)))
    assert gains(played, latency=0.01).best == PLAIN


def test_the_fixed_way_is_chosen_on_other_groups_than_it_is_tried_on() -> None:
    quality = [[1.0, 0.0]] * 30 + [[0.0, 1.0]] * 30
    found = gains(replay([[0.9, 0.2]] * 60, quality, groups=["a"] * 30 + ["b"] * 30))
    # What is best for group b is nothing for a, and the other way round; who chose on both would choose right.
    assert found.values.tolist() == [1.0] * 30 + [0.0] * 30


def test_what_was_learned_is_played_too() -> None:
    played = replay([[0.9, 0.6]] * 40, [[0.0, 1.0]] * 40)
    assert gains(played).values.mean() == pytest.approx(-1.0)
    taught = [judged(0.0, choice(option(RAG, 0.9)))] * 40 + [judged(1.0, choice(option(PLAIN, 0.6)))] * 40
    assert gains(played, Bandit.learn(taught)).values.mean() == pytest.approx(0.0)


def test_a_fixed_way_that_a_guard_keeps_out_gives_way_to_the_choice_by_question() -> None:
    expected = [[0.9, 0.2]] * 30 + [[NAN, 0.2]] * 10
    quality = [[1.0, 0.0]] * 30 + [[0.0, 0.5]] * 10
    found = gains(replay(expected, quality))
    assert found.best == RAG
    assert found.values.tolist() == [0.0] * 40


def test_what_guards_keep_out_of_most_questions_is_no_fixed_choice() -> None:
    expected = [[0.9, 0.2]] * 10 + [[NAN, 0.2]] * 30
    quality = [[1.0, 0.0]] * 10 + [[0.0, 0.5]] * 30
    found = gains(replay(expected, quality))
    assert found.best == PLAIN
    assert found.values.tolist() == [1.0] * 10 + [0.0] * 30


def test_questions_of_which_too_little_was_measured_are_left_out() -> None:
    quality = [[1.0, 1.0]] * 30 + [[NAN, 1.0]] * 10
    assert len(gains(replay([[0.9, 0.2]] * 40, quality)).values) == 30


def test_an_unknown_price_is_weighed_as_the_dearest() -> None:
    cost = np.tile([0.01, NAN, 0.002], (40, 1))
    ways = (RAG, PLAIN, (PLAIN[0], "cheap"))
    played = replay([[0.5, 0.5, 0.5]] * 40, [[1.0, 1.0, 1.0]] * 40, ways=ways, cost=cost)
    assert gains(played, cost=10.0).best == ways[2]


def test_with_nothing_to_hold_out_nothing_is_told() -> None:
    one_group = replay([[0.9, 0.2]] * 40, [[1.0, 0.0]] * 40, groups=["all"] * 40)
    unmeasured = replay([[0.9, 0.2]] * 40, [[NAN, NAN]] * 40)
    nothing = replay([], [], ways=())
    for played in (one_group, unmeasured, nothing):
        assert held_out_gains(played, Bandit.fresh(), cost_weight=0, latency_weight=0) is None


def test_it_is_kept_as_plain_values_with_what_is_unknown() -> None:
    played = replay([[0.9, NAN]] * 3, [[1.0, NAN]] * 3)
    again = Replay.from_json(json.loads(json.dumps(played.to_json(), allow_nan=False)))
    assert again.to_json() == played.to_json()
    assert np.isnan(again.quality[:, 1]).all()


def test_the_measured_quality_of_a_way_leaves_out_what_was_not_possible_or_not_run() -> None:
    played = replay([[0.9, NAN], [0.9, 0.2], [0.9, 0.2]], [[1.0, 0.0], [0.0, 1.0], [NAN, 1.0]])
    assert played.means() == {RAG: Mean(2, 0.5), PLAIN: Mean(2, 1.0)}
