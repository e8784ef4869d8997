"""Ranges, held against worlds whose truth is known."""

from __future__ import annotations

from math import inf, isclose, nan
from statistics import NormalDist

import numpy as np
import pytest

from bot.evaluation.statistics import (
    LEVEL,
    derived,
    difference,
    fewest,
    interval,
    lower_bound,
    questions_needed,
    ratio,
    shared,
    visible_gain,
)


def test_a_mean_of_many_values_has_the_range_that_theory_gives_it() -> None:
    values = (np.arange(2_000) % 5 < 3).astype(float)
    found = interval(values)
    error = NormalDist().inv_cdf(0.975) * (0.6 * 0.4 / 2_000) ** 0.5
    assert found.mean == 0.6
    assert found.low == pytest.approx(0.6 - error, abs=0.002)
    assert found.high == pytest.approx(0.6 + error, abs=0.002)


def test_the_same_values_have_the_same_range_each_time() -> None:
    values = np.random.default_rng(3).random(50)
    assert interval(values) == interval(values)


@pytest.mark.parametrize("questions", [8, 20, 80])
def test_ranges_hold_the_truth_about_as_often_as_they_say(questions: int) -> None:
    random = np.random.default_rng(questions)
    held = 0
    for _ in range(300):
        found = interval(random.normal(0.3, 1, questions))
        held += found.low is not None and found.high is not None and found.low <= 0.3 <= found.high
    assert 0.92 <= held / 300 <= 0.985


def test_questions_of_one_group_do_not_count_as_many() -> None:
    random = np.random.default_rng(5)
    groups = np.repeat(np.arange(25), 12)
    held = alone = 0
    for _ in range(100):
        values = np.repeat(random.normal(0, 1, 25), 12) + random.normal(0, 0.3, 300)
        by_group, by_row = interval(values, groups.tolist()), interval(values)
        assert by_group.units == 25
        held += not (by_group.above or by_group.below)
        alone += not (by_row.above or by_row.below)
    assert held / 100 >= 0.9
    assert alone / 100 < 0.6


def test_a_lower_bound_is_above_no_gain_in_one_of_twenty_worlds_at_most() -> None:
    random = np.random.default_rng(7)
    wrong = sum(lower_bound(random.choice([-1.0, 0.0, 1.0], 40)) > 0 for _ in range(400))
    assert wrong / 400 <= 0.075
    assert lower_bound(random.choice([0.0, 1.0], 40)) > 0.2


def test_a_lower_bound_of_too_few_groups_speaks_for_nothing() -> None:
    assert lower_bound([]) == -inf
    assert lower_bound([1.0] * 3) == -inf
    assert lower_bound([1.0] * 4) == 1.0
    assert lower_bound([1.0] * 200, ["one"] * 200) == -inf
    assert lower_bound([1.0, nan, 1.0, 1.0]) == -inf


def test_unknown_values_are_left_out_of_both_sides_and_counted() -> None:
    first, second = [1.0, 1.0, nan, 1.0] * 5, [0.0, nan, 0.0, 1.0] * 5
    found = difference(first, second)
    assert (found.questions, found.left_out, found.mean) == (10, 10, 0.5)


@pytest.mark.parametrize(("values", "mean"), [([], None), ([nan], None), ([0.4], 0.4), ([0.0, 1.0], 0.5)])
def test_too_few_values_have_no_range(values: list[float], mean: float | None) -> None:
    found = interval(values)
    assert (found.mean, found.low, found.high) == (mean, None, None)
    assert not found.above
    assert not found.below


def test_with_too_few_groups_the_range_is_of_questions_and_says_so() -> None:
    values = [0.0, 1.0] * 20
    found = interval(values, ["one"] * 40)
    assert (found.by, found.units) == ("question", 40)
    assert found.known
    assert interval(values, [str(n) for n in range(40)]).by == "group"


def test_all_right_is_not_taken_for_certain() -> None:
    found = interval([1.0] * 20, scale=(0.0, 1.0))
    assert found.high == 1.0
    assert found.low is not None
    assert isclose(found.low, 0.025 ** (1 / 20))
    none = interval([0.0] * 20, scale=(0.0, 1.0))
    assert none.low == 0.0
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_differences_that_are_all_nothing_show_no_difference() -> None:
    found = difference([1.0, 0.0] * 10, [1.0, 0.0] * 10)
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)
    assert not found.above
    assert not found.below


def test_a_ratio_of_nothing_is_unknown() -> None:
    assert ratio([1.0] * 8, [0.0] * 8).mean is None
    assert ratio([1.0, 3.0] * 5, [2.0, 2.0] * 5).mean == 1.0


def test_a_derived_figure_has_the_range_of_its_columns() -> None:
    values = np.random.default_rng(2).random(300)
    table = np.column_stack([values, np.full(300, 2.0)])
    found = derived(table, lambda means: means[:, 0] / means[:, 1])
    plain = interval(values)
    assert found.mean == pytest.approx((plain.mean or 0) / 2)
    assert found.low == pytest.approx((plain.low or 0) / 2)
    assert found.high == pytest.approx((plain.high or 0) / 2)


def test_a_value_without_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="each value needs its group"):
        interval([1.0, 0.0], ["a"])


def test_many_comparisons_ask_for_more_certainty_and_more_questions() -> None:
    assert shared(LEVEL, 1) == LEVEL
    assert shared(LEVEL, 10) == pytest.approx(0.995)
    assert fewest() == 6
    assert fewest(0.9) == 5
    assert fewest(shared(LEVEL, 10)) == 9


def test_the_questions_that_a_gain_needs_are_those_of_the_facts() -> None:
    assert questions_needed(0.10, 0.23) == pytest.approx(180, abs=2)
    assert questions_needed(0.05, 0.23) == pytest.approx(720, abs=5)
    assert questions_needed(0.0, 0.23) is None
    assert visible_gain(180, 0.23) == pytest.approx(0.10, abs=0.001)
    assert visible_gain(0, 0.23) is None


def test_the_questions_that_are_said_to_be_needed_show_the_gain_in_four_of_five_evaluations() -> None:
    needed = questions_needed(0.15, 0.3) or 0
    random = np.random.default_rng(11)
    seen = 0
    for _ in range(200):
        draws = random.random(needed)
        seen += interval(np.where(draws < 0.225, 1.0, np.where(draws < 0.3, -1.0, 0.0))).above
    assert 0.74 <= seen / 200 <= 0.9
