"""Budgets: what may be spent, by whom, until when; and what was, counted in the ledger's own transactions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.audit import Action, Change, record
from bot.costs.budget import Budget, BudgetPeriod, BudgetScope, Difference, Spender, Standing, refusal
from bot.costs.periods import Period, PeriodName
from bot.costs.recount import counted
from bot.errors import OverBudget
from bot.storage.cost_tables import budget_use, budgets
from bot.storage.upsert import insert

__all__ = ["REVISION", "Budget", "BudgetPeriod", "BudgetScope", "Budgets", "Difference", "Spender", "Standing"]

_NAMES: dict[BudgetPeriod, PeriodName] = {"day": "today", "week": "week", "month": "month"}
REVISION: tuple[sa.ColumnElement[Any], ...] = (
    sa.select(sa.func.count()).select_from(budgets).scalar_subquery().label("budget_count"),
    sa.select(sa.func.max(budgets.c.set_at)).scalar_subquery().label("budget_set_at"),
)
"""What the ledger reads with each row that it writes: another number or moment, and the budgets are read anew."""


class Budgets:
    """The budgets in SQL. `zone`: whose calendar says what a day, a week and a month are."""

    def __init__(self, engine: AsyncEngine, zone: tzinfo = UTC) -> None:
        self._engine = engine
        self.zone = zone
        self._known: tuple[Budget, ...] = ()
        self._periods: dict[PeriodName, Period] = {}  # the last ones: reckoning with calendars takes its time

    async def all(self) -> tuple[Budget, ...]:
        """Every budget, by scope, key and period."""
        async with self._engine.connect() as connection:
            await self._read(connection)
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
        """Sets or changes the budget of this scope, key and period. What was spent of it already counts, and is not
        told of once more."""
        async with self._engine.begin() as connection:
            await _alone(connection)
            await self._read(connection)
            # No two have one moment, whatever the clock says: by the last one others see that something changed.
            set_at = max([at, *(known.set_at + timedelta(microseconds=1) for known in self._known)])
            values = {"amount": amount, "hard": hard, "reason": reason, "set_by": by, "set_at": set_at}
            statement = insert(connection, budgets).values(scope=scope, key=key, period=period, **values)
            statement = statement.on_conflict_do_update(index_elements=["scope", "key", "period"], set_=values)
            there = next((b for b in self._known if (b.scope, b.key, b.period) == (scope, key, period)), None)
            number: int = (await connection.execute(statement.returning(budgets.c.id))).scalar_one()
            await self._read(connection)
            budget = next(known for known in self._known if known.id == number)
            await self._recount(connection, budget, at)
            change = Change(
                action=Action.BUDGET_SET,
                subject=_whose(budget),
                before=_told(there),
                after=_told(budget),
                reason=reason,
            )
            await record(connection, change, by=by, at=set_at)
        return budget

    async def drop(self, budget_id: int, *, by: str, at: datetime) -> None:
        """Ends a budget; the ledger keeps what was spent."""
        async with self._engine.begin() as connection:
            await self._read(connection)
            budget = next((known for known in self._known if known.id == budget_id), None)
            if budget is None:
                return
            await connection.execute(sa.delete(budgets).where(budgets.c.id == budget_id))
            await connection.execute(sa.delete(budget_use).where(budget_use.c.budget == budget_id))
            await self._read(connection)
            change = Change(action=Action.BUDGET_DROPPED, subject=_whose(budget), before=_told(budget))
            await record(connection, change, by=by, at=at)

    async def standing(self, now: datetime) -> tuple[Standing, ...]:
        """How far each budget is used in the period of this moment."""
        async with self._engine.connect() as connection:
            await self._read(connection)
            return await self._standing(connection, self._known, now)

    async def for_spender(self, spender: Spender, now: datetime) -> tuple[Standing, ...]:
        """How far the budgets are used that a call of this spender would be on."""
        async with self._engine.connect() as connection:
            await self._read(connection)
            return await self._standing(connection, self._on(spender), now)

    async def verify(self, now: datetime) -> tuple[Difference, ...]:
        """The budgets whose count of this period is not what the ledger's rows come to; none where all is well."""
        found = []
        async with self._engine.begin() as connection:
            await _snapshot(connection)
            await self._read(connection)
            for standing in await self._standing(connection, self._known, now):
                budget = standing.budget
                rows = await counted(connection, budget.scope, budget.key, standing.since, standing.until)
                if (standing.spent, standing.held, standing.unknown) != (rows.spent, rows.held, rows.unknown):
                    found.append(Difference(standing, rows))
        return tuple(found)

    def catch_up(self, connection: sa.Connection, count: int, set_at: datetime | None) -> None:
        """Reads the budgets anew where another process changed them: where REVISION is not that of those known."""
        if (count, set_at) != (len(self._known), max((budget.set_at for budget in self._known), default=None)):
            self._load(connection)

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
                    budget.set_by,
                )
            if budget.hard and most is not None and most > budget.amount:
                raise refusal(budget, period.until, model, self.zone)
        if not most or not on:
            return
        changed = {"spent": Decimal(0), "held": most, "unknown": 0}
        rows = connection.execute(_holding(len(on)), _values(on, changed))
        held = set(rows.scalars())
        for budget, period in on:
            if budget.id not in held:
                raise refusal(budget, period.until, model, self.zone)

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

    def _on(self, spender: Spender) -> list[Budget]:
        return [budget for budget in self._known if budget.counts(spender)]

    async def _standing(
        self, connection: AsyncConnection, known: Sequence[Budget], now: datetime
    ) -> tuple[Standing, ...]:
        if not known:
            return ()
        rows = (await connection.execute(sa.select(budget_use).where(budget_use.c.until > now))).all()
        used = {(row.budget, row.since): row for row in rows}
        found = []
        for budget in known:
            period = self._period(budget, now)
            row = used.get((budget.id, period.since))
            values = {name: getattr(row, name) for name in ("spent", "held", "unknown", "told")} if row else {}
            found.append(Standing(budget=budget, since=period.since, until=period.until, **values))
        return tuple(found)

    async def _recount(self, connection: AsyncConnection, budget: Budget, at: datetime) -> None:
        """Counts the ledger's rows of the running period once more: a budget may be set in the middle of it."""
        period = self._period(budget, at)
        rows = await counted(connection, budget.scope, budget.key, period.since, period.until)
        now = Standing(budget=budget, since=period.since, until=period.until, spent=rows.spent)
        values = {"spent": rows.spent, "held": rows.held, "unknown": rows.unknown, "told": now.reached}
        statement = insert(connection, budget_use).values(
            budget=budget.id, since=period.since, until=period.until, **values
        )
        await connection.execute(statement.on_conflict_do_update(index_elements=["budget", "since"], set_=values))

    def _period(self, budget: Budget, at: datetime) -> Period:
        name = _NAMES[budget.period]
        period = self._periods.get(name)
        if period is None or not period.since <= at < period.until:
            period = self._periods[name] = Period.whole(name, at, self.zone)
        return period

    async def _read(self, connection: AsyncConnection) -> None:
        await connection.run_sync(self._load)

    def _load(self, connection: sa.Connection) -> None:
        order = (budgets.c.scope, budgets.c.key, budgets.c.period)
        rows = connection.execute(sa.select(budgets).order_by(*order))
        self._known = tuple(Budget(**row._mapping) for row in rows)


def _whose(budget: Budget) -> str:
    return f"{budget.scope} {budget.key}" if budget.key else "the workspace"


def _told(budget: Budget | None) -> str:
    return "" if budget is None else f"${budget.amount} a {budget.period}, {'hard' if budget.hard else 'soft'}"


async def _alone(connection: AsyncConnection) -> None:
    """Waits for the calls that are being written down, and lets others wait: a budget that is set counts them all."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.text("LOCK TABLE ledger IN SHARE MODE"))


async def _snapshot(connection: AsyncConnection) -> None:
    """Lets all that is read now be of one moment."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


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
