from __future__ import annotations

from decimal import Decimal

from bot.selection.figures import worth
from bot.selection.value import Value


def test_the_values_are_ordered_by_what_quality_may_cost() -> None:
    worths = [value.point_worth for value in (Value.FRUGAL, Value.BALANCED, Value.BEST)]
    assert worths == sorted(worths) == [Decimal("0.0004"), Decimal("0.002"), Decimal("0.01")]
    seconds = [value.point_seconds for value in (Value.FRUGAL, Value.BALANCED, Value.BEST)]
    assert seconds == sorted(seconds)


def test_a_point_that_costs_what_it_is_worth_leaves_the_utility_as_it_was() -> None:
    for value in Value:
        assert abs(0.01 - value.cost_weight * float(value.point_worth)) < 1e-12
        assert abs(0.01 - value.latency_weight * value.point_seconds) < 1e-12


def test_what_nobody_wrote_down_is_not_told_as_the_default() -> None:
    assert worth("balanced", None) == ""
    assert worth("of last year", Decimal("0.5")) == "of last year: a point of quality (0.01) is worth $0.50 here"
    assert worth("best", Decimal("0.01")) == "best: a point of quality (0.01) is worth $0.01 and 10 s here"
