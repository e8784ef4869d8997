"""Two sides of questions that chance drew apart: what each got, cost and took, and how they differ, as plain values.

Questions count on the side that they were drawn for, also where the model that was drawn failed and another one stepped
in: whatever else differs between the sides is chance. People and rules look again and again while questions come, so
what they decide by, differences and medians, has ranges that hold at all looks together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log, sqrt
from statistics import NormalDist, fmean, median, variance

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.outcomes import OPEN, UNBILLED
from bot.evaluation.statistics import LEVEL, Interval, fewest, ratio
from bot.storage.cost_tables import ledger
from bot.storage.tables import feedback, questions

LEAST = 20
"""So many answers a side takes before it is compared."""
USUAL = 400
"""So many values have the narrowest range that holds at all looks; with a fifth or five times as many it is little
wider."""
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Range:
    """A value with the range that holds the true one in 95% of cases like this; None where there is too little."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def sign(self) -> int:
        """1 where the whole range lies above 0, −1 where below, else 0."""
        if self.low is None or self.high is None:
            return 0
        return (self.low > 0) - (self.high < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side. `asked`: its questions; `answers`: those that got an answer. `cost`: US dollars of all calls for its
    questions whose price is known, and `unpriced` how many of the questions had a call whose price is not. `per_answer`
    in US dollars over questions with known prices, None without any. `seconds`: the median of an answer. `up` and
    `down`: thumbs; `liked`: the share (0 to 1) that points up."""

    asked: int
    answers: int
    cost: Decimal
    unpriced: int
    per_answer: Range | None
    seconds: Range | None
    up: int
    down: int
    liked: Range | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What was `tried` beside the `rest`. The differences are tried − rest, None where a side has too few answers, or
    no thumbs, to tell: US dollars an answer, and share of thumbs up. In 95 of 100 comparisons their ranges hold the
    true value at every look, however often one looks."""

    tried: Side
    rest: Side
    cheaper: Range | None
    better: Range | None

    @property
    def too_few(self) -> bool:
        """Whether a side has too few answers to be compared."""
        return min(self.tried.answers, self.rest.answers) < LEAST


@dataclass(slots=True)
class Asked:
    """What is known of one question. `cost` None: a price is not known."""

    answered: bool
    seconds: float
    cost: Decimal | None = Decimal(0)
    up: int = 0
    down: int = 0
    spent: Decimal = Decimal(0)


async def read_sides(
    engine: AsyncEngine, drawn: sa.Table, by: sa.Column[int], wanted: Sequence[sa.ColumnElement[bool]]
) -> Mapping[tuple[int, bool], list[Asked]]:
    """The questions of a table of draws (`question_id`, `drawn`), by its column `by` and their side."""
    joined = drawn.join(questions, questions.c.id == drawn.c.question_id)
    receipt = questions.c.receipt
    asked = sa.select(
        drawn.c.question_id,
        by.label("draw"),
        drawn.c.drawn,
        receipt["outcome"].as_string().label("outcome"),
        receipt["seconds"].as_float().label("seconds"),
    )
    paid = sa.select(ledger.c.question_id, ledger.c.cost, ledger.c.outcome)
    given = sa.select(feedback.c.question_id, feedback.c.value)
    sides: defaultdict[tuple[int, bool], list[Asked]] = defaultdict(list)
    by_id: dict[str, Asked] = {}
    async with engine.connect() as connection:
        for row in await connection.execute(asked.select_from(joined).where(*wanted)):
            by_id[row.question_id] = one = Asked(row.outcome == "answered", row.seconds or 0.0)
            sides[row.draw, row.drawn].append(one)
        part = joined.join(ledger, ledger.c.question_id == questions.c.id)
        for call in await connection.execute(paid.select_from(part).where(*wanted, ledger.c.outcome != OPEN)):
            _pay(by_id[call.question_id], call.cost, call.outcome)
        part = joined.join(feedback, feedback.c.question_id == questions.c.id)
        for thumb in await connection.execute(given.select_from(part).where(*wanted)):
            by_id[thumb.question_id].up += thumb.value > 0
            by_id[thumb.question_id].down += thumb.value < 0
    return sides


def _pay(question: Asked, cost: Decimal | None, outcome: str) -> None:
    if cost is not None:
        question.spent += cost
        question.cost = None if question.cost is None else question.cost + cost
    elif outcome not in UNBILLED:
        question.cost = None


def compare(tried: Sequence[Asked], rest: Sequence[Asked]) -> Compared:
    """Both sides with their differences."""
    both = _side(tried), _side(rest)
    costs = [[float(one.cost) for one in side if one.answered and one.cost is not None] for side in (tried, rest)]
    return Compared(
        tried=both[0],
        rest=both[1],
        cheaper=difference_of_means(*costs),
        better=difference_of_shares(both[0].up, both[0].down, both[1].up, both[1].down),
    )


def _side(asked: Sequence[Asked]) -> Side:
    answered = [one for one in asked if one.answered]
    up, down = sum(one.up for one in asked), sum(one.down for one in asked)
    return Side(
        asked=len(asked),
        answers=len(answered),
        cost=sum((one.spent for one in asked), Decimal(0)),
        unpriced=sum(one.cost is None for one in asked),
        per_answer=_per_answer([one for one in asked if one.cost is not None]),
        seconds=median_range([one.seconds for one in answered]),
        up=up,
        down=down,
        liked=share_range(up, up + down),
    )


def _per_answer(priced: Sequence[Asked]) -> Range | None:
    """What questions that failed cost is paid for those that were answered, too."""
    found: Interval = ratio([float(one.cost or 0) for one in priced], [float(one.answered) for one in priced])
    return None if found.mean is None else Range(found.mean, found.low, found.high)


def at_every_look(n: int) -> float:
    """By how many standard errors a mean of n values is off at the most at any of all looks, in 95 of 100 cases; at a
    single look it is 1.96.

    The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, Annals of Statistics
    52(6), theorem 2.2), with their ρ that makes it narrowest at `USUAL` values.
    """
    alpha = 1 - LEVEL
    rho2 = (-2 * log(alpha) + log(1 - 2 * log(alpha))) / USUAL
    return sqrt((n * rho2 + 1) / (n * rho2) * log((n * rho2 + 1) / alpha**2))


def median_range(values: Sequence[float]) -> Range | None:
    """The median, between the order statistics that hold it at every look: ranks n/2 ± z·√n/2 (Conover 1999, 3.2)."""
    if not values:
        return None
    ordered, n = sorted(values), len(values)
    if n < fewest():
        return Range(median(ordered))
    reach = at_every_look(n) * sqrt(n) / 2
    low, high = max(int(n / 2 - reach), 0), min(int(n / 2 + reach), n - 1)
    return Range(median(ordered), ordered[low], ordered[high])


def share_range(count: float, of: int, z: float = _Z) -> Range | None:
    """A share with Wilson's score interval (1927), `z` standard errors wide, by itself 95%; None of nothing."""
    if not of:
        return None
    p, z2 = count / of, z**2
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    reach = z / (1 + z2 / of) * sqrt(p * (1 - p) / of + z2 / (4 * of**2))
    return Range(p, max(middle - reach, 0.0), min(middle + reach, 1.0))


def difference_of_means(first: Sequence[float], second: Sequence[float]) -> Range | None:
    """The first's mean − the second's, two samples apart (Welch's standard error, 1947), at every look from LEAST
    values on; None with fewer of either."""
    if min(len(first), len(second)) < LEAST:
        return None
    error = sqrt(variance(first) / len(first) + variance(second) / len(second))
    reach = at_every_look(len(first) + len(second)) * error
    value = fmean(first) - fmean(second)
    return Range(value, value - reach, value + reach)


def difference_of_shares(up: int, down: int, other_up: int, other_down: int) -> Range | None:
    """The first's share of thumbs up − the second's, at every look; None where a side has no thumbs."""
    thumbs = up + down + other_up + other_down
    z = at_every_look(max(thumbs, 1))
    one, other = share_range(up, up + down, z), share_range(other_up, other_up + other_down, z)
    return None if one is None or other is None else apart(one, other)


def apart(one: Range, other: Range) -> Range:
    """The first of two shares − the second, as sure as both are: Newcombe's hybrid score interval (1998, method 10)."""
    value = one.value - other.value
    below, above = _reaches(one)
    other_below, other_above = _reaches(other)
    return Range(value, value - sqrt(below**2 + other_above**2), value + sqrt(above**2 + other_below**2))


def _reaches(found: Range) -> tuple[float, float]:
    """How far a range goes below and above its value."""
    low, high = found.low, found.high
    assert low is not None
    assert high is not None
    return found.value - low, high - found.value
