"""What `/cost` answers: the sum of a period until now and what it is made of, of everybody or of one person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from bot.costs.calls import GroupBy, Total
from bot.costs.days import Cell, days_between
from bot.costs.forecast import LOOKED_BACK, Forecast, forecast
from bot.costs.ledger import Ledger
from bot.costs.money import at_least, of_picodollars, roughly
from bot.costs.periods import Month, Period, midnight
from bot.costs.report import added, count, totalled


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSummary:
    """The calls of a period; `parts` are its totals by `by`, dearest first. `person`: whose alone, None for all."""

    period: Period
    by: GroupBy
    total: Total
    parts: tuple[Total, ...]
    answers: int
    person: str | None = None


async def cost_summary(
    ledger: Ledger, period: Period, zone: tzinfo, by: GroupBy = "model", *, person: str | None = None
) -> CostSummary:
    """Reads a period of the zone's calendar, of everybody or of one person's questions alone."""
    since, until = period.since, period.until
    if person is not None:
        (total,) = await ledger.total(since, until, asker=person)
        parts = tuple(await ledger.total(since, until, by=by, asker=person))
        answers = await ledger.answers(since, until, asker=person)
        return CostSummary(period=period, by=by, total=total, parts=parts, answers=answers, person=person)
    days = await ledger.days.read(days_between(since, until, zone))
    return CostSummary(
        period=period,
        by=by,
        total=totalled(days),
        parts=added(days, _KEYS[by]),
        answers=sum(number for day in days for _, number in day.answers),
    )


_KEYS: dict[GroupBy, Callable[[Cell], str]] = {
    "model": lambda cell: cell.model,
    "strategy": lambda cell: cell.strategy,
    "channel": lambda cell: cell.place,
    "provider": lambda cell: cell.provider,
    "purpose": lambda cell: cell.purpose,
}


async def month_ahead(ledger: Ledger, now: datetime, zone: tzinfo) -> Forecast | None:
    """What the month will have cost, from the days until yesterday; None on its first day."""
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    month = Month.of(now.astimezone(zone).date(), zone)
    if yesterday < month.first:
        return None
    first = min(yesterday - timedelta(days=LOOKED_BACK), month.first)
    bounds = days_between(midnight(first, zone), midnight(yesterday + timedelta(days=1), zone), zone)
    daily = [of_picodollars(day.cost) for day in await ledger.days.read(bounds)]
    return forecast(daily, yesterday, month)


def sentence(summary: CostSummary) -> str:
    """The answer in one sentence."""
    total, answers = summary.total, count(summary.answers, "answer")
    title = summary.period.title
    name = f"{title}, your questions" if summary.person else title
    so_far = "" if title.startswith("The last") else " so far"
    if not total.calls:
        return f"{title} no model was called{' for you' if summary.person else ''}, so it cost nothing."
    if total.cost:
        return f"{name} cost {at_least(total.cost, total.unknown)}{so_far}, for {answers}."
    if total.unknown:
        return f"{name}: what it cost is unknown, since {count(total.unknown, 'call')} had no known price."
    return f"{name} cost nothing{so_far}, for {answers}."


def ahead(found: Forecast | None) -> str:
    """What the month will come to; "" where nothing was spent or nothing can be said."""
    if found is None or not found.spent:
        return ""
    month = f"{found.month.first:%B}"
    if not found.left:
        return f"{month} came to {roughly(found.spent)}."
    if found.total is None or found.low is None or found.high is None:
        return f"It is too early to tell what {month} will come to; {roughly(found.spent)} is spent."
    return (
        f"{month} will come to about {roughly(found.total)}, most likely {roughly(found.low)} to "
        f"{roughly(found.high)}; {roughly(found.spent)} is spent."
    )
