from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bot.domain import Choice, Option, Pin, StrategyName
from bot.selection.trials import Arm, Trial, weighed

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
TRIAL = Trial(id=7, channel="C1", model="new", share=0.2, by="U9", at=NOW)


def option(model: str, chance: float | None = None) -> Option:
    return Option(
        strategy=StrategyName.RAG,
        model=model,
        quality=0.8,
        cost=Decimal("0.001"),
        latency=1.0,
        utility=0.5,
        chance=chance,
    )


def choice(*options: Option, propensity: float = 1.0, policy: str = "estimates") -> Choice:
    return Choice(option=options[0], options=options, reasons=(), propensity=propensity, policy=policy)


def test_a_trial_draws_its_share_of_the_questions_and_each_question_always_alike() -> None:
    drawn = [TRIAL.draws(f"q{number}") for number in range(5000)]
    assert 0.18 < sum(drawn) / 5000 < 0.22
    assert drawn == [TRIAL.draws(f"q{number}") for number in range(5000)]
    other = replace(TRIAL, id=8)
    assert [other.draws(f"q{number}") for number in range(5000)] != drawn
    assert {TRIAL.draws(f"q{number}") for number in range(5000) if replace(TRIAL, share=0.1).draws(f"q{number}")} == {
        True
    }


def test_a_trial_runs_until_its_time_is_up_or_somebody_stops_it() -> None:
    ends = replace(TRIAL, ends_at=NOW + timedelta(days=14))
    assert TRIAL.runs(NOW + timedelta(days=1000))
    assert ends.runs(NOW + timedelta(days=13, hours=23))
    assert not ends.runs(NOW + timedelta(days=14))
    assert not replace(ends, stopped_at=NOW, stopped_by="U9").runs(NOW)


@pytest.mark.parametrize(
    ("drawn", "taken", "other", "chance"),
    [
        # What only one side would take has that side's share of its chance.
        (True, choice(option("new")), choice(option("old")), 0.2),
        (False, choice(option("old")), choice(option("new")), 0.8),
        (False, choice(option("old", 0.9), propensity=0.9), choice(option("new")), 0.72),
        # What both sides would take was certain.
        (True, choice(option("new")), choice(option("new")), 1.0),
        # What the other side might have drawn as well adds its chance there.
        (True, choice(option("new")), choice(option("old", 0.75), option("new", 0.25)), 0.2 + 0.8 * 0.25),
        (True, choice(option("new")), choice(option("old"), option("new")), 0.2),
    ],
)
def test_the_chance_of_an_option_is_that_over_both_sides(
    drawn: bool, taken: Choice, other: Choice, chance: float
) -> None:
    found = weighed(taken, other, Arm(TRIAL, drawn, ()))
    assert found.propensity == pytest.approx(chance)


def test_a_drawn_question_is_the_trials_and_the_others_stay_who_chooses() -> None:
    learned = choice(option("old"), policy="learned")
    assert weighed(learned, learned, Arm(TRIAL, True, ())).policy == "trial"
    assert weighed(learned, learned, Arm(TRIAL, False, ())).policy == "learned"


def test_for_a_drawn_question_a_trial_is_like_the_channels_pin() -> None:
    told = replace(TRIAL, why="is it better?").pin
    assert told == Pin(scope="trial", model="new", by="U9", at=NOW, why="is it better?")
