"""Sets and drops budgets as somebody typed it, and tells how they stand."""

from __future__ import annotations

from datetime import datetime, tzinfo

from bot.costs.budget import Budget, BudgetPeriod, Standing, day
from bot.costs.budget_words import EXAMPLE, Wish
from bot.costs.budgets import Budgets
from bot.costs.money import dollars
from bot.errors import UnusableBudget

A_PERIOD: dict[BudgetPeriod, str] = {"day": "a day", "week": "a week", "month": "a month"}


async def set_budget(budgets: Budgets, wish: Wish, *, by: str, at: datetime) -> Standing:
    """Sets or changes a budget; what was not said stays as it was, and is a month and soft for a new one.

    Raises UnusableBudget where the amount is missing, or where it could be one of several that there are.
    """
    if wish.amount is None:
        raise UnusableBudget(f"How much may it be? Write an amount in US dollars, for example {EXAMPLE}.")
    known = wish.meant(await budgets.all())
    if len(known) > 1:
        raise _several(known)
    before = known[0] if known else None
    budget = await budgets.set(
        wish.scope,
        wish.key,
        wish.period or (before.period if before else "month"),
        wish.amount,
        hard=wish.hard if wish.hard is not None else before is not None and before.hard,
        by=by,
        at=at,
        reason=wish.reason,
    )
    return next(standing for standing in await budgets.standing(at) if standing.budget.id == budget.id)


async def drop_budget(budgets: Budgets, wish: Wish, *, by: str, at: datetime) -> Budget:
    """Ends the budget that is meant. Raises UnusableBudget where there is none, or several."""
    known = wish.meant(await budgets.all())
    if not known:
        raise UnusableBudget(
            "There is no such budget, so nothing was dropped. The list of budgets names all there are."
        )
    if len(known) > 1:
        raise _several(known)
    await budgets.drop(known[0].id, by=by, at=at)
    return known[0]


def _several(known: tuple[Budget, ...]) -> UnusableBudget:
    periods = " and ".join(A_PERIOD[budget.period] for budget in known)
    return UnusableBudget(f"There are {len(known)} such budgets, {periods}. Write which one you mean.")


def kind(budget: Budget) -> str:
    """For example “$200.00 a month, hard”."""
    return f"{dollars(budget.amount)} {A_PERIOD[budget.period]}, {'hard' if budget.hard else 'soft'}"


def used(standing: Standing) -> str:
    """How far it is used, what is held and left, in one line."""
    parts = [f"{standing.share:.0%} used ({dollars(standing.spent)})"]
    if standing.held > 0:
        parts.append(f"{dollars(standing.held)} held for calls under way")
    over = standing.spent - standing.budget.amount
    parts.append(f"{dollars(over)} over" if over > 0 else f"{dollars(standing.left)} left")
    if standing.unknown:
        calls = "1 call" if standing.unknown == 1 else f"{standing.unknown:,} calls"
        parts.append(f"{calls} of unknown cost counted with the most that may have been billed")
    return " · ".join(parts)


def lasts(standing: Standing, now: datetime, zone: tzinfo) -> str:
    """Until when it runs, and whether it lasts so long at this pace."""
    ends = f"A new one begins on {day(standing.until, zone)}"
    at = standing.used_up_at(now)
    if standing.spent >= standing.budget.amount:
        return f"{ends}."
    if at is None:
        return f"{ends}; at this pace it lasts until then." if standing.spent else f"{ends}."
    local = at.astimezone(zone)
    when = f"at {local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"on {day(at, zone)}"
    return f"{ends}; at this pace it is used up {when}."
