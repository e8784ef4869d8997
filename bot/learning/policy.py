"""From the selector's choice to the one that is taken: as it is, the best fixed way, or what the bandit draws."""

from __future__ import annotations

from dataclasses import replace

from bot.domain import Choice, Option
from bot.learning.bandit import Bandit
from bot.learning.experience import Way, named
from bot.learning.promotion import Standing
from bot.learning.replay import chance_of


def decided(choice: Choice, question_id: str, standing: Standing, bandit: Bandit) -> Choice:
    """The choice by whoever chooses now. What no guard lets through is never taken; where the best fixed way cannot
    be taken, the selector's choice stands. The same question draws the same."""
    if standing.off or not choice.option.available or standing.state == "estimates":
        return choice
    if standing.state == "best fixed":
        return _fixed(choice, standing)
    pick = bandit.pick(choice.options, choice.features, chance_of(question_id))
    if pick is None:
        return choice
    reasons = choice.reasons
    if _way(pick.option) != _way(choice.option):
        reasons = (*choice.reasons[: len(choice.pins)], _learned(choice, pick.option, bandit))
    return replace(
        choice,
        option=pick.option,
        options=pick.options,
        reasons=reasons,
        propensity=pick.option.chance or 0.0,
        policy="learned",
    )


def _fixed(choice: Choice, standing: Standing) -> Choice:
    option = next((o for o in choice.options if o.available and _way(o) == standing.best), None)
    if option is None or standing.best is None:
        return choice
    on = f" on {standing.gain.n:,} {standing.gain.source}" if standing.gain else ""
    said = f"Everything goes to {named(standing.best)}: choosing by question was not measurably better{on}."
    same = _way(option) == _way(choice.option)
    kept = choice.reasons if same else choice.reasons[: len(choice.pins)]
    alone = () if same else (f"The estimates alone would take {named(_way(choice.option))}.",)
    return replace(choice, option=option, reasons=(*kept, said, *alone), policy="best fixed")


def _learned(choice: Choice, taken: Option, bandit: Bandit) -> str:
    """Why it is not what the estimates alone would take."""
    other = choice.option
    more, less = bandit.corrections((taken, other), choice.features)
    numbers = f"{_quality(taken, more)} against {_quality(other, less)} for {named(_way(other))}"
    if taken.utility + more >= other.utility + less:
        return (
            f"What people made of earlier answers speaks for {named(_way(taken))} here: expected quality {numbers}, "
            "which the estimates alone would take."
        )
    return (
        f"{named(_way(taken))} is about as good here, as far as is known (expected quality {numbers}), and was drawn "
        "to find out which of them is better."
    )


def _quality(option: Option, correction: float) -> str:
    return f"{min(max(option.quality + correction, 0.0), 1.0):.2f}"


def _way(option: Option) -> Way:
    return option.strategy, option.model
