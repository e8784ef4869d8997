"""The simulated roll-outs run, and the ranges that hold at all looks roll fewer back for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from bench_rollouts import Canary, falls, falls_by_one_look, rolled_back

pytestmark = pytest.mark.proof


def test_looking_each_hour_rolls_back_less_for_nothing_than_single_looks_would_and_still_for_a_reason() -> None:
    rng = np.random.default_rng(5)
    equal = [rolled_back(Canary(), rng, (falls, falls_by_one_look)) for _ in range(12)]
    ours, single = (sum(one[place] is not None for one in equal) for place in (0, 1))
    assert ours < single
    assert all(rolled_back(Canary(cost=3.0), rng, (falls,))[0] is not None for _ in range(3))
