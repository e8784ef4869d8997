"""One row for every model call that goes out, written before it does and settled after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import REVISION, Budgets, Spender
from bot.costs.calls import Call, GroupBy, QuestionCost, Row, Total, dearest_first
from bot.costs.days import Days
from bot.costs.outcomes import GOOD, LOST, OPEN, UNBILLED
from bot.costs.owed import Owed
from bot.domain import COUNTS, Price, Usage
from bot.errors import OverBudget
from bot.storage.cost_tables import ledger
from bot.storage.one_writer import write
from bot.storage.tables import questions
from bot.worker import Worker, dead
from knowledge.uninterrupted import uninterrupted

_State = tuple[str, Decimal | None]
"""A call's outcome and cost."""

CALL_SECONDS = 900.0
"""No call takes longer: one that is still open after this was left by a process that ended."""
LEFT = "The process ended before the answer came."


class Watcher(Protocol):
    """Whoever wants to know of each call of this process."""

    def began(self, call: Call) -> None:
        """A call goes out."""
        ...

    def ended(
        self, call: Call, *, outcome: str, seconds: float, usage: Usage | None, price: Price, unpriced: bool
    ) -> None:
        """It came to an end. `unpriced`: it may have cost something that nobody knows."""
        ...


class Ledger:
    """The calls in SQL. Calls still under way count in no sum. `budgets` say what may go out (None: everything);
    `watcher` hears of every call; `worker`: the process that makes them."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        budgets: Budgets | None = None,
        watcher: Watcher | None = None,
        worker: Worker | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._worker = worker
        self._budgets = budgets or Budgets(engine)
        self.watcher = watcher
        self._owed = Owed(engine)
        self._running: set[int] = set()  # its own calls: whatever the clock does, they are not lost

    @property
    def days(self) -> Days:
        """The same calls, added up by days."""
        return Days(self._engine)

    async def open(self, call: Call) -> int:
        """Writes a call down before it goes out, and holds the most that it may cost; gives the row to settle.

        Raises OverBudget where a hard budget has no room: then nothing is written and nothing may go out.
        """
        values = {name: getattr(call, name) for name in Call.__slots__}
        values["worker"] = self._worker.id if self._worker else None

        def opened(connection: sa.Connection) -> int:
            row, *revision = connection.execute(_OPENED, values).one()
            self._budgets.catch_up(connection, *revision)
            self._budgets.hold(connection, call.spender, call.started_at, call.reserved, call.model)
            return int(row)

        writing = asyncio.create_task(write(self._engine, opened))
        try:
            row = await asyncio.shield(writing)
        except asyncio.CancelledError:
            await uninterrupted(self._take_back(writing))
            raise
        self._running.add(row)
        return row

    async def settle(self, row: int, *, outcome: str, seconds: float, usage: Usage | None, price: Price) -> None:
        """Writes down what became of a call. A price that is not known stays NULL, with why in its note.

        A call that was taken for lost, since it came back late, is put right. What the database does not take now is
        written with the next call that it takes.
        """
        values: dict[str, Any] = {
            "row": row,
            "outcome": outcome,
            "seconds": seconds,
            "cost": price.amount,
            "price_version": price.version,
            "note": " ".join(part for part in (usage.note if usage else "", price.why) if part) or None,
            "estimated": usage is not None and usage.estimated,
            "served": usage.served or None if usage else None,
            "request_id": usage.request_id or None if usage else None,
        }
        values |= {name: getattr(usage, name) if usage else None for name in COUNTS}

        def settled(connection: sa.Connection) -> None:
            # What it was before has to be known to count it once: open, or lost.
            for was in (OPEN, LOST):
                held = connection.execute(_SETTLED, values | {"was": was}).first()
                if held is not None:
                    self._count(connection, held, (was, None), (outcome, price.amount))
                    return

        try:
            await self._owed.write(row, settled)
        finally:
            self._running.discard(row)

    async def _take_back(self, opening: asyncio.Task[int]) -> None:
        """Removes a call that was given up before it went out."""
        with suppress(OverBudget):
            row = await opening

            def removed(connection: sa.Connection) -> None:
                gone = ledger.delete().where(ledger.c.id == row).returning(*_HELD)
                if (held := connection.execute(gone).first()) is not None:
                    self._count(connection, held, (OPEN, None), ("over_budget", None))

            await self._owed.write(row, removed)

    async def catch_up(self) -> None:
        """Writes down what the database did not take when it was settled; what it does not take now stays owed."""
        await self._owed.catch_up()

    async def recover(self) -> int:
        """Marks the calls that dead workers left open as lost; gives their number. Its own are never among them.

        A call that names no worker is lost once it is open for longer than any call takes.
        """
        await self.catch_up()
        if self._worker is not None:
            await write(self._engine, self._worker.bury)
        late = ledger.c.worker.is_(None) & (ledger.c.started_at < self._clock() - timedelta(seconds=CALL_SECONDS))
        left_behind = ledger.c.worker.is_not(None) & dead(ledger.c.worker)
        stale = sa.select(ledger.c.id).where(ledger.c.outcome == OPEN, late | left_behind)
        async with self._engine.connect() as connection:
            found = (await connection.execute(stale.order_by(ledger.c.id))).scalars().all()
        # One transaction each: several rows in one would lock the budgets in an order of their own.
        left = [row for row in found if row not in self._running and row not in self._owed]
        return sum([await write(self._engine, partial(self._lose, row)) for row in left])

    def _lose(self, row: int, connection: sa.Connection) -> int:
        held = connection.execute(_LOST, {"row": row}).first()
        if held is None:  # it came back in the meantime
            return 0
        self._count(connection, held, (OPEN, None), (LOST, None))
        return 1

    def _count(self, connection: sa.Connection, held: Any, was: _State, now: _State) -> None:
        """Moves a call from one state to the next on its budgets."""
        reserved = held.reserved or Decimal(0)
        self._budgets.catch_up(connection, held.budget_count, held.budget_set_at)
        (spent_before, unknown_before), (spent, unknown) = _charged(was, reserved), _charged(now, reserved)
        self._budgets.count(
            connection,
            Spender(channel=held.channel, person=held.asker, purpose=held.purpose),
            held.started_at,
            released=reserved if was[0] == OPEN else Decimal(0),
            spent=spent - spent_before,
            unknown=unknown - unknown_before,
        )

    async def correct(self, row: Row, price: Price, at: datetime) -> bool:
        """Gives a settled call another price, and keeps beside it what was first written down.

        False where the call has changed since it was read: then it stays as it is.
        """
        note = f"{row.note} It was priced again since." if row.note and row.cost is None else row.note
        values = {"row": row.id, "was": row.outcome, "read": row.cost, "at": at, "note": note}
        values |= {"cost": price.amount, "price_version": price.version}

        def corrected(connection: sa.Connection) -> bool:
            held = connection.execute(_CORRECTED, values).first()
            if held is not None:
                self._count(connection, held, (row.outcome, row.cost), (row.outcome, price.amount))
            return held is not None

        return await uninterrupted(write(self._engine, corrected))

    async def batches(self, since: datetime, *, model: str | None = None) -> AsyncIterator[list[Row]]:
        """The settled calls started since then, in the order in which they were written, a thousand at a time."""
        last = 0
        wanted = [ledger.c.started_at >= since, ledger.c.outcome != OPEN]
        wanted += [ledger.c.model == model] if model else []
        while True:
            rows = await self._rows(*wanted, ledger.c.id > last, order=(ledger.c.id,), most=1000)
            if not rows:
                return
            yield rows
            last = rows[-1].id

    async def total(
        self,
        since: datetime,
        until: datetime,
        *,
        by: GroupBy | None = None,
        purpose: str | None = None,
        asker: str | None = None,
    ) -> list[Total]:
        """Sums of the calls started in [since, until), dearest first; without `by` exactly one, of all of them.

        `purpose`, `asker`: of the calls of that purpose or for that person alone.
        """
        key = sa.func.coalesce(ledger.c[by], "") if by else sa.literal("")
        good = ledger.c.outcome.in_(GOOD)
        hidden = ledger.c.cost.is_(None) & ledger.c.outcome.not_in(UNBILLED)
        query = (
            sa.select(
                key.label("key"),
                sa.func.count().label("calls"),
                sa.func.count().filter(sa.not_(good)).label("failures"),
                sa.func.sum(ledger.c.cost).label("cost"),
                sa.func.count().filter(hidden).label("unknown"),
                sa.func.coalesce(sa.func.sum(ledger.c.prompt_tokens), 0).label("prompt_tokens"),
                sa.func.coalesce(sa.func.sum(ledger.c.completion_tokens), 0).label("completion_tokens"),
            )
            .where(
                *_settled(since, until),
                ledger.c.purpose == purpose if purpose else sa.true(),
                ledger.c.asker == asker if asker else sa.true(),
            )
            .group_by(sa.text("1"))
        )
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).all()
        totals = [
            Total(
                key=row.key,
                calls=row.calls,
                failures=row.failures,
                cost=row.cost or Decimal(0),
                unknown=row.unknown,
                prompt_tokens=int(row.prompt_tokens),
                completion_tokens=int(row.completion_tokens),
            )
            for row in found
        ]
        return dearest_first(totals) if by else totals or [Total(key="")]

    async def answers(self, since: datetime, until: datetime, *, asker: str | None = None) -> int:
        """How many questions got an answer from a model in [since, until); of one person alone where named."""
        query = sa.select(sa.func.count(sa.distinct(ledger.c.question_id))).where(
            *_settled(since, until),
            ledger.c.purpose == "answer",
            ledger.c.outcome.in_(GOOD),
            ledger.c.asker == asker if asker else sa.true(),
        )
        async with self._engine.connect() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def dearest_of(
        self, since: datetime, until: datetime, candidates: Sequence[str], count: int = 5
    ) -> list[QuestionCost]:
        """Of these questions those whose calls in [since, until) cost most, dearest first; those that cost nothing, or
        nobody knows, are no such."""
        query = (
            sa.select(
                questions.c.id,
                questions.c.channel,
                questions.c.place_kind,
                questions.c.asked_at,
                questions.c.answer_ts,
                ledger.c.cost,
                ledger.c.model,
            )
            .join(questions, questions.c.id == ledger.c.question_id)
            .where(*_settled(since, until), ledger.c.cost.is_not(None), ledger.c.question_id.in_(candidates))
            .order_by(ledger.c.id)
        )
        costs: dict[str, QuestionCost] = {}
        async with self._engine.connect() as connection:
            for row in await connection.execute(query):
                costs[row.id] = _joined(costs.get(row.id), row)
        paid = [question for question in costs.values() if question.cost]
        return sorted(paid, key=lambda question: (-question.cost, question.asked_at))[:count]

    async def rows(self, since: datetime, until: datetime) -> list[Row]:
        """Every settled call started in [since, until), oldest first."""
        return await self._rows(*_settled(since, until))

    async def of(self, question_id: str) -> list[Row]:
        """Every call for one question, oldest first; also those that are still under way."""
        return await self._rows(ledger.c.question_id == question_id)

    async def _rows(
        self,
        *conditions: sa.ColumnElement[bool],
        order: tuple[sa.ColumnElement[Any], ...] = (ledger.c.started_at, ledger.c.id),
        most: int | None = None,
    ) -> list[Row]:
        names = [name for name in Row.__slots__ if name != "place_kind"]
        query = (
            sa.select(*(ledger.c[name] for name in names), questions.c.place_kind)
            .join(questions, questions.c.id == ledger.c.question_id, isouter=True)
            .where(*conditions)
            .order_by(*order)
            .limit(most)
        )
        async with self._engine.connect() as connection:
            return [Row(**row) for row in (await connection.execute(query)).mappings()]


_HELD = (
    ledger.c.reserved,
    ledger.c.channel,
    ledger.c.asker,
    ledger.c.purpose,
    ledger.c.started_at,
    *REVISION,
)
# Made once: making a statement takes longer than running it.
_OPENED = ledger.insert().values(outcome=OPEN, estimated=False).returning(ledger.c.id, *REVISION)
_WRITTEN = ("outcome", "seconds", "cost", "price_version", "note", "estimated", "served", "request_id", *COUNTS)
_SETTLED = (
    ledger.update()
    .where(ledger.c.id == sa.bindparam("row"), ledger.c.outcome == sa.bindparam("was"))
    .values({name: sa.bindparam(name) for name in _WRITTEN})
    .returning(*_HELD)
)


_LOST = (
    ledger.update()
    .where(ledger.c.id == sa.bindparam("row"), ledger.c.outcome == OPEN)
    .values(outcome=LOST, note=LEFT)
    .returning(*_HELD)
)


_CORRECTED = (
    ledger.update()
    .where(
        ledger.c.id == sa.bindparam("row"),
        ledger.c.outcome == sa.bindparam("was"),
        ledger.c.cost.is_not_distinct_from(sa.bindparam("read", type_=ledger.c.cost.type)),
    )
    .values(
        cost=sa.bindparam("cost"),
        price_version=sa.bindparam("price_version"),
        note=sa.bindparam("note"),
        first_cost=sa.case((ledger.c.repriced_at.is_(None), ledger.c.cost), else_=ledger.c.first_cost),
        first_price_version=sa.case(
            (ledger.c.repriced_at.is_(None), ledger.c.price_version), else_=ledger.c.first_price_version
        ),
        repriced_at=sa.bindparam("at"),
    )
    .returning(*_HELD)
)


def _charged(state: _State, reserved: Decimal) -> tuple[Decimal, int]:
    """What a call in this state takes of a budget, and whether that is a guess.

    What nobody knows may have been billed: as far as a budget goes, it was.
    """
    outcome, cost = state
    if cost is not None or outcome == OPEN or outcome in UNBILLED:
        return cost or Decimal(0), 0
    return reserved, 1


def _settled(since: datetime, until: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (ledger.c.started_at >= since, ledger.c.started_at < until, ledger.c.outcome != OPEN)


def _joined(known: QuestionCost | None, row: Any) -> QuestionCost:
    models = known.models if known else ()
    return QuestionCost(
        question_id=row.id,
        channel=row.channel,
        place_kind=row.place_kind,
        asked_at=row.asked_at,
        answer_ts=row.answer_ts,
        cost=known.cost + row.cost if known else row.cost,
        calls=known.calls + 1 if known else 1,
        models=models if row.model in models else (*models, row.model),
    )
