"""What `/cost` answers: the sum of a period until now and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass

from bot.costs.ledger import GroupBy, Ledger, Total
from bot.costs.money import at_least
from bot.costs.periods import Period
from bot.costs.report import by_place, count

_NAMES = {"today": "Today", "week": "This week", "month": "This month"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSummary:
    """The calls of a period; `parts` are its totals by `by`, dearest first."""

    period: Period
    by: GroupBy
    total: Total
    parts: tuple[Total, ...]
    answers: int


async def cost_summary(ledger: Ledger, period: Period, by: GroupBy = "model") -> CostSummary:
    """Reads a period."""
    since, until = period.since, period.until
    (total,) = await ledger.total(since, until)
    parts = await ledger.total(since, until, by=by)
    kinds = await ledger.place_kinds(since, until) if by == "channel" else {}
    return CostSummary(
        period=period,
        by=by,
        total=total,
        parts=by_place(parts, kinds),
        answers=await ledger.answers(since, until),
    )


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
