from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.evaluation.sides import (
    Range,
    Side,
    apart,
    at_every_look,
    difference_of_means,
    difference_of_shares,
    median_range,
    share_range,
)
from bot.evaluation.trial_report import sentence, verdict
from bot.evaluation.trials import TrialResult
from bot.selection.trials import Trial

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TRIAL = Trial(id=1, channel="C1", model="new", share=0.2, by="U9", at=NOW)
SIDE = Side(
    asked=40,
    answers=40,
    cost=Decimal("0.08"),
    unpriced=0,
    per_answer=Range(0.002, 0.0018, 0.0022),
    seconds=Range(1.8, 1.5, 2.2),
    up=12,
    down=1,
    liked=share_range(12, 13),
)
RESULT = TrialResult(
    trial=TRIAL, tried=SIDE, rest=SIDE, cheaper=Range(-0.001, -0.0012, -0.0008), better=Range(0.1, -0.1, 0.3)
)


def test_a_share_has_wilsons_interval() -> None:
    # 81 of 263 and 15 of 148, as Newcombe 1998 (Statistics in Medicine 17, 857–872) gives them.
    found = share_range(81, 263)
    assert found is not None
    assert found.low == pytest.approx(0.2553, abs=5e-5)
    assert found.high == pytest.approx(0.3662, abs=5e-5)
    assert share_range(0, 0) is None
    nobody = share_range(0, 20)
    assert nobody is not None
    assert nobody.low == 0


def test_two_shares_differ_by_newcombes_interval() -> None:
    # 56 of 70 against 48 of 80: 0.0524 to 0.3339, method 10 in Newcombe 1998 (Statistics in Medicine 17, 873–890).
    one, other = share_range(56, 70), share_range(48, 80)
    assert one is not None
    assert other is not None
    found = apart(one, other)
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=5e-5)
    assert found.high == pytest.approx(0.3339, abs=5e-5)
    assert found.sign == 1


def test_who_looks_again_and_again_needs_more_to_be_sure() -> None:
    # By hand: with ρ² = (5.99 + ln 6.99) ∕ 400 it is √(8.94 ∕ 7.94 · ln(8.94 ∕ 0.0025)) at 400 values.
    assert at_every_look(400) == pytest.approx(3.035, abs=1e-3)
    assert at_every_look(20) > at_every_look(80) > at_every_look(400) < at_every_look(10_000) < 3.5
    once = apart(*(found for found in (share_range(56, 70), share_range(48, 80)) if found is not None))
    always = difference_of_shares(56, 14, 48, 32)
    assert always is not None
    assert always.value == once.value
    assert (once.sign, always.sign) == (1, 0)
    surely = difference_of_shares(560, 140, 480, 320)
    assert surely is not None
    assert surely.sign == 1
    assert difference_of_shares(3, 1, 0, 0) is None
    assert difference_of_shares(0, 0, 0, 0) is None


def test_two_means_are_compared_only_from_enough_answers_on() -> None:
    low, high = [0.001, 0.002] * 10, [0.003, 0.004] * 10
    found = difference_of_means(low, high)
    assert found is not None
    assert found.value == pytest.approx(-0.002)
    assert found.sign == -1
    alike = difference_of_means(low, low)
    assert alike is not None
    assert alike.sign == 0
    assert difference_of_means(low[:19], high) is None


def test_a_median_stands_between_the_order_statistics_that_hold_it() -> None:
    assert median_range([]) is None
    assert median_range([3.0, 1.0]) == Range(2.0)
    found = median_range([float(number) for number in range(1, 101)])
    assert found == Range(50.5, 34.0, 67.0)


def test_a_result_says_what_is_shown_and_what_is_not() -> None:
    assert sentence(RESULT) == (
        "“new” on trial for 20%: 40 answers at $0.002 ($0.0018 to $0.0022) each and 1.8 s (1.5 s to 2.2 s), the rest "
        "40 answers at $0.002 ($0.0018 to $0.0022) each and 1.8 s (1.5 s to 2.2 s). It is cheaper by $0.001 an answer "
        "(−$0.0012 to −$0.0008). No difference in thumbs is shown (−10 to +30 points)."
    )


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"tried": replace(SIDE, answers=19)}, "Too few to tell: each side needs 20 answers, one has 19."),
        ({"cheaper": None}, "What they cost cannot be compared: too many prices are unknown."),
        ({"cheaper": Range(0.001, -0.001, 0.003)}, "No difference in cost is shown (−$0.001 to +$0.003)."),
        ({"better": None}, "Whether it is liked better is unknown: a side has no thumbs."),
        ({"better": Range(-0.3, -0.4, -0.2)}, "It is liked less, by 30 points of thumbs up (−40 to −20)."),
    ],
)
def test_what_cannot_be_told_is_said(changed: dict[str, object], said: str) -> None:
    assert said in verdict(replace(RESULT, **changed))  # type: ignore[arg-type]


def test_a_price_that_is_not_known_is_no_zero() -> None:
    unknown = replace(SIDE, per_answer=None, unpriced=40)
    assert "40 answers at an unknown price and 1.8 s" in sentence(replace(RESULT, tried=unknown, cheaper=None))
    some = replace(SIDE, unpriced=3)
    assert "each (3 of unknown price)" in sentence(replace(RESULT, rest=some))
