"""What a workspace's budgets let out, against sums of what was spent there: plain dollars by whose they are."""

from __future__ import annotations

from decimal import Decimal

from access_judge import Findings
from two_houses import House

from bot.costs.budget import BudgetScope
from bot.costs.calls import Call
from bot.domain import Price
from bot.errors import OverBudget


async def limit(house: House, scope: BudgetScope, key: str, more: Decimal) -> None:
    """So many dollars may be spent on top of what was, and no more."""
    house.limits[scope, key] = amount = house.spent[scope, key] + more
    await house.core.budgets.set(scope, key, "month", amount, hard=True, by="U1", at=house.moment)


async def spend(house: House, found: Findings, person: str, channel: str, cost: Decimal) -> None:
    """A call of so many dollars: it has to be let out where all budgets of this workspace have room for it, and not
    where one has none."""
    on: list[tuple[BudgetScope, str]] = [("workspace", ""), ("channel", channel), ("person", person)]
    has_room = all(house.spent[whose] + cost <= house.limits[whose] for whose in on if whose in house.limits)
    call = Call(
        question_id=None,
        purpose="answer",
        attempt=1,
        provider="house",
        model="house-large",
        strategy=None,
        channel=channel,
        asker=person,
        started_at=house.moment,
        reserved=cost,
    )
    try:
        row = await house.core.ledger.open(call)
    except OverBudget:
        found.counts["spend, refused"] += 1
        if has_room:
            found.missing.append(f"${cost} for {person} in {channel} of {house.team} was refused")
        return
    price = Price(amount=cost, version="1")
    await house.core.ledger.settle(row, outcome="answered", seconds=0.1, usage=None, price=price)
    for whose in on:
        house.spent[whose] += cost
    found.counts["spend"] += 1
    if not has_room:
        found.leaks.append(f"${cost} for {person} in {channel} of {house.team} went beyond a budget")
