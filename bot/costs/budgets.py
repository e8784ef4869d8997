"""Budgets: what may be spent, by whom, until when; and what was, counted in the ledger's own transactions."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.costs.money import dollars
from bot.costs.outcomes import OPEN, UNBILLED
from bot.costs.periods import Period, PeriodName
from bot.errors import OverBudget
from bot.storage.tables import budget_use, budgets, ledger
from bot.storage.upsert import insert

BudgetScope = Literal["workspace", "channel", "person", "purpose"]
BudgetPeriod = Literal["day", "week", "month"]
SCOPES: tuple[BudgetScope, ...] = get_args(BudgetScope)
BUDGET_PERIODS: tuple[BudgetPeriod, ...] = get_args(BudgetPeriod)
SHARES = (50, 80, 100)
"""Of a budget, in percent: reaching one is told once."""

KNOWN_SECONDS = 5.0
"""For so long a process goes by the budgets that it has read: another one may have changed them."""
_NAMES: dict[BudgetPeriod, PeriodName] = {"day": "today", "week": "week", "month": "month"}
_ADJECTIVES = {"day": "daily", "week": "weekly", "month": "monthly"}
_COLUMNS = {"channel": ledger.c.channel, "person": ledger.c.asker, "purpose": ledger.c.purpose}


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
        """For example “the monthly budget of $200.00 for the whole workspace”."""
        whose = {
            "workspace": "the whole workspace",
            "channel": "this channel",
            "person": "one person",
            "purpose": f"the purpose “{self.key}”",
        }[self.scope]
        return f"the {_ADJECTIVES[self.period]} budget of {dollars(self.amount)} for {whose}"

    def counts(self, spender: Spender) -> bool:
        """Whether a call of this spender is on this budget."""
        whose = {"channel": spender.channel, "person": spender.person, "purpose": spender.purpose}
        return self.scope == "workspace" or whose[self.scope] == self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a budget is used in the period from `since` to `until`. `held`: for calls under way; `unknown`: calls
    whose cost nobody knows, counted with the most that they may have cost."""

    budget: Budget
    since: datetime
    until: datetime
    spent: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    unknown: int = 0

    @property
    def left(self) -> Decimal:
        """What may still go out, never less than nothing."""
        return max(self.budget.amount - self.spent - self.held, Decimal(0))

    @property
    def share(self) -> Decimal:
        """Spent, as a part of the amount: 1 is all of it. A budget of nothing is used up."""
        return self.spent / self.budget.amount if self.budget.amount else Decimal(1)


