"""What a month will have cost at its end, with a range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import NormalDist

from bot.costs.periods import Month

LOOKED_BACK = 56
"""Days of the past that a forecast is made from."""
FEWEST = 14
LEVEL = 0.8
_PRIOR = 0.5
_PULL, _GROWTH = 4, 1.5
_SMOOTHING = (0.02, 0.05, 0.1, 0.2, 0.35)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`spent`: US dollars of the month so far, and what they will be at its end, with the range that holds the true sum
    in four of five cases. These three are None where it is too early to tell. `left`: days of the month still to
    come."""

    month: Month
    spent: Decimal
    left: int
    total: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None


def forecast(daily: Sequence[Decimal], last: date, month: Month) -> Forecast:
    """`daily`: US dollars of each day up to and with `last`, a day of `month`, the oldest first.

    The level follows the days by exponential smoothing with the weekdays as factors, and the range comes from how far
    it was off a day ahead: ETS(M,N,M) with a variance that grows with the mean (Hyndman, Koehler, Ord and Snyder 2008,
    "Forecasting with Exponential Smoothing", chapters 4 and 6), plus how unsure the weekdays' factors are from so few
    weeks. With fewer than two weeks since the first cost it is too early.
    """
    spent = sum(daily[-last.day :], Decimal(0))
    left = [day for day in month.days if day > last]
    known = Forecast(month=month, spent=spent, left=len(left))
    values = [float(value) for value in daily[-LOOKED_BACK:]]
    while values and not values[0]:
        values.pop(0)
    if not left:
        return Forecast(month=month, spent=spent, left=0, total=spent, low=spent, high=spent)
    if len(values) < FEWEST:
        return known
    mean, deviation, freedom = _ahead(values, last, left)
    reach = deviation * _student(NormalDist().inv_cdf((1 + LEVEL) / 2), freedom)
    return Forecast(
        month=month,
        spent=spent,
        left=len(left),
        total=spent + _cents(mean),
        low=spent + _cents(max(mean - reach, 0.0)),
        high=spent + _cents(mean + reach),
    )


def weekday_factors(values: Sequence[float], last: date) -> list[float]:
    """How each weekday (Monday first) stands to the mean day, from daily values up to `last`."""
    sums, counts = [0.0] * 7, [0] * 7
    for back, value in enumerate(reversed(values)):
        weekday = (last - timedelta(days=back)).weekday()
        sums[weekday] += value
        counts[weekday] += 1
    mean = sum(sums) / sum(counts) or 1.0
    factors = [(total / mean + _PRIOR) / (count + _PRIOR) for total, count in zip(sums, counts, strict=True)]
    return [factor * 7 / sum(factors) for factor in factors]


def _ahead(values: Sequence[float], last: date, left: Sequence[date]) -> tuple[float, float, int]:
    """Mean and standard deviation of the sum of the days that are left, and the degrees of freedom."""
    by_weekday = weekday_factors(values, last)
    first = last - timedelta(days=len(values) - 1)
    weekdays = [(first + timedelta(days=number)).weekday() for number in range(len(values))]
    factors = [by_weekday[weekday] for weekday in weekdays]
    alpha = min(_SMOOTHING, key=lambda each: _fit(values, factors, each)[2])
    level, errors, _ = _fit(values, factors, alpha)
    freedom = max(len(values) - 8, 3)
    variances = _by_weekday(errors, weekdays, by_weekday, len(values) / freedom)
    coming = [by_weekday[day.weekday()] for day in left]
    noise = 0.0
    for number, day in enumerate(left):
        noise += variances[day.weekday()] * (1 + alpha * sum(coming[number + 1 :])) ** 2
    # A weekday's factor is a mean over few weeks, and wrong by the same on each such day that comes.
    for weekday, variance in enumerate(variances):
        noise += sum(day.weekday() == weekday for day in left) ** 2 * variance * 7 / len(values)
    return level * sum(coming), math.sqrt(noise), freedom


def _fit(values: Sequence[float], factors: Sequence[float], alpha: float) -> tuple[float, list[float], float]:
    """The level after all days, how far each was off a day ahead, and the sum of the squares of that for mean days."""
    level, errors = sum(values[:7]) / max(sum(factors[:7]), 1e-9), []
    for value, factor in zip(values, factors, strict=True):
        errors.append(value - level * factor)
        level = max(level + alpha * errors[-1], 0.0)
    return level, errors, sum(error * error / factor for error, factor in zip(errors, factors, strict=True))


def _by_weekday(
    errors: Sequence[float], weekdays: Sequence[int], factors: Sequence[float], widened: float
) -> list[float]:
    """The variance of each weekday's errors, pulled towards what all of them say of a day of its size."""
    sizes = [factors[weekday] ** _GROWTH for weekday in weekdays]
    common = sum(error * error for error in errors) / sum(sizes)
    found = []
    for weekday, factor in enumerate(factors):
        own = [error * error for error, on in zip(errors, weekdays, strict=True) if on == weekday]
        found.append(widened * (sum(own) + _PULL * common * factor**_GROWTH) / (len(own) + _PULL))
    return found


def _student(z: float, freedom: int) -> float:
    """Student's quantile for the normal one (Abramowitz and Stegun 26.7.5, its first terms)."""
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def _cents(value: float) -> Decimal:
    amount = Decimal(repr(value))
    # Of less than a dollar, cents alone would say too little.
    return amount.quantize(_CENT) if value >= 1 else amount.quantize(Decimal("0.000001"))
