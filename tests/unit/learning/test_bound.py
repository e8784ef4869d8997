from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit  # type: ignore[import-untyped]

from bot.learning.bound import LEAST_GROUPS, lower_bound, student


@pytest.mark.parametrize("freedom", [3, 4, 10, 100, 5000])
def test_the_quantile_is_students(freedom: int) -> None:
    assert student(freedom) == pytest.approx(stdtrit(freedom, 0.95), rel=1e-3)


def test_on_single_values_it_is_the_bound_of_the_t_test() -> None:
    values = np.array([0.1, 0.4, -0.2, 0.3, 0.0])
    error = values.std(ddof=1) / np.sqrt(5)
    assert lower_bound(values, list("abcde")) == pytest.approx(values.mean() - stdtrit(4, 0.95) * error, rel=1e-3)


def test_copies_of_a_question_prove_nothing_more() -> None:
    values, groups = np.array([0.1, 0.4, -0.2, 0.3, 0.0]), list("abcde")
    assert lower_bound(np.tile(values, 20), groups * 20) == pytest.approx(lower_bound(values, groups))


def test_with_too_few_groups_nothing_can_be_told() -> None:
    groups = [f"group {number % (LEAST_GROUPS - 1)}" for number in range(50)]
    assert lower_bound(np.ones(50), groups) == -np.inf


def test_at_no_gain_the_bound_is_above_zero_in_about_one_of_twenty_trials() -> None:
    rng = np.random.default_rng(1)
    groups = [str(number // 3) for number in range(120)]
    above = 0
    for _ in range(2000):
        values = np.repeat(rng.normal(0, 0.3, 40), 3) + rng.normal(0, 0.3, 120)
        above += lower_bound(values, groups) > 0
    assert 0.035 < above / 2000 < 0.065
