"""What choosing cost in quality, estimated from shadow runs; and the words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.costs.money import dollars
from bot.costs.report import count
from bot.evaluation.golden import words
from bot.evaluation.matrix import Way
from bot.evaluation.shadow_admission import BUDGET, PRICE
from bot.evaluation.shadow_scores import JUDGE, REFERENCE, SUPPORT
from bot.evaluation.shadows import ANSWERED, ASKING, SCORED, SKIPPED, Shadow
from bot.evaluation.statistics import Interval, ratio, shared

_BY = {JUDGE: "a model that judged", REFERENCE: "answers that people hold for right", SUPPORT: "their documents"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Regret:
    """`asked`: questions that were also answered another way; `judged` of them could be compared, and in `as_good` the
    choice taken was as good or better. `gain`: mean quality (−1 to 1) of the other answer above the one taken. `cost`:
    US dollars known to have been paid; `unknown`: calls whose price nobody knows. `skipped`: how many were drawn and
    not asked, by reason; `measures`: how many were compared by what; `ways`: the gain by the way that was drawn."""

    asked: int
    judged: int
    as_good: int
    gain: Interval
    cost: Decimal
    unknown: int
    skipped: Counter[str]
    measures: Counter[str]
    ways: dict[Way, Interval]


def regret(shadows: Sequence[Shadow]) -> Regret:
    """Estimates what the choice cost in quality against another option drawn evenly among those that could be taken.

    The estimate is the weighted mean of the paired differences D = quality of the other − quality of the one taken,
    Σ w·D / Σ w with w = (1 / others) / chance / share: self-normalised inverse propensity weighting (Hájek 1971; for
    policies Swaminathan and Joachims 2015, "The Self-Normalized Estimator for Counterfactual Learning"). `chance` is
    that with which the option was drawn and 1 / others that of the stated policy; `share` that with which the question
    was, so that weeks with another share count right. Questions of the same words count as one. Above 0 the other would
    have been better. A mean of max(0, D) would not do: noise alone makes that positive. Nor is this the regret against
    the best of the others, of which one draw a question tells nothing; the gains by way, with ranges that hold for all
    of them together (Bonferroni), show a single way that is better.
    """
    asked = [shadow for shadow in shadows if shadow.asked]
    judged = [shadow for shadow in asked if shadow.state == SCORED]
    ways = sorted({shadow.other for shadow in judged if shadow.other is not None})
    level = shared(0.95, len(ways))
    called = [shadow for shadow in asked if shadow.judge_held is not None and shadow.state not in (ASKING, ANSWERED)]
    costs = [*(shadow.cost for shadow in asked), *(shadow.judge_cost for shadow in called)]
    return Regret(
        asked=len(asked),
        judged=len(judged),
        as_good=sum(_difference(shadow) <= 0 for shadow in judged),
        gain=_gain(judged),
        cost=sum((cost for cost in costs if cost is not None), Decimal(0)),
        unknown=costs.count(None),
        skipped=Counter(shadow.detail for shadow in shadows if shadow.state == SKIPPED),
        measures=Counter(shadow.measure or "" for shadow in judged),
        ways={way: _gain([s for s in judged if s.other == way], level) for way in ways},
    )


def sentence(found: Regret) -> str:
    """For the weekly report; "" where nothing was drawn."""
    out = _no_room(found)
    if not found.asked:
        return f"Shadow runs: none.{out}" if out else ""
    cost = f"at least {dollars(found.cost)}" if found.unknown else dollars(found.cost)
    if found.unknown and not found.cost:
        cost = "cost unknown"
    were = "was" if found.asked == 1 else "were"
    start = f"Shadow runs: {count(found.asked, 'question')} {were} also answered another way ({cost})."
    return f"{start} {_told(found)}{out}"


def told_gain(gain: Interval) -> str:
    """For example "0.02 (−0.01 to 0.06)", with the mean alone where there are too few for a range."""
    assert gain.mean is not None
    if gain.low is None or gain.high is None:
        return _number(gain.mean)
    return f"{_number(gain.mean)} ({_number(gain.low)} to {_number(gain.high)})"


def _told(found: Regret) -> str:
    unjudged = found.asked - found.judged
    left = f" {unjudged} of them could not be judged, or not yet." if unjudged else ""
    if not found.gain.known:
        return f"Too few to tell ({found.judged} judged)."
    good = f"The choice taken was as good or better in {found.as_good} of {found.judged} judged by {_by(found)}"
    if found.gain.low == found.gain.high == 0:
        return f"{good}, without any difference between the two.{left}"
    whose = (
        "the other way would have been better"
        if found.gain.above
        else "the choice taken was better"
        if found.gain.below
        else "no difference beyond chance"
    )
    return f"{good}; estimated regret {told_gain(found.gain)} of quality a question: {whose}.{left}"


def _by(found: Regret) -> str:
    return " and ".join(_BY.get(name, name) for name, _ in found.measures.most_common())


def _no_room(found: Regret) -> str:
    parts = [f"{found.skipped[reason]} because {reason}" for reason in (BUDGET, PRICE) if found.skipped[reason]]
    return f" Drawn and not asked: {', '.join(parts)}." if parts else ""


def _gain(judged: Sequence[Shadow], level: float = 0.95) -> Interval:
    differences = [_difference(shadow) for shadow in judged]
    weights = [_weight(shadow) for shadow in judged]
    groups = [tuple(words(shadow.text)) or (shadow.question_id,) for shadow in judged]
    weighted = [weight * difference for weight, difference in zip(weights, differences, strict=True)]
    found = ratio(weighted, weights, groups, level=level)
    # A range over so few different questions would speak of these alone.
    return replace(found, low=None, high=None) if found.by == "question" else found


def _difference(shadow: Shadow) -> float:
    assert shadow.other_quality is not None
    assert shadow.taken_quality is not None
    return shadow.other_quality - shadow.taken_quality


def _weight(shadow: Shadow) -> float:
    assert shadow.chance is not None
    assert shadow.others is not None
    return 1 / shadow.others / shadow.chance / shadow.share


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−").replace("−0.00", "0.00")
