"""What is kept of a question's evidence."""

from __future__ import annotations

import math

import pytest

from bot.domain import Evidence, Example
from bot.evaluation.asking import known_features
from bot.selection.features import NAMES


def test_an_empty_store_has_features_that_can_be_kept() -> None:
    features = known_features(Evidence())
    assert features.keys() == set(NAMES)
    assert all(math.isfinite(value) for value in features.values())


def test_a_feature_that_is_not_a_number_is_left_out_and_the_others_are_kept() -> None:
    broken = Example(id="1", question="Q?", answer="A", readers=frozenset({"everyone"}), similarity=math.nan)
    features = known_features(Evidence(examples=(broken,), coverage=0.25))
    assert "example_similarity" not in features
    assert features["coverage"] == pytest.approx(0.25)
