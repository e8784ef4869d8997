import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.costs.forecast import FEWEST, LEVEL, forecast
from bot.costs.periods import Month

BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = Month(date(2026, 11, 1), BERLIN)
WEEKDAYS = (1.2, 1.3, 1.2, 1.1, 0.9, 0.05, 0.1)


def days_up_to(last: date, count: int) -> list[date]:
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]


def test_two_weeks_of_costs_are_too_few() -> None:
    last = date(2026, 11, 15)
    found = forecast([Decimal(0)] * 40 + [Decimal(1)] * (FEWEST - 1), last, NOVEMBER)
    assert (found.total, found.low, found.high) == (None, None, None)
    assert (found.spent, found.left) == (Decimal(13), 15)
    assert forecast([Decimal(1)] * FEWEST, last, NOVEMBER).total is not None


def test_a_month_that_is_over_is_known() -> None:
    found = forecast([Decimal("0.5")] * 60, date(2026, 11, 30), NOVEMBER)
    assert found.spent == found.total == found.low == found.high == Decimal(15)


def test_weekdays_are_told_apart_and_a_steady_series_is_told_nearly_exactly() -> None:
    last = date(2026, 11, 15)
    steady = [Decimal(str(10 * WEEKDAYS[day.weekday()])) for day in days_up_to(last, 56)]
    found = forecast(steady, last, NOVEMBER)
    truth = sum((Decimal(str(10 * WEEKDAYS[day.weekday()])) for day in NOVEMBER.days), Decimal(0))
    assert found.total is not None
    assert found.low is not None
    assert found.high is not None
    assert abs(found.total - truth) < truth / 50
    assert found.low <= truth <= found.high
    assert found.low >= found.spent


def series(kind: str, draw: random.Random, days: list[date]) -> Iterator[float]:
    level, mean = 10.0, 0.0
    for day in days:
        level *= draw.lognormvariate(0.002, 0.03) if kind == "drifting" else 1.0
        mean = level * (WEEKDAYS[day.weekday()] if kind != "flat" else 1.0)
        noise = draw.lognormvariate(-0.08, 0.4) if kind == "heavy" else draw.gammavariate(25, 1 / 25)
        few = 20
        yield (
            sum(draw.random() < 0.5 for _ in range(2 * few)) / few * mean * noise if kind == "counts" else mean * noise
        )


def share_held(kind: str, tries: int = 100) -> float:
    """How often the range held what the month really came to."""
    draw = random.Random(20261121)
    held = 0
    for _ in range(tries):
        last = draw.choice(NOVEMBER.days[4:25])
        days = [*days_up_to(last, 56), *(day for day in NOVEMBER.days if day > last)]
        values = [Decimal(repr(value)) for value in series(kind, draw, days)]
        found = forecast(values[:56], last, NOVEMBER)
        truth = sum(values[56 - last.day :], Decimal(0))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    return held / tries


def test_the_range_holds_the_true_sum_about_as_often_as_it_says() -> None:
    shares = {kind: share_held(kind) for kind in ("flat", "weekly", "drifting", "heavy", "counts")}
    assert abs(sum(shares.values()) / len(shares) - LEVEL) < 0.08, shares
    # A level that wanders off on the way is what a range from the past holds worst.
    assert min(shares.values()) > 0.68, shares
