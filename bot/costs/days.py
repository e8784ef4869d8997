"""The ledger by days: every day's calls added up in one grouped scan, and kept once the day is over.

What is kept is always what the ledger says: the database marks each change of a call that began an hour ago or
earlier (a re-pricing, a call that settles late, an import), and a day with such a mark is added up again.
"""

from __future__ import annotations

import uuid
from array import array
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.costs.outcomes import GOOD, OPEN, UNBILLED
from bot.costs.periods import midnight
from bot.domain import PlaceKind
from bot.storage.cost_tables import ledger, ledger_changes, ledger_days
from bot.storage.tables import questions
from bot.storage.upsert import insert

DIRECT_MESSAGES = "direct messages"
"""Stands for all of them in a sum by channel: who talks to the bot alone is nobody else's business."""

OVER = timedelta(hours=2)
"""How long a day has to be over before it is kept. Changes are marked from one hour on, so none falls in between."""
DEAREST = 10
_FORM = 1
_AT_ONCE = 500
_STREAMED = 10_000

Bounds = tuple[datetime, datetime]
"""The first moment of a day and the first after it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Calls of one day that are alike. `place`: a channel, all direct messages, or "" for none; `strategy` "" for none.

    `cost` in picodollars (10⁻¹² US dollars), 0 where `priced` is false: then nobody knows what these calls cost.
    `retried`: how many were a second try or a later one, `retried_cost` what these cost.
    """

    provider: str
    model: str
    place: str
    strategy: str
    purpose: str
    outcome: str
    priced: bool
    calls: int
    cost: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    retried: int
    retried_cost: int

    @property
    def good(self) -> bool:
        """Whether these calls ended well."""
        return self.outcome in GOOD

    @property
    def unknown(self) -> int:
        """How many of them may have cost something that nobody knows."""
        return 0 if self.priced or self.outcome in UNBILLED else self.calls


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `answers`: by place, how many questions a model answered. `dearest`: ids of the questions whose calls
    cost most, with picodollars. `persons`: who asked, with calls, picodollars and calls of unknown cost."""

    since: datetime
    cells: tuple[Cell, ...] = ()
    answers: tuple[tuple[str, int], ...] = ()
    dearest: tuple[tuple[str, int], ...] = ()
    persons: tuple[tuple[str, int, int, int], ...] = ()

    @property
    def cost(self) -> int:
        """Picodollars of all calls whose price is known."""
        return sum(cell.cost for cell in self.cells)

    def within(self, place: str) -> Day:
        """What of it belongs to one place; without what cannot be told by place."""
        cells = tuple(cell for cell in self.cells if cell.place == place)
        return Day(self.since, cells, tuple(each for each in self.answers if each[0] == place))


class Days:
    """Reads days of the ledger. Calls still under way count nowhere."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def read(self, bounds: Sequence[Bounds]) -> list[Day]:
        """These days, which follow each other, in their order."""
        if not bounds:
            return []
        # The marks first: a day that is added up anew in between is then added up once more, never taken for clean.
        marks = await self._marks(bounds)
        kept = await self._kept(bounds[0][0], bounds[-1][1])
        days = []
        for each in bounds:
            token, day = kept.get(each, (None, None))
            if day is None or marks.get(each):
                day = await self._counted(each, token, marks.get(each, ()))
            days.append(day)
        return days

    async def keep(self, zone: tzinfo) -> int:
        """Adds up every finished day that is not kept as the ledger has it now; gives how many there were."""
        now = datetime.now(UTC)
        async with self._engine.begin() as connection:
            # Kept by a clock that was put back since.
            await connection.execute(sa.delete(ledger_days).where(ledger_days.c.kept_at > now))
            first = (await connection.execute(sa.select(sa.func.min(ledger.c.started_at)))).scalar_one()
        if first is None:
            return 0
        bounds = [each for each in days_between(first, now, zone) if _is_over(each[1], now)]
        if not bounds:
            return 0
        marks = await self._marks(bounds)
        have = await self._known(bounds[0][0], bounds[-1][1])
        missing = [each for each in bounds if each not in have or marks.get(each)]
        for each in missing:
            await self.read([each])
        return len(missing)

    async def _marks(self, bounds: Sequence[Bounds]) -> dict[Bounds, Sequence[int]]:
        """The ids of the marks of each day that has any; after a re-pricing there may be one for every call."""
        at = ledger_changes.c.started_at
        found: dict[Bounds, Sequence[int]] = {}
        async with self._engine.connect() as connection:
            within = sa.select(ledger_changes.c.id).where(at >= bounds[0][0], at < bounds[-1][1]).limit(1)
            if (await connection.execute(within)).first() is None:
                return {}
            for since, until in bounds:
                ids = array("q")
                query = sa.select(ledger_changes.c.id).where(at >= since, at < until)
                async for some in (await connection.stream(query)).scalars().partitions(_STREAMED):
                    ids.extend(some)
                if ids:
                    found[since, until] = ids
        return found

    async def _known(self, since: datetime, until: datetime) -> set[Bounds]:
        table = ledger_days.c
        query = sa.select(table.since, table.until).where(table.since >= since, table.until <= until)
        async with self._engine.connect() as connection:
            return {(row.since, row.until) for row in await connection.execute(query)}

    async def _kept(self, since: datetime, until: datetime) -> dict[Bounds, tuple[str, Day | None]]:
        table, now = ledger_days.c, datetime.now(UTC)
        query = sa.select(ledger_days).where(table.since >= since, table.until <= until)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return {
            (row.since, row.until): (
                row.token,
                _from_plain(row.since, row.value) if row.value["form"] == _FORM and row.kept_at <= now else None,
            )
            for row in rows
        }

    async def _counted(self, bounds: Bounds, token: str | None, changed: Sequence[int]) -> Day:
        since, until = bounds
        async with self._engine.connect() as connection:
            day = await _count(connection, since, until)
        if _is_over(until, datetime.now(UTC)):
            await self._keep(day, until, token, changed)
        return day

    async def _keep(self, day: Day, until: datetime, token: str | None, changed: Sequence[int]) -> None:
        """Keeps a day, unless another process did since its `token` was read; takes away the marks that it answers."""
        table = ledger_days.c
        values = {"token": uuid.uuid4().hex, "kept_at": datetime.now(UTC), "value": _plain(day)}
        async with self._engine.begin() as connection:
            statement: Any
            if token is None:
                new = insert(connection, ledger_days).values(since=day.since, until=until, **values)
                statement = new.on_conflict_do_nothing().returning(table.token)
            else:
                mine = (table.since == day.since) & (table.until == until) & (table.token == token)
                statement = sa.update(ledger_days).where(mine).values(**values).returning(table.token)
            if (await connection.execute(statement)).first() is None:
                return
            for start in range(0, len(changed), _AT_ONCE):
                ids = changed[start : start + _AT_ONCE]
                await connection.execute(sa.delete(ledger_changes).where(ledger_changes.c.id.in_(ids)))


