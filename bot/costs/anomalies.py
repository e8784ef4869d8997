"""Days that cost far more than such a day usually does, and why; few false alarms matter more than small finds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from bot.costs.days import Cell, Day
from bot.costs.money import of_picodollars
from bot.costs.split import RatesOf, Split, no_rates, split

SHOWN = 3
COMPARED = 8
"""How many earlier days of the same weekday a day is held against."""
FEWEST = 4
TIMES = 2.0
SPREADS = 4.0
SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """A day that cost `cost` US dollars where `usual` is usual. `place` or `model` names where, both "" for all.

    `split`: why, against the mean of the last days of this weekday. `retries`: US dollars of second and later tries
    above the usual.
    """

    day: date
    cost: Decimal
    usual: Decimal
    place: str
    model: str
    split: Split
    retries: Decimal


def anomalies(days: Mapping[date, Day], shown: Sequence[date], rates: RatesOf = no_rates) -> tuple[Anomaly, ...]:
    """Those among the days `shown`; `days` also holds the weeks before them.

    A day stands out where it costs at least twice what is usual, the median of the same weekday in the eight weeks
    before, and half of an average day's whole cost above it, and where its ratio to the usual lies four robust standard
    deviations (1.4826 · MAD of the ratios' logarithms over all those days, Rousseeuw and Croux 1993) above 1. The
    channel and the model that explain it are named, never a person. With fewer than four such weekdays nothing is said.
    """
    found: list[Anomaly] = []
    for day in shown:
        past = [earlier for earlier in _same_weekdays(day) if earlier in days]
        first = min((each for each in days if days[each].cells), default=day)
        past = [earlier for earlier in past if earlier >= first]
        if len(past) < FEWEST or day not in days:
            continue
        found += _of_day(days, day, past, rates)
    return tuple(sorted(found, key=lambda each: each.usual - each.cost)[:SHOWN])


def _same_weekdays(day: date) -> list[date]:
    return [day - timedelta(days=7 * weeks) for weeks in range(1, COMPARED + 1)]


def _of_day(days: Mapping[date, Day], day: date, past: Sequence[date], rates: RatesOf) -> list[Anomaly]:
    average = sum(days[each].cost for each in _week_before(days, day)) / 7
    usual = _stands_out(days, day, average, lambda each: each.cost)
    if usual is not None:
        place = _explaining(days, day, past, lambda cell: cell.place)
        model = _explaining(days, day, past, lambda cell: cell.model)
        return [_told(days, day, past, usual, place, model, rates)]
    # A place may stand out of a day that does not: what is usual elsewhere hides it.
    for place in {cell.place for cell in days[day].cells} - {""}:
        usual = _stands_out(days, day, average, lambda each, place=place: _cost(each, place))  # type: ignore[misc]
        if usual is not None:
            return [_told(days, day, past, usual, place, "", rates)]
    return []


def _week_before(days: Mapping[date, Day], day: date) -> list[date]:
    return [each for each in (day - timedelta(days=back) for back in range(1, 8)) if each in days]


def _cost(day: Day, place: str) -> int:
    return sum(cell.cost for cell in day.cells if cell.place == place)


def _stands_out(days: Mapping[date, Day], day: date, average: float, cost_of: Callable[[Day], int]) -> int | None:
    """What is usual where this day stands out; None where it does not."""
    costs = {each: cost_of(days[each]) for each in days if each < day}
    by_weekday = [
        median([costs.get(day - timedelta(days=7 * weeks + back), 0) for weeks in range(1, COMPARED + 1)])
        for back in range(7)
    ]
    usual, cost = by_weekday[0], cost_of(days[day])
    if not average or cost < TIMES * usual or cost < usual + SHARE * average:
        return None
    if not usual:
        return 0 if not any(by_weekday) and not any(costs.values()) else None
    ratios = [
        math.log(cost / by_weekday[(day - each).days % 7])
        for each, cost in costs.items()
        if cost and by_weekday[(day - each).days % 7] and (day - each).days <= 7 * COMPARED
    ]
    spread = 1.4826 * median(abs(ratio) for ratio in ratios)
    return round(usual) if math.log(cost / usual) > SPREADS * spread else None


def _explaining(days: Mapping[date, Day], day: date, past: Sequence[date], key: Callable[[Cell], str]) -> str:
    """The place or model of at least two thirds of what is above the mean of such days; "" where there is no such."""
    above: dict[str, float] = {}
    for cell in days[day].cells:
        above[key(cell)] = above.get(key(cell), 0) + cell.cost
    for each in past:
        for cell in days[each].cells:
            above[key(cell)] = above.get(key(cell), 0) - cell.cost / len(past)
    whole = sum(above.values())
    most = max(above, key=lambda name: above[name], default="")
    return most if whole > 0 and above[most] >= whole * 2 / 3 else ""


def _told(
    days: Mapping[date, Day], day: date, past: Sequence[date], usual: int, place: str, model: str, rates: RatesOf
) -> Anomaly:
    now, before = days[day], [days[each] for each in past]
    if place:
        now, before = now.within(place), [each.within(place) for each in before]
    retries = _retries([now]) - _retries(before) / len(before)
    return Anomaly(
        day=day,
        cost=of_picodollars(now.cost),
        usual=of_picodollars(round(median(each.cost for each in before)) if place else usual),
        place=place,
        model=model,
        split=split([now], before, rates, times=len(before)),
        retries=of_picodollars(max(round(retries), 0)),
    )


def _retries(days: Iterable[Day]) -> int:
    return sum(cell.retried_cost for day in days for cell in day.cells)
