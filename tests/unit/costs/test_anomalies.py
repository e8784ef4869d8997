import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from ledger_days import CENT, cell, day

from bot.costs.anomalies import anomalies
from bot.costs.days import Cell, Day
from bot.costs.report_words import likely_cause, stands_out

MONDAY = date(2026, 11, 9)
WEEK = [MONDAY + timedelta(days=number) for number in range(7)]
WEEKDAYS = (1.2, 1.3, 1.2, 1.1, 0.9, 0.05, 0.1)
TUESDAY = WEEK[1]


def quiet(draw: random.Random, *, places: int = 4, spread: float = 0.3) -> dict[date, Day]:
    """Nine weeks of a team's usual days, with more questions from Monday to Friday."""
    found = {}
    for back in range(63):
        on = WEEK[-1] - timedelta(days=back)
        cells = []
        for number in range(places):
            calls = int(draw.gammavariate(6, (60 / (number + 1)) * WEEKDAYS[on.weekday()] / 6))
            large = sum(draw.random() < 0.2 for _ in range(calls))
            for model, count, each in (("small", calls - large, CENT), ("large", large, 4 * CENT)):
                size = draw.lognormvariate(0, spread)
                if count:
                    tokens = (int(1000 * count * size), 0, 0)
                    cells.append(cell(model, count, int(count * each * size), place=f"C{number}", tokens=tokens))
        found[on] = day(*cells)
    return found


@pytest.mark.parametrize("places", [1, 8])
def test_quiet_weeks_raise_hardly_any_false_alarm(places: int) -> None:
    draw = random.Random(20261121)
    weeks = 60
    alarmed = sum(bool(anomalies(quiet(draw, places=places), WEEK)) for _ in range(weeks))
    assert alarmed / weeks <= 0.05, alarmed


def steady(on: date, **more: int) -> list[Cell]:
    calls = round(40 * WEEKDAYS[on.weekday()]) or 1
    return [
        cell("small", calls, calls * CENT, place=place, tokens=(1000 * calls, 200 * calls, 0)) for place in ("C1", "C2")
    ]


def nine_weeks() -> dict[date, Day]:
    days = [WEEK[-1] - timedelta(days=back) for back in range(63)]
    return {on: day(*steady(on)) for on in days}


CAUSES: dict[str, tuple[Callable[[], list[Cell]], str]] = {
    "more questions": (
        lambda: [cell("small", 500, 500 * CENT, tokens=(500_000, 100_000, 0))],
        "+$4.48 more questions (500 instead of 52)",
    ),
    "longer answers": (
        lambda: [cell("small", 52, 500 * CENT, tokens=(500_000, 100_000, 0))],
        "longer answers",
    ),
    "another model": (lambda: [cell("huge", 52, 900 * CENT, tokens=(52_000, 10_400, 0))], "more of huge"),
    "a job": (lambda: [*steady(TUESDAY)[:1], cell("judge", 90, 900 * CENT, purpose="evaluate")], "evaluations"),
    "retries": (
        lambda: [
            *steady(TUESDAY)[:1],
            cell("small", 300, 600 * CENT, outcome="timed_out", tokens=(300_000, 60_000, 0), retried=(200, 500 * CENT)),
        ],
        "+$5.00 second and later tries",
    ),
}


@pytest.mark.parametrize("name", CAUSES)
def test_a_day_that_stands_out_is_told_with_its_cause(name: str) -> None:
    make, cause = CAUSES[name]
    days = nine_weeks()
    days[TUESDAY] = day(*make(), steady(TUESDAY)[1])
    (found,) = anomalies(days, WEEK)
    assert found.day == TUESDAY
    assert cause in likely_cause(found)


def test_a_channel_alone_is_named_where_it_explains_the_day() -> None:
    days = nine_weeks()
    days[TUESDAY] = day(cell("small", 552, 552 * CENT, tokens=(552_000, 110_400, 0)), steady(TUESDAY)[1])
    (found,) = anomalies(days, WEEK)
    assert found.place == "C1"
    told = stands_out(found)
    assert told.startswith("Tuesday cost $5.52 in C1 where $0.52 is usual: +$5.00 more questions")


def test_a_job_at_night_belongs_to_no_channel() -> None:
    days = nine_weeks()
    days[TUESDAY] = day(*steady(TUESDAY), cell("judge", 90, 900 * CENT, purpose="shadow", place=""))
    (found,) = anomalies(days, WEEK)
    assert (found.place, found.model) == ("", "judge")
    assert found.cost == Decimal("10.04")
    assert "shadow runs" in stands_out(found)


def test_the_first_weeks_are_compared_with_nothing() -> None:
    days = {on: each for on, each in nine_weeks().items() if on >= MONDAY - timedelta(days=21)}
    days[TUESDAY] = day(cell("small", 5000, 5000 * CENT))
    assert anomalies(days, WEEK) == ()