class Budgets:
    """The budgets in SQL. `zone`: whose calendar says what a day, a week and a month are."""

    def __init__(self, engine: AsyncEngine, zone: tzinfo = UTC) -> None:
        self._engine = engine
        self._zone = zone
        self._known: tuple[Budget, ...] = ()
        self._read_at: float | None = None
        self._periods: dict[PeriodName, Period] = {}  # the last ones: reckoning with calendars takes its time

    async def all(self) -> tuple[Budget, ...]:
        """Every budget, by scope, key and period; what another process set may be five seconds late."""
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > KNOWN_SECONDS:
            async with self._engine.connect() as connection:
                await self._read(connection)
            self._read_at = now
        return self._known

    async def set(
        self,
        scope: BudgetScope,
        key: str,
        period: BudgetPeriod,
        amount: Decimal,
        *,
        hard: bool,
        by: str,
        at: datetime,
        reason: str = "",
    ) -> Budget:
        """Sets or changes the budget of this scope, key and period. What was spent of it already counts."""
        values = {"amount": amount, "hard": hard, "reason": reason, "set_by": by, "set_at": at}
        async with self._engine.begin() as connection:
            statement = insert(connection, budgets).values(scope=scope, key=key, period=period, **values)
            statement = statement.on_conflict_do_update(index_elements=["scope", "key", "period"], set_=values)
            number: int = (await connection.execute(statement.returning(budgets.c.id))).scalar_one()
            await self._read(connection)
            budget = next(known for known in self._known if known.id == number)
            await self._recount(connection, budget, at)
        return budget

    async def drop(self, budget_id: int) -> None:
        """Ends a budget; the ledger keeps what was spent."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(budgets).where(budgets.c.id == budget_id))
            await connection.execute(sa.delete(budget_use).where(budget_use.c.budget == budget_id))
            await self._read(connection)

    async def standing(self, now: datetime) -> tuple[Standing, ...]:
        """How far each budget is used in the period of this moment."""
        async with self._engine.connect() as connection:
            await self._read(connection)
            rows = (await connection.execute(sa.select(budget_use).where(budget_use.c.until > now))).all()
        used = {(row.budget, row.since): row for row in rows}
        found = []
        for budget in self._known:
            period = self._period(budget, now)
            row = used.get((budget.id, period.since))
            spent, held, unknown = (row.spent, row.held, row.unknown) if row else (Decimal(0), Decimal(0), 0)
            found.append(
                Standing(budget=budget, since=period.since, until=period.until, spent=spent, held=held, unknown=unknown)
            )
        return tuple(found)

    async def for_spender(self, spender: Spender, now: datetime) -> tuple[Standing, ...]:
        """How far the budgets are used that a call of this spender would be on."""
        if not any(budget.counts(spender) for budget in await self.all()):
            return ()
        return tuple(standing for standing in await self.standing(now) if standing.budget.counts(spender))

    def hold(self, connection: sa.Connection, spender: Spender, at: datetime, most: Decimal | None, model: str) -> None:
        """Holds the most that a call may cost, on every budget that it is on; in the ledger's transaction.

        Raises OverBudget where a hard one has no room, or where nobody knows the most.
        """
        on = [(budget, self._period(budget, at)) for budget in self._on(spender)]
        for budget, period in on:
            if budget.hard and most is None:
                raise OverBudget(
                    f"“{model}” was not asked: its price is not known, so it cannot be held against {budget.name}. "
                    "State its `rates` on its card, or pick a model whose price is known.",
                    period.until,
                )
            if budget.hard and most is not None and most > budget.amount:
                raise OverBudget(_spent(budget, period, model, self._zone), period.until)
        if not most or not on:
            return
        changed = {"spent": Decimal(0), "held": most, "unknown": 0}
        rows = connection.execute(_holding(len(on)), _values(on, changed))
        held = set(rows.scalars())
        for budget, period in on:
            if budget.id not in held:
                raise OverBudget(_spent(budget, period, model, self._zone), period.until)

    def count(
        self,
        connection: sa.Connection,
        spender: Spender,
        at: datetime,
        *,
        released: Decimal,
        spent: Decimal,
        unknown: int = 0,
    ) -> None:
        """Counts what a held call came to; in the ledger's transaction."""
        on = [(budget, self._period(budget, at)) for budget in self._on(spender)]
        if on:
            changed = {"spent": spent, "held": Decimal(0), "unknown": unknown, "released": released}
            connection.execute(_counting(len(on)), _values(on, changed))

    async def ready(self) -> None:
        """Reads the budgets where that was long ago; to be awaited before a transaction that holds or counts."""
        await self.all()

    def _on(self, spender: Spender) -> list[Budget]:
        return [budget for budget in self._known if budget.counts(spender)]

    async def _recount(self, connection: AsyncConnection, budget: Budget, at: datetime) -> None:
        """Counts the ledger's rows of the running period once more: a budget may be set in the middle of it."""
        period = self._period(budget, at)
        within = [ledger.c.started_at >= period.since, ledger.c.started_at < period.until]
        if budget.scope != "workspace":
            within.append(_COLUMNS[budget.scope] == budget.key)
        is_open = ledger.c.outcome == OPEN
        free = is_open | (ledger.c.cost.is_(None) & ledger.c.outcome.in_(UNBILLED))
        # A call whose cost nobody knows may have been billed: as far as the budget goes, it was.
        spent = sa.case((free, 0), (ledger.c.cost.is_(None), ledger.c.reserved), else_=ledger.c.cost)
        sums = sa.select(
            sa.func.coalesce(sa.func.sum(sa.type_coerce(spent, sa.BigInteger)), 0).label("spent"),
            sa.func.coalesce(sa.func.sum(sa.type_coerce(ledger.c.reserved, sa.BigInteger)).filter(is_open), 0),
            sa.func.count().filter(ledger.c.cost.is_(None), sa.not_(free)),
        ).where(*within)
        row = (await connection.execute(sums)).one()
        values = {"spent": Decimal(row[0]).scaleb(-12), "held": Decimal(row[1]).scaleb(-12), "unknown": row[2]}
        statement = insert(connection, budget_use).values(
            budget=budget.id, since=period.since, until=period.until, told=0, **values
        )
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["budget", "since"], set_={**values, "told": 0})
        )

    def _period(self, budget: Budget, at: datetime) -> Period:
        name = _NAMES[budget.period]
        period = self._periods.get(name)
        if period is None or not period.since <= at < period.until:
            period = self._periods[name] = Period.whole(name, at, self._zone)
        return period

    async def _read(self, connection: AsyncConnection) -> None:
        order = (budgets.c.scope, budgets.c.key, budgets.c.period)
        rows: Iterable[sa.Row[tuple[object, ...]]] = await connection.execute(sa.select(budgets).order_by(*order))
        self._known = tuple(Budget(**row._mapping) for row in rows)


