from __future__ import annotations

import math

import pytest

from bot.models.certainty import FLOOR, uncertainty, usable


@pytest.mark.parametrize(
    ("logprobs", "unsure"),
    [
        ([0.0, 0.0], 0.0),
        ([math.log(0.5)] * 7, 0.5),
        ([math.log(0.9), math.log(0.4)], 0.4),  # the geometric mean of .9 and .4 is .6
        ([FLOOR], 1.0),
    ],
)
def test_uncertainty_is_one_less_the_geometric_mean_of_the_tokens_probabilities(
    logprobs: list[float], unsure: float
) -> None:
    assert uncertainty(logprobs) == pytest.approx(unsure, abs=1e-6)


def test_of_no_tokens_nothing_is_known() -> None:
    assert uncertainty([]) is None


@pytest.mark.parametrize(
    ("sent", "counted"), [(-0.5, -0.5), (0, 0.0), (1e-9, 0.0), (-9999.0, FLOOR), (-math.inf, None), (math.nan, None)]
)
def test_a_log_probability_is_at_most_0_and_never_bottomless(sent: float, counted: float | None) -> None:
    assert usable(sent) == counted


@pytest.mark.parametrize("sent", [None, "-0.5", True, [-0.5]])
def test_what_is_no_number_is_no_log_probability(sent: object) -> None:
    assert usable(sent) is None
