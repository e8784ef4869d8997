"""What is kept of a question's evidence."""

from __future__ import annotations

import math

import pytest

from bot.domain import Evidence, Example
from bot.selection.features import NAMES, as_dict, features


def test_an_empty_store_has_features_that_can_be_kept() -> None:
    found = as_dict(features(Evidence()))
    assert found.keys() == set(NAMES)
    assert all(math.isfinite(value) for value in found.values())


def test_a_feature_that_is_not_a_number_is_left_out_and_the_others_are_kept() -> None:
    broken = Example(id="1", question="Q?", answer="A", readers=frozenset({"everyone"}), similarity=math.nan)
    found = as_dict(features(Evidence(examples=(broken,), coverage=0.25)))
    assert "example_similarity" not in found
    assert found["coverage"] == pytest.approx(0.25)