def days_between(since: datetime, until: datetime, zone: tzinfo) -> list[Bounds]:
    """The days of a zone from the one that `since` lies in to the one that lies before `until`, or holds it."""
    day, bounds = since.astimezone(zone).date(), []
    while (start := midnight(day, zone)) < until:
        day += timedelta(days=1)
        bounds.append((start, midnight(day, zone)))
    return bounds


def _is_over(until: datetime, now: datetime) -> bool:
    return until <= now - OVER


async def _count(connection: AsyncConnection, since: datetime, until: datetime) -> Day:
    """One day by the ledger itself."""
    settled = (ledger.c.started_at >= since, ledger.c.started_at < until, ledger.c.outcome != OPEN)
    rows = [tuple(row) async for row in _cells(connection, settled)]
    kinds = await _kinds(connection, {row[-1] for row in rows if row[2] and row[-1]})
    direct = {row[2] for row in rows if kinds.get(row[-1]) in _ALONE}
    return Day(
        since=since,
        cells=_merged(rows, direct),
        answers=await _answers(connection, settled, direct),
        dearest=await _dearest(connection, settled),
        persons=await _persons(connection, settled),
    )


_ALONE = (PlaceKind.DM, PlaceKind.GROUP_DM)
# In Slack the id of a direct message begins with D; that of a group's does not tell.
_PLACE = sa.case(
    (ledger.c.channel.like("D%"), DIRECT_MESSAGES),
    else_=sa.func.coalesce(ledger.c.channel, ""),
)
_COST = sa.type_coerce(ledger.c.cost, sa.BigInteger)
_AGAIN = ledger.c.attempt > 1


def _total(column: sa.ColumnElement[Any], where: sa.ColumnElement[bool] | None = None) -> sa.ColumnElement[Any]:
    total = sa.func.sum(column) if where is None else sa.func.sum(column).filter(where)
    return sa.func.coalesce(sa.type_coerce(total, sa.BigInteger), 0)


