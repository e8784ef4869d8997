from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from bot.domain import StrategyName
from bot.evaluation.matrix import Way
from bot.evaluation.regret import regret, sentence
from bot.evaluation.shadow_admission import BUDGET, PRIVATE
from bot.evaluation.shadows import Shadow

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
RAG, PLAIN, DEAR = (
    Way(StrategyName.RAG, "small"),
    Way(StrategyName.ZERO_SHOT, "small"),
    Way(StrategyName.RAG, "large"),
)


def shadow(number: int, shown: float, hidden: float, **fields: Any) -> Shadow:
    """One that was judged; the other way was the only one that there was."""
    values: dict[str, Any] = {
        "state": "scored",
        "detail": "",
        "share": 0.02,
        "taken": RAG,
        "other": PLAIN,
        "chance": 1.0,
        "others": 1,
        "held": Decimal("0.01"),
        "cost": Decimal("0.002"),
        "measure": "judge",
        "text": f"Question {number}?",
        "taken_quality": shown,
        "other_quality": hidden,
    }
    return Shadow(question_id=f"q{number}", at=NOW, **(values | fields))


def test_the_regret_is_the_mean_of_what_the_other_answer_was_better_by() -> None:
    found = regret([shadow(n, 0.75, 0.5 if n % 2 else 1.0) for n in range(8)])
    assert found.gain.mean == pytest.approx(0.0)
    assert (found.asked, found.judged, found.as_good) == (8, 8, 4)
    assert found.cost == Decimal("0.016")


def test_noise_alone_is_no_regret() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 0.2, (400, 2))
    found = regret([shadow(n, 0.5 + a, 0.5 + b) for n, (a, b) in enumerate(noise)])
    assert found.gain.low is not None
    assert found.gain.high is not None
    assert found.gain.low < 0 < found.gain.high
    assert np.maximum(noise[:, 1] - noise[:, 0], 0).mean() > 0.1


def test_what_was_rarely_drawn_counts_for_those_that_were_not() -> None:
    # A week drew 2 of 100 questions and the next one 20 of 100: each of the first stands for ten times as many.
    first = [shadow(n, 0.5, 0.9, share=0.02) for n in range(10)]
    second = [shadow(n + 10, 0.5, 0.5, share=0.2) for n in range(10)]
    assert regret(first + second).gain.mean == pytest.approx(0.4 * 10 / 11)


def test_an_option_that_was_drawn_unevenly_counts_as_if_all_were_drawn_evenly() -> None:
    often = [shadow(n, 0.5, 0.9, chance=0.75, others=2) for n in range(30)]
    seldom = [shadow(n + 30, 0.5, 0.1, chance=0.25, others=2, other=DEAR) for n in range(10)]
    assert regret(often + seldom).gain.mean == pytest.approx(0.0)


def test_the_same_question_asked_often_is_one_and_tells_no_range() -> None:
    found = regret([shadow(n, 0.5, 0.6, text="How long?") for n in range(4)] + [shadow(9, 0.5, 0.9)])
    assert found.gain.mean == pytest.approx(0.16)
    assert not found.gain.known
    assert sentence(found).endswith("Too few to tell (5 judged).")
    assert not regret([shadow(n, 0.5, 0.6 + 0.01 * n, text="How long?") for n in range(40)]).gain.known


def test_a_single_way_that_is_better_is_seen_with_ranges_that_hold_for_all_ways() -> None:
    worse = [shadow(n, 0.8, 0.4 + 0.01 * n) for n in range(12)]
    better = [shadow(n + 20, 0.5, 0.8 + 0.01 * n, other=DEAR) for n in range(12)]
    found = regret(worse + better)
    assert found.ways[DEAR].above
    assert found.ways[PLAIN].below
    assert found.ways[DEAR].level == pytest.approx(0.975)


def test_the_sentence_tells_number_cost_and_the_estimate() -> None:
    week = [shadow(n, 0.8, 0.6 + 0.01 * n) for n in range(13)]
    skipped = shadow(90, 0, 0, state="skipped", held=None, cost=None, detail=BUDGET)
    week += [shadow(99, 0, 0, state="answered"), skipped, shadow(91, 0, 0, state="skipped", held=None, detail=PRIVATE)]
    told = sentence(regret(week))
    assert told.startswith(
        "Shadow runs: 14 questions were also answered another way ($0.028). The choice taken was as good or better in "
        "13 of 13 judged by a model that judged; estimated regret −0.14 (−0.1"
    )
    assert told.endswith(
        "of quality a question: the choice taken was better. 1 of them could not be judged, or not yet. Drawn and not "
        "asked: 1 because the week's budget had no room."
    )


@pytest.mark.parametrize(
    ("other", "verdict"),
    [(0.9, "the other way would have been better"), (0.5, "without any difference between the two")],
)
def test_the_sentence_says_which_was_better_or_that_none_was(other: float, verdict: str) -> None:
    assert verdict in sentence(regret([shadow(n, 0.5, other) for n in range(12)]))


def test_a_difference_within_noise_is_called_none() -> None:
    week = [shadow(n, 0.5, 0.7 if n % 2 else 0.31) for n in range(12)]
    assert "no difference beyond chance" in sentence(regret(week))


def test_too_few_to_tell_is_said_and_an_unknown_cost_is_no_zero() -> None:
    few = [shadow(n, 0.5, 0.9) for n in range(3)]
    assert sentence(regret(few)).endswith("Too few to tell (3 judged).")
    lost = [shadow(n, 0, 0, state="lost", cost=None) for n in range(2)]
    assert "(at least $0.006)" in sentence(regret([*few, *lost]))
    assert "(cost unknown)" in sentence(regret(lost))


def test_where_nothing_was_drawn_nothing_is_said() -> None:
    assert sentence(regret([])) == ""
