"""A budget: what may be spent, by whom, until when; and how far it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal, get_args

from bot.costs.money import dollars
from bot.costs.recount import Counted
from bot.errors import OverBudget

BudgetScope = Literal["workspace", "channel", "person", "purpose"]
BudgetPeriod = Literal["day", "week", "month"]
SCOPES: tuple[BudgetScope, ...] = get_args(BudgetScope)
BUDGET_PERIODS: tuple[BudgetPeriod, ...] = get_args(BudgetPeriod)
SHARES = (50, 80, 100)
"""Of a budget, in percent: reaching one is told once."""

_ADJECTIVES = {"day": "daily", "week": "weekly", "month": "monthly"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spender:
    """Whom a call is counted for: its channel, its person and its purpose, each None or "" where it has none."""

    channel: str | None
    person: str | None
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """US dollars for a calendar day, week or month. `key` names the channel, the person or the purpose.

    A soft one warns; a hard one lets nothing go out that might go beyond it.
    """

    id: int
    scope: BudgetScope
    key: str
    period: BudgetPeriod
    amount: Decimal
    hard: bool
    reason: str
    set_by: str
    set_at: datetime

    @property
    def name(self) -> str:
        """For whoever is on it: “the monthly budget of $200.00 for this channel”."""
        return self.named({"channel": "this channel", "person": "you"}.get(self.scope, ""))

    def named(self, whose: str = "") -> str:
        """The same with other words for the channel or the person."""
        if self.scope == "workspace":
            whose = "the whole workspace"
        elif self.scope == "purpose":
            whose = f"the purpose “{self.key}”"
        return f"the {_ADJECTIVES[self.period]} budget of {dollars(self.amount)} for {whose}"

    def counts(self, spender: Spender) -> bool:
        """Whether a call of this spender is on this budget."""
        whose = {"channel": spender.channel, "person": spender.person, "purpose": spender.purpose}
        return self.scope == "workspace" or whose[self.scope] == self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a budget is used in the period from `since` to `until`. `held`: for calls under way; `unknown`: calls
    whose cost nobody knows, counted with the most that they may have cost; `told`: the highest of SHARES that was."""

    budget: Budget
    since: datetime
    until: datetime
    spent: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    unknown: int = 0
    told: int = 0

    @property
    def left(self) -> Decimal:
        """What may still go out, never less than nothing."""
        return max(self.budget.amount - self.spent - self.held, Decimal(0))

    @property
    def share(self) -> Decimal:
        """Spent, as a part of the amount: 1 is all of it. A budget of nothing is used up."""
        return self.spent / self.budget.amount if self.budget.amount else Decimal(1)

    @property
    def reached(self) -> int:
        """The highest of SHARES that is spent, 0 where none is."""
        return max((share for share in SHARES if self.share * 100 >= share), default=0)

    def used_up_at(self, now: datetime) -> datetime | None:
        """When it is used up at the pace of this period so far; None where it lasts to the period's end."""
        past = now - self.since
        if self.spent >= self.budget.amount:
            return now
        if not self.spent or past.total_seconds() <= 0:
            return None
        at = self.since + past * float(self.budget.amount / self.spent)
        return at if at < self.until else None


@dataclass(frozen=True, slots=True)
class Difference:
    """A budget that has counted something else than the ledger's rows come to."""

    standing: Standing
    counted: Counted


def refusal(budget: Budget, until: datetime, model: str, zone: tzinfo) -> OverBudget:
    """That a model was not asked since this budget has no room for it, until when, and who can help."""
    return OverBudget(
        f"“{model}” was not asked: {budget.name} has no room for it. A new one begins on {day(until, zone)}; an "
        "admin can raise it with `/cost budget`.",
        until,
        budget.set_by,
    )


def day(moment: datetime, zone: tzinfo) -> str:
    """For example “1 December”."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%B}"
