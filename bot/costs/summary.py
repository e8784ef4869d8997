"""What `/cost` answers: the sum of a period until now and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from bot.costs.days import Cell, days_between
from bot.costs.ledger import GroupBy, Ledger, Total
from bot.costs.money import at_least
from bot.costs.periods import Period
from bot.costs.report import added, count, totalled

_NAMES = {"today": "Today", "week": "This week", "month": "This month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSummary:
    """The calls of a period; `parts` are its totals by `by`, dearest first."""

    period: Period
    by: GroupBy
    total: Total
    parts: tuple[Total, ...]
    answers: int


async def cost_summary(ledger: Ledger, period: Period, zone: tzinfo, by: GroupBy = "model") -> CostSummary:
    """Reads a period of the zone's calendar."""
    days = await ledger.days.read(days_between(period.since, period.until, zone))
    key = _KEYS[by]
    return CostSummary(
        period=period,
        by=by,
        total=totalled(days),
        parts=added(days, key),
        answers=sum(number for day in days for _, number in day.answers),
    )


_KEYS: dict[GroupBy, Callable[[Cell], str]] = {
    "model": lambda cell: cell.model,
    "strategy": lambda cell: cell.strategy,
    "channel": lambda cell: cell.place,
    "provider": lambda cell: cell.provider,
    "purpose": lambda cell: cell.purpose,
}


def sentence(summary: CostSummary) -> str:
    """The answer in one sentence."""
    name, total, answers = _NAMES[summary.period.name], summary.total, count(summary.answers, "answer")
    if not total.calls:
        return f"{name} no model was called, so it cost nothing."
    if total.cost:
        return f"{name} cost {at_least(total.cost, total.unknown)} so far, for {answers}."
    if total.unknown:
        return f"What {name.lower()} cost is unknown: {count(total.unknown, 'call')} had no known price."
    return f"{name} cost nothing so far, for {answers}."