# One statement for all the budgets that a call is on, in plain words, which both databases read alike: SQLAlchemy makes
# an INSERT of several rows anew each time, and that takes longer than running it.
_ROW = "(:budget{0}, :since{0}, :until{0}, :spent, :held, :unknown, 0)"
_USE = """
INSERT INTO budget_use (budget, since, until, spent, held, unknown, told) VALUES {rows}
ON CONFLICT (budget, since) DO UPDATE SET """
_HOLD = """held = budget_use.held + excluded.held
WHERE NOT EXISTS (
    SELECT 1 FROM budgets WHERE budgets.id = budget_use.budget AND budgets.hard
    AND budgets.amount < budget_use.spent + budget_use.held + excluded.held
) RETURNING budget"""
_COUNT = """spent = budget_use.spent + excluded.spent, held = budget_use.held - :released,
unknown = budget_use.unknown + excluded.unknown"""


@cache
def _holding(count: int) -> sa.TextClause:
    """Adds to what is held of each budget that has room for it, or is soft; it returns those."""
    return _using(count, _HOLD)


@cache
def _counting(count: int) -> sa.TextClause:
    """Takes from what is held of each budget and adds to what is spent."""
    return _using(count, _COUNT).bindparams(sa.bindparam("released", type_=budget_use.c.held.type))


def _using(count: int, change: str) -> sa.TextClause:
    text = sa.text(_USE.format(rows=", ".join(_ROW.format(number) for number in range(count))) + change)
    numbered = [(f"{name}{number}", name) for number in range(count) for name in ("budget", "since", "until")]
    named = [*numbered, *((name, name) for name in ("spent", "held", "unknown"))]
    return text.bindparams(*(sa.bindparam(key, type_=budget_use.c[name].type) for key, name in named))


def _values(on: list[tuple[Budget, Period]], changed: dict[str, Any]) -> dict[str, Any]:
    for number, (budget, period) in enumerate(on):
        changed |= {f"budget{number}": budget.id, f"since{number}": period.since, f"until{number}": period.until}
    return changed


def _spent(budget: Budget, period: Period, model: str, zone: tzinfo) -> str:
    ends = period.until.astimezone(zone)
    return (
        f"“{model}” was not asked: {budget.name} has no room for it. A new one begins on {ends.day} {ends:%B}; an "
        "admin can raise it with `/cost budget`."
    )
