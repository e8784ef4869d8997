from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.domain import Evidence, StrategyName
from bot.selection.features import NAMES, features
from bot.selection.weights import Weights, load_weights

NAN = float("nan")


def test_the_shipped_estimates_are_probabilities_with_ranges_around_them() -> None:
    weights = load_weights()
    row = features(Evidence())
    ranges = weights.ranges(row)
    for strategy, probability in weights.probabilities(row).items():
        low, high = ranges[strategy]
        assert 0 < low < probability < high < 1


def test_what_nothing_is_known_of_counts_as_usual() -> None:
    weights = load_weights()
    unknown = np.full(len(NAMES), NAN)
    assert weights.probabilities(unknown) == weights.probabilities(weights.mean)


def test_a_number_far_beyond_the_usual_counts_no_more_than_a_far_one() -> None:
    weights = load_weights()
    far, beyond = weights.mean + 4 * weights.scale, weights.mean + 1e6 * weights.scale
    assert weights.probabilities(far) == pytest.approx(weights.probabilities(beyond))


def test_less_evidence_makes_the_range_wider() -> None:
    weights = load_weights()
    row = features(Evidence())
    fewer = replace(weights, models={s: replace(m, precision=m.precision / 25) for s, m in weights.models.items()})
    for strategy, (low, high) in weights.ranges(row).items():
        wide_low, wide_high = fewer.ranges(row)[strategy]
        assert wide_low < low < high < wide_high


def test_weights_survive_being_written_down() -> None:
    weights = load_weights()
    again = Weights.from_json(json.loads(json.dumps(weights.to_json())))
    row = features(Evidence())
    assert again.probabilities(row) == pytest.approx(weights.probabilities(row), abs=1e-4)
    assert (again.version, again.questions) == (weights.version, weights.questions)


def test_weights_for_other_features_or_without_numbers_are_refused(tmp_path: Path) -> None:
    plain = load_weights().to_json()
    (tmp_path / "other.json").write_text(json.dumps({**plain, "features": ["length"]}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"other features.*fit_selector"):
        load_weights(tmp_path / "other.json")
    plain["strategies"]["rag"]["weights"][0] = NAN
    with pytest.raises(ValueError, match="not all numbers"):
        Weights.from_json(plain)


def test_speaking_for_a_strategy_adds_up_to_its_log_odds() -> None:
    weights = load_weights()
    row = features(Evidence())
    for strategy in StrategyName:
        odds = sum(weights.speaks_for(row, strategy).values()) + float(weights.models[strategy].b[-1])
        assert 1 / (1 + np.exp(-odds)) == pytest.approx(weights.probabilities(row)[strategy])
