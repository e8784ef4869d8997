"""One row for every model call that goes out, written before it does and settled after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.costs.budgets import Budgets, Spender
from bot.costs.days import Days
from bot.costs.outcomes import GOOD, LOST, OPEN, UNBILLED
from bot.domain import COUNTS, Price, Usage
from bot.storage.tables import ledger, questions

GroupBy = Literal["model", "strategy", "channel", "provider", "purpose"]

CALL_SECONDS = 900.0
"""No call takes longer: one that is still open after this was left by a process that ended."""
LEFT = "The process ended before the answer came."


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A model call that is about to go out. `purpose`: "answer", "draft" (an answer that is shown only where its model
    was sure of it), "rewrite", "embedding", "evaluate", "judge", "shadow", "transcribe", "image", "compare" or
    "fine_tune". `reserved`: the most US dollars that it may cost, None where nobody knows."""

    question_id: str | None
    purpose: str
    attempt: int
    provider: str
    model: str
    strategy: str | None
    channel: str | None
    asker: str | None
    started_at: datetime
    workspace: str | None = None
    reserved: Decimal | None = None

    @property
    def spender(self) -> Spender:
        """Whose budgets it is on."""
        return Spender(channel=self.channel, person=self.asker, purpose=self.purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a group of calls cost together. `key` is "" for calls that have none (embedding has no strategy).

    `cost`: exact US dollars of the calls whose price is known. `unknown`: how many others there are that may have
    cost something.
    """

    key: str
    calls: int = 0
    failures: int = 0
    cost: Decimal = Decimal(0)
    unknown: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Total) -> Total:
        """Both together, under the first one's key."""
        return Total(
            key=self.key,
            calls=self.calls + other.calls,
            failures=self.failures + other.failures,
            cost=self.cost + other.cost,
            unknown=self.unknown + other.unknown,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A call as it is shown and exported. What it took and cost is None while it is under way."""

    id: int
    question_id: str | None
    purpose: str
    attempt: int
    provider: str
    model: str
    strategy: str | None
    channel: str | None
    place_kind: str | None
    started_at: datetime
    seconds: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    estimated: bool
    cost: Decimal | None
    price_version: str | None
    outcome: str
    cache_written_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    audio_ms: int | None = None
    images: int | None = None
    served: str | None = None
    request_id: str | None = None
    note: str | None = None
    reserved: Decimal | None = None
    first_cost: Decimal | None = None
    first_price_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCost:
    """What the calls for one question cost whose price is known, and where it was asked; never its text."""

    question_id: str
    channel: str
    place_kind: str
    asked_at: datetime
    answer_ts: str | None
    cost: Decimal
    calls: int
    models: tuple[str, ...]


class Ledger:
    """The calls in SQL. Calls still under way count in no sum. `budgets` say what may go out (None: everything)."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        budgets: Budgets | None = None,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._opened_at = clock()
        self._budgets = budgets or Budgets(engine)

    @property
    def days(self) -> Days:
        """The same calls, added up by days."""
        return Days(self._engine)

    async def open(self, call: Call) -> int:
        """Writes a call down before it goes out, and holds the most that it may cost; gives the row to settle.

        Raises OverBudget where a hard budget has no room: then nothing is written and nothing may go out.
        """
        values = {name: getattr(call, name) for name in Call.__slots__}
        await self._budgets.ready()
        async with self._engine.begin() as connection:
            result = await connection.execute(
                ledger.insert().values(**values, outcome=OPEN, estimated=False).returning(ledger.c.id)
            )
            row: int = result.scalar_one()
            await self._budgets.hold(connection, call.spender, call.started_at, call.reserved, call.model)
        return row

    async def settle(self, row: int, *, outcome: str, seconds: float, usage: Usage | None, price: Price) -> None:
        """Writes down what became of a call. A price that is not known stays NULL, with why in its note.

        A call that was taken for lost, since it came back late, is put right.
        """
        values: dict[str, object] = {
            "outcome": outcome,
            "seconds": seconds,
            "cost": price.amount,
            "price_version": price.version,
            "note": " ".join(part for part in (usage.note if usage else "", price.why) if part) or None,
        }
        if usage is not None:
            values |= {name: getattr(usage, name) for name in COUNTS}
            values |= {"estimated": usage.estimated, "served": usage.served or None}
            values |= {"request_id": usage.request_id or None}
        await self._budgets.ready()
        async with self._engine.begin() as connection:
            change = ledger.update().where(ledger.c.id == row)
            # What it was before has to be known to count it once: open, or lost.
            done = await connection.execute(change.where(ledger.c.outcome == OPEN).values(values).returning(*_HELD))
            held = done.first()
            was_lost = held is None
            if held is None:
                held = (await connection.execute(sa.select(*_HELD).where(ledger.c.id == row))).one()
                await connection.execute(change.values(values))
            await self._count(connection, held, outcome, price.amount, was_lost=was_lost)

    async def recover(self) -> int:
        """Marks the calls that a dead process left open as lost; gives their number.

        In SQLite, which one process has for itself, those are all that were opened before this ledger was made;
        elsewhere those that are open for longer than any call takes.
        """
        alone = self._engine.dialect.name == "sqlite"
        late = self._clock() - timedelta(seconds=CALL_SECONDS)
        before = max(self._opened_at, late) if alone else late
        stale = (ledger.c.outcome == OPEN) & (ledger.c.started_at < before)
        await self._budgets.ready()
        async with self._engine.begin() as connection:
            change = ledger.update().where(stale).values(outcome=LOST, note=LEFT)
            left = (await connection.execute(change.returning(*_HELD))).all()
            for held in left:
                await self._count(connection, held, LOST, None)
        return len(left)

    async def _count(
        self,
        connection: AsyncConnection,
        held: sa.Row[Any],
        outcome: str,
        cost: Decimal | None,
        *,
        was_lost: bool = False,
    ) -> None:
        reserved = held.reserved or Decimal(0)
        # What nobody knows may have been billed: as far as a budget goes, it was.
        spent = (Decimal(0) if outcome in UNBILLED else reserved) if cost is None else cost
        unknown = int(cost is None and outcome not in UNBILLED)
        spender = Spender(channel=held.channel, person=held.asker, purpose=held.purpose)
        await self._budgets.count(
            connection,
            spender,
            held.started_at,
            released=Decimal(0) if was_lost else reserved,
            spent=spent - (reserved if was_lost else Decimal(0)),
            unknown=unknown - int(was_lost),
        )

    async def total(
        self, since: datetime, until: datetime, *, by: GroupBy | None = None, purpose: str | None = None
    ) -> list[Total]:
        """Sums of the calls started in [since, until), dearest first; without `by` exactly one, of all of them.

        `purpose`: of the calls of that purpose alone.
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
            .where(*_settled(since, until), ledger.c.purpose == purpose if purpose else sa.true())
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

    async def answers(self, since: datetime, until: datetime) -> int:
        """How many questions got an answer from a model in [since, until)."""
        query = sa.select(sa.func.count(sa.distinct(ledger.c.question_id))).where(
            *_settled(since, until), ledger.c.purpose == "answer", ledger.c.outcome.in_(GOOD)
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

    async def _rows(self, *conditions: sa.ColumnElement[bool]) -> list[Row]:
        names = [name for name in Row.__slots__ if name != "place_kind"]
        query = (
            sa.select(*(ledger.c[name] for name in names), questions.c.place_kind)
            .join(questions, questions.c.id == ledger.c.question_id, isouter=True)
            .where(*conditions)
            .order_by(ledger.c.started_at, ledger.c.id)
        )
        async with self._engine.connect() as connection:
            return [Row(**row) for row in (await connection.execute(query)).mappings()]


_HELD = (
    ledger.c.reserved,
    ledger.c.channel,
    ledger.c.asker,
    ledger.c.purpose,
    ledger.c.started_at,
)


def dearest_first(totals: Iterable[Total]) -> list[Total]:
    """By cost, then by number of calls, then by name."""
    return sorted(totals, key=lambda total: (-total.cost, -total.calls, total.key))


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
