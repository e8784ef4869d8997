"""What is kept of a finished day is what the ledger says, whatever happens to its rows later."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs import days as days_module
from bot.costs.days import DIRECT_MESSAGES, Bounds, Day, Days, days_between
from bot.costs.money import of_picodollars
from bot.storage.cost_tables import ledger, ledger_changes, ledger_days
from bot.storage.tables import questions

KATHMANDU = ZoneInfo("Asia/Kathmandu")  # three quarters of an hour beside all others
FIRST = datetime(2026, 3, 2, 12, tzinfo=UTC)
BOUNDS = days_between(FIRST, FIRST + timedelta(days=3), KATHMANDU)
MODELS, OUTCOMES = ("small", "large"), ("answered", "stopped", "timed_out", "rate_limited", "open")


def row(draw: random.Random, number: int) -> dict[str, object]:
    outcome = draw.choice(OUTCOMES)
    return {
        "question_id": f"q{draw.randrange(40)}",
        "purpose": draw.choice(("answer", "answer", "shadow")),
        "attempt": draw.choice((1, 1, 2)),
        "provider": "house",
        "model": draw.choice(MODELS),
        "strategy": draw.choice(("rag", None)),
        "channel": draw.choice(("C1", "C2", "D1", "G7", None)),
        "asker": draw.choice(("U1", "U2", None)),
        "started_at": FIRST + timedelta(minutes=draw.randrange(-720, 3 * 1440)),
        "prompt_tokens": draw.randrange(5000),
        "completion_tokens": draw.randrange(500),
        "estimated": False,
        "cost": None if draw.random() < 0.1 else Decimal(draw.randrange(10**9)).scaleb(-12),
        "outcome": outcome,
    }


@pytest.fixture
async def filled(engine: AsyncEngine) -> AsyncEngine:
    draw = random.Random(7)
    asked = {"text": "?", "asker": "U1", "workspace": "T1", "scopes": [], "asked_at": FIRST}
    async with engine.begin() as connection:
        group = [
            {"id": f"q{n}", "channel": "G7", "place_kind": "group_dm", **asked} for n in range(40)
        ]  # its id does not tell that it is one, only what was asked there
        await connection.execute(questions.insert(), group)
        await connection.execute(ledger.insert(), [row(draw, number) for number in range(400)])
    return engine


async def by_the_rows(engine: AsyncEngine, bounds: Bounds) -> dict[tuple[str, str], tuple[int, Decimal]]:
    """Calls and US dollars by model and outcome, added up here."""
    found: dict[tuple[str, str], tuple[int, Decimal]] = {}
    async with engine.connect() as connection:
        for each in await connection.execute(sa.select(ledger)):
            if bounds[0] <= each.started_at < bounds[1] and each.outcome != "open":
                calls, cost = found.get((each.model, each.outcome), (0, Decimal(0)))
                found[each.model, each.outcome] = (calls + 1, cost + (each.cost or 0))
    return found


def by_the_cells(day: Day) -> dict[tuple[str, str], tuple[int, Decimal]]:
    found: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for cell in day.cells:
        calls, cost = found.get((cell.model, cell.outcome), (0, Decimal(0)))
        found[cell.model, cell.outcome] = (calls + cell.calls, cost + of_picodollars(cell.cost))
    return found


async def kept(engine: AsyncEngine) -> dict[datetime, str]:
    async with engine.connect() as connection:
        return {each.since: each.token for each in await connection.execute(sa.select(ledger_days))}


async def marks(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return len((await connection.execute(sa.select(ledger_changes.c.id))).all())


async def test_days_are_what_their_rows_add_up_to_and_are_read_again_as_they_were_kept(filled: AsyncEngine) -> None:
    days = Days(filled)
    first = await days.read(BOUNDS)
    for bounds, day in zip(BOUNDS, first, strict=True):
        assert by_the_cells(day) == await by_the_rows(filled, bounds)
        places = {cell.place for cell in day.cells}
        assert places <= {"C1", "C2", DIRECT_MESSAGES, ""}
        assert DIRECT_MESSAGES in places
    before = await kept(filled)
    assert set(before) == {since for since, _ in BOUNDS}
    assert await marks(filled) == 0
    assert await days.read(BOUNDS) == first
    assert await kept(filled) == before


async def reprice(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.update(ledger).where(ledger.c.model == "small").values(cost=Decimal("0.5")))


async def settle(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        late = sa.update(ledger).where(ledger.c.outcome == "open")
        await connection.execute(late.values(outcome="answered", cost=Decimal("0.25")))


async def delete(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.delete(ledger).where(ledger.c.model == "large"))


async def add(engine: AsyncEngine) -> None:
    draw = random.Random(8)
    async with engine.begin() as connection:
        await connection.execute(ledger.insert(), [row(draw, number) for number in range(50)])


@pytest.mark.parametrize("change", [reprice, settle, delete, add])
async def test_what_is_kept_never_goes_stale(
    filled: AsyncEngine, change: Callable[[AsyncEngine], Awaitable[None]]
) -> None:
    days = Days(filled)
    before = await days.read(BOUNDS)
    await change(filled)
    after = await days.read(BOUNDS)
    assert after != before
    for bounds, day in zip(BOUNDS, after, strict=True):
        assert by_the_cells(day) == await by_the_rows(filled, bounds)
    assert await marks(filled) == 0


async def test_a_change_while_a_day_is_added_up_is_seen_the_next_time(
    filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = days_module._count

    async def slowly(connection: object, since: datetime, until: datetime) -> Day:
        day = await count(connection, since, until)  # type: ignore[arg-type]
        monkeypatch.setattr(days_module, "_count", count)
        await reprice(filled)
        return day

    monkeypatch.setattr(days_module, "_count", slowly)
    await Days(filled).read(BOUNDS[:1])
    (day,) = await Days(filled).read(BOUNDS[:1])
    assert by_the_cells(day) == await by_the_rows(filled, BOUNDS[0])


async def test_of_two_that_add_up_one_day_the_one_that_saw_less_keeps_nothing(
    filled: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = days_module._count

    async def overtaken(connection: object, since: datetime, until: datetime) -> Day:
        day = await count(connection, since, until)  # type: ignore[arg-type]
        monkeypatch.setattr(days_module, "_count", count)
        await reprice(filled)
        await Days(filled).read(BOUNDS[:1])  # another process, which sees the change and answers its mark
        return day

    monkeypatch.setattr(days_module, "_count", overtaken)
    await Days(filled).read(BOUNDS[:1])
    (day,) = await Days(filled).read(BOUNDS[:1])
    assert by_the_cells(day) == await by_the_rows(filled, BOUNDS[0])


async def test_at_night_every_day_that_is_over_is_kept_and_today_never(filled: AsyncEngine) -> None:
    now = datetime.now(UTC)
    async with filled.begin() as connection:
        await connection.execute(ledger.insert(), [row(random.Random(1), 0) | {"started_at": now}])
    days = Days(filled)
    wanted = [each for each in days_between(BOUNDS[0][0], now, KATHMANDU) if each[1] <= now - days_module.OVER]
    assert await days.keep(KATHMANDU) == len(wanted)
    assert set(await kept(filled)) == {since for since, _ in wanted}
    assert await days.keep(KATHMANDU) == 0
    await reprice(filled)
    assert await days.keep(KATHMANDU) == len(BOUNDS)


async def test_what_a_clock_kept_that_was_put_back_since_is_not_believed(filled: AsyncEngine) -> None:
    days = Days(filled)
    await days.read(BOUNDS)
    async with filled.begin() as connection:
        late = datetime.now(UTC) + timedelta(hours=5)
        nothing = {"form": 1, "cells": [], "answers": [], "dearest": [], "persons": []}
        await connection.execute(sa.update(ledger_days).values(kept_at=late, value=nothing))
    (day,) = await days.read(BOUNDS[:1])
    assert by_the_cells(day) == await by_the_rows(filled, BOUNDS[0])
    await days.keep(KATHMANDU)
    for bounds, each in zip(BOUNDS, await days.read(BOUNDS), strict=True):
        assert by_the_cells(each) == await by_the_rows(filled, bounds)


async def test_the_dearest_and_the_persons_of_a_day_are_exact(filled: AsyncEngine) -> None:
    (day, *_) = await Days(filled).read(BOUNDS)
    costs: dict[str, Decimal] = {}
    persons: dict[str, int] = {}
    async with filled.connect() as connection:
        for each in await connection.execute(sa.select(ledger)):
            if BOUNDS[0][0] <= each.started_at < BOUNDS[0][1] and each.outcome != "open":
                costs[each.question_id] = costs.get(each.question_id, Decimal(0)) + (each.cost or 0)
                if each.asker:
                    persons[each.asker] = persons.get(each.asker, 0) + 1
    dearest = sorted(costs.values(), reverse=True)[: days_module.DEAREST]
    assert [of_picodollars(cost) for _, cost in day.dearest] == dearest
    assert {person: calls for person, calls, _, _ in day.persons} == persons


def test_days_of_a_zone_follow_each_other_without_a_gap_where_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    bounds = days_between(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, 12, tzinfo=UTC), berlin)
    assert [since.astimezone(berlin).date() for since, _ in bounds] == [date(2026, 10, day) for day in (24, 25, 26)]
    assert [(until - since) / timedelta(hours=1) for since, until in bounds] == [24, 25, 24]
    assert all(before[1] == after[0] for before, after in pairwise(bounds))
