"""Expected quality against what came, where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from bot.evaluation.calibration import calibration, risk_coverage


def test_perfect_estimates_are_no_further_off_than_chance() -> None:
    random = np.random.default_rng(1)
    debiased = []
    for _ in range(10):
        expected = random.random(2_000)
        found = calibration(expected, (random.random(2_000) < expected).astype(float), range(2_000))
        assert found is not None
        assert found.error == pytest.approx(found.chance, abs=0.015)
        debiased.append(found.debiased)
    assert np.mean(debiased) < 0.01


def test_estimates_that_are_too_high_by_a_tenth_are_off_by_a_tenth() -> None:
    random = np.random.default_rng(2)
    truth = random.uniform(0.0, 0.9, 4_000)
    found = calibration(truth + 0.1, (random.random(4_000) < truth).astype(float), range(4_000))
    assert found is not None
    assert found.debiased == pytest.approx(0.1, abs=0.02)
    assert found.debiased <= found.error
    assert len(found.bins) == 10
    assert sum(part.count for part in found.bins) == 4_000
    assert all(part.quality < part.expected for part in found.bins[1:])


def test_the_same_estimate_for_all_is_one_bin() -> None:
    found = calibration(np.full(60, 0.5), np.array([1.0, 0.0] * 30), range(60))
    assert found is not None
    assert len(found.bins) == 1
    assert (found.error, found.debiased) == (0.0, 0.0)


def test_several_estimates_for_one_question_do_not_count_as_independent() -> None:
    random = np.random.default_rng(3)
    expected = np.repeat(random.random(60), 8)
    quality = np.repeat((random.random(60) < expected[::8]).astype(float), 8)
    grouped = calibration(expected, quality, np.repeat(np.arange(60), 8).tolist())
    apart = calibration(expected, quality, range(480))
    assert grouped is not None
    assert apart is not None
    assert grouped.chance > 1.5 * apart.chance
    assert grouped.debiased <= apart.debiased


def test_a_few_estimates_say_nothing() -> None:
    assert calibration(np.full(19, 0.5), np.ones(19), range(19)) is None
    assert calibration(np.full(30, np.nan), np.ones(30), range(30)) is None
    assert risk_coverage(np.full(19, 0.5), np.ones(19)) is None


def test_risk_is_lowest_where_the_surest_answers_are_the_good_ones() -> None:
    quality = np.array([1.0] * 20 + [0.0] * 20)
    surest_first = np.linspace(1, 0, 40)
    found = risk_coverage(surest_first, quality)
    assert found is not None
    assert found.curve[-1] == (1.0, 0.5)
    assert dict(found.curve)[0.5] == 0.0
    assert found.area == pytest.approx(found.area_ideal)
    assert found.area < found.area_random == 0.5
    wrong_way = risk_coverage(surest_first[::-1], quality)
    assert wrong_way is not None
    assert wrong_way.area > 0.5


def test_equal_expectations_risk_the_mean_whatever_their_order() -> None:
    quality = np.array([1.0] * 20 + [0.0] * 20)
    found = risk_coverage(np.full(40, 0.7), quality)
    assert found is not None
    assert {risk for _, risk in found.curve} == {0.5}
    assert found == risk_coverage(np.full(40, 0.7), quality[::-1])