async def _cells(connection: AsyncConnection, settled: Iterable[sa.ColumnElement[bool]]) -> AsyncIterator[sa.Row[Any]]:
    query = (
        sa.select(
            ledger.c.provider,
            ledger.c.model,
            _PLACE,
            sa.func.coalesce(ledger.c.strategy, ""),
            ledger.c.purpose,
            ledger.c.outcome,
            ledger.c.cost.is_not(None),
            sa.func.count(),
            _total(_COST),
            _total(ledger.c.prompt_tokens),
            _total(ledger.c.completion_tokens),
            _total(ledger.c.cached_tokens),
            sa.func.count().filter(_AGAIN),
            _total(_COST, _AGAIN),
            sa.func.max(ledger.c.question_id),
        )
        .where(*settled)
        .group_by(*map(sa.text, "1234567"))
    )
    async for row in await connection.stream(query):
        yield row


def _merged(rows: Iterable[tuple[Any, ...]], direct: Collection[str]) -> tuple[Cell, ...]:
    """The rows as cells, with the direct messages as one place."""
    sums: dict[tuple[Any, ...], list[int]] = {}
    for provider, model, place, strategy, purpose, outcome, priced, *counts, _ in rows:
        place = DIRECT_MESSAGES if place in direct else place
        key = (provider, model, place, strategy, purpose, outcome, bool(priced))
        known = sums.setdefault(key, [0] * len(counts))
        for number, count in enumerate(counts):
            known[number] += int(count)
    return tuple(Cell(*key, *counts) for key, counts in sums.items())


async def _kinds(connection: AsyncConnection, ids: Collection[str]) -> dict[str, str]:
    """The kind of place in which each question was asked."""
    found: dict[str, str] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        some = questions.c.id.in_(wanted[start : start + _AT_ONCE])
        for row in await connection.execute(sa.select(questions.c.id, questions.c.place_kind).where(some)):
            found[row.id] = row.place_kind
    return found


async def _answers(
    connection: AsyncConnection, settled: Iterable[sa.ColumnElement[bool]], direct: Collection[str]
) -> tuple[tuple[str, int], ...]:
    query = (
        sa.select(_PLACE, sa.func.count(sa.distinct(ledger.c.question_id)))
        .where(*settled, ledger.c.purpose == "answer", ledger.c.outcome.in_(GOOD))
        .group_by(sa.text("1"))
    )
    found: dict[str, int] = {}
    for place, count in await connection.execute(query):
        place = DIRECT_MESSAGES if place in direct else place
        found[place] = found.get(place, 0) + count
    return tuple(found.items())


async def _dearest(
    connection: AsyncConnection, settled: Iterable[sa.ColumnElement[bool]]
) -> tuple[tuple[str, int], ...]:
    cost = sa.func.sum(_COST)
    query = (
        sa.select(ledger.c.question_id, sa.type_coerce(cost, sa.BigInteger))
        .where(*settled, ledger.c.question_id.is_not(None), _COST > 0)
        .group_by(ledger.c.question_id)
        .order_by(cost.desc(), ledger.c.question_id)
        .limit(DEAREST)
    )
    return tuple((row[0], int(row[1])) for row in await connection.execute(query))


async def _persons(
    connection: AsyncConnection, settled: Iterable[sa.ColumnElement[bool]]
) -> tuple[tuple[str, int, int, int], ...]:
    hidden = ledger.c.cost.is_(None) & ledger.c.outcome.not_in(UNBILLED)
    query = (
        sa.select(ledger.c.asker, sa.func.count(), _total(_COST), sa.func.count().filter(hidden))
        .where(*settled, ledger.c.asker.is_not(None), ledger.c.asker != "")
        .group_by(ledger.c.asker)
    )
    return tuple((row[0], row[1], int(row[2]), row[3]) for row in await connection.execute(query))


def _plain(day: Day) -> dict[str, object]:
    names = cast(Sequence[str], Cell.__slots__)
    return {
        "form": _FORM,
        "cells": [[getattr(cell, name) for name in names] for cell in day.cells],
        "answers": day.answers,
        "dearest": day.dearest,
        "persons": day.persons,
    }


def _from_plain(since: datetime, value: dict[str, Any]) -> Day:
    return Day(
        since=since,
        cells=tuple(Cell(*each) for each in value["cells"]),
        answers=tuple(map(tuple, value["answers"])),
        dearest=tuple(map(tuple, value["dearest"])),
        persons=tuple(map(tuple, value["persons"])),
    )
