import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import Budgets
from bot.costs.calls import Call
from bot.costs.ledger import CALL_SECONDS, Ledger
from bot.costs.prices import PriceBook
from bot.domain import Price, Usage
from bot.gate import Gate
from bot.jobs.lost_job import lost_job
from bot.models.cards import CardRates, ModelCard
from bot.storage.cost_tables import ledger as table
from bot.storage.tables import questions

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
NEXT = MONDAY + timedelta(days=7)
LIST = "genai-prices 0"


def call(**changes: Any) -> Call:
    values: dict[str, Any] = {
        "question_id": None,
        "purpose": "answer",
        "attempt": 1,
        "provider": "openai",
        "model": "small",
        "strategy": "rag",
        "channel": "C1",
        "asker": "U1",
        "started_at": MONDAY + timedelta(hours=9),
    }
    return Call(**(values | changes))


async def settled(
    ledger: Ledger, cost: str | None, *, outcome: str = "answered", tokens: int = 10, **changes: Any
) -> int:
    row = await ledger.open(call(**changes))
    price = Price(amount=None if cost is None else Decimal(cost), version=None if cost is None else LIST)
    usage = Usage(prompt_tokens=tokens, completion_tokens=1)
    await ledger.settle(row, outcome=outcome, seconds=1.5, usage=usage, price=price)
    return row


async def asked(engine: AsyncEngine, id: str, *, channel: str = "C1", kind: str = "channel") -> None:
    async with engine.begin() as connection:
        await connection.execute(
            questions.insert().values(
                id=id,
                text="a secret question",
                asker="U1",
                workspace="T1",
                channel=channel,
                place_kind=kind,
                scopes=["everyone"],
                private=False,
                asked_at=MONDAY,
                answer_ts="17.1",
            )
        )


@pytest.fixture
def ledger(engine: AsyncEngine) -> Ledger:
    return Ledger(engine, clock=lambda: NEXT)


async def test_sums_are_exact_to_the_last_digit(ledger: Ledger) -> None:
    for cost in ("0.1", "0.2", "0.000000000001", "1234567.1", "0.1"):
        await settled(ledger, cost)
    (total,) = await ledger.total(MONDAY, NEXT)
    assert total.cost == Decimal("1234567.500000000001")
    assert total.calls == 5
    assert total.prompt_tokens == 50
    assert total.completion_tokens == 5


async def test_an_unknown_price_stays_null_and_is_counted_not_added(ledger: Ledger, engine: AsyncEngine) -> None:
    await settled(ledger, "0.5")
    row = await settled(ledger, None)
    (total,) = await ledger.total(MONDAY, NEXT)
    assert (total.cost, total.unknown, total.failures) == (Decimal("0.5"), 1, 0)
    async with engine.connect() as connection:
        stored = (await connection.execute(sa.select(table.c.cost, table.c.price_version).filter_by(id=row))).one()
    assert tuple(stored) == (None, None)


async def test_a_price_of_zero_is_known(ledger: Ledger) -> None:
    await settled(ledger, "0", model="offline")
    (total,) = await ledger.total(MONDAY, NEXT, by="model")
    assert (total.key, total.cost, total.unknown) == ("offline", Decimal(0), 0)


async def test_a_call_that_was_turned_down_is_a_failure_without_an_unknown_cost(ledger: Ledger) -> None:
    await settled(ledger, None, outcome="rate_limited")
    await settled(ledger, None, outcome="timed_out")
    (total,) = await ledger.total(MONDAY, NEXT)
    assert (total.failures, total.unknown) == (2, 1)


async def test_a_stopped_answer_is_no_failure(ledger: Ledger) -> None:
    await settled(ledger, "0.1", outcome="stopped")
    (total,) = await ledger.total(MONDAY, NEXT)
    assert total.failures == 0


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("model", ["large", "small"]),
        ("strategy", ["rag", ""]),
        ("channel", ["C2", "C1"]),
        ("provider", ["openai", "mistral"]),
    ],
)
async def test_totals_come_by_group_the_dearest_first(ledger: Ledger, by: Any, keys: list[str]) -> None:
    await settled(ledger, "1", channel="C1", strategy=None, purpose="embedding", provider="mistral")
    await settled(ledger, "2", channel="C2", model="large")
    totals = await ledger.total(MONDAY, NEXT, by=by)
    assert [total.key for total in totals] == keys
    assert [total.cost for total in totals] == [Decimal(2), Decimal(1)]


async def test_a_period_holds_its_start_and_not_its_end(ledger: Ledger) -> None:
    await settled(ledger, "1", started_at=MONDAY)
    await settled(ledger, "2", started_at=NEXT)
    await settled(ledger, "4", started_at=MONDAY - timedelta(microseconds=1))
    (total,) = await ledger.total(MONDAY, NEXT)
    assert total.cost == 1


async def test_an_empty_period_has_one_total_of_nothing(ledger: Ledger) -> None:
    (total,) = await ledger.total(MONDAY, NEXT)
    assert (total.calls, total.cost) == (0, Decimal(0))
    assert await ledger.total(MONDAY, NEXT, by="model") == []


async def test_a_call_still_under_way_counts_in_no_sum(ledger: Ledger) -> None:
    await ledger.open(call())
    (total,) = await ledger.total(MONDAY, NEXT)
    assert total.calls == 0
    assert await ledger.rows(MONDAY, NEXT) == []


async def test_calls_of_a_dead_process_are_marked_lost_and_their_cost_unknown(
    ledger: Ledger, engine: AsyncEngine
) -> None:
    before = await ledger.open(call())
    during = await ledger.open(call(started_at=NEXT))
    done = await settled(ledger, "1")
    assert await Ledger(engine, clock=lambda: NEXT).recover() == 1
    async with engine.connect() as connection:
        outcomes = dict((await connection.execute(sa.select(table.c.id, table.c.outcome))).all())
    assert outcomes == {before: "lost", during: "open", done: "answered"}
    (total,) = await ledger.total(MONDAY, NEXT)
    assert (total.unknown, total.failures) == (1, 1)


async def test_settling_a_call_that_was_thought_lost_puts_it_right(ledger: Ledger, engine: AsyncEngine) -> None:
    row = await ledger.open(call())
    assert await Ledger(engine, clock=lambda: NEXT).recover() == 1
    await ledger.settle(row, outcome="answered", seconds=1, usage=None, price=Price(amount=Decimal(3), version=LIST))
    (total,) = await ledger.total(MONDAY, NEXT)
    assert (total.cost, total.failures, total.unknown) == (Decimal(3), 0, 0)


async def test_answered_questions_are_counted_once_whatever_number_of_calls(ledger: Ledger) -> None:
    await settled(ledger, "1", question_id="q1", outcome="timed_out")
    await settled(ledger, "1", question_id="q1", attempt=2)
    await settled(ledger, "1", question_id="q1", purpose="judging")
    await settled(ledger, "1", question_id="q2", purpose="routing")
    assert await ledger.answers(MONDAY, NEXT) == 1


async def test_the_dearest_questions_tell_where_and_when_but_never_what(ledger: Ledger, engine: AsyncEngine) -> None:
    for id in ("cheap", "dear", "free"):
        await asked(engine, id)
    await settled(ledger, "0.01", question_id="cheap")
    await settled(ledger, "0.2", question_id="dear")
    await settled(ledger, "0.3", question_id="dear", model="large", attempt=2)
    await settled(ledger, None, question_id="dear")
    await settled(ledger, "0", question_id="free")
    candidates = ["cheap", "dear", "free"]
    found = await ledger.dearest_of(MONDAY, NEXT, candidates)
    assert [(question.question_id, question.cost, question.calls) for question in found] == [
        ("dear", Decimal("0.5"), 2),
        ("cheap", Decimal("0.01"), 1),
    ]
    assert found[0].models == ("small", "large")
    assert (found[0].channel, found[0].answer_ts) == ("C1", "17.1")
    assert "secret" not in repr(found)
    assert len(await ledger.dearest_of(MONDAY, NEXT, candidates, count=1)) == 1


async def test_rows_hold_all_that_a_call_left(ledger: Ledger, engine: AsyncEngine) -> None:
    await asked(engine, "q1")
    row = await ledger.open(call(question_id="q1"))
    usage = Usage(prompt_tokens=5, completion_tokens=4, cached_tokens=3, reasoning_tokens=2, estimated=True)
    await ledger.settle(
        row, outcome="answered", seconds=0.25, usage=usage, price=Price(amount=Decimal("0.0000001"), version=LIST)
    )
    (found,) = await ledger.rows(MONDAY, NEXT)
    assert (found.id, found.place_kind, found.cost, found.price_version) == (row, "channel", Decimal("1E-7"), LIST)
    assert (found.prompt_tokens, found.completion_tokens, found.cached_tokens, found.reasoning_tokens) == (5, 4, 3, 2)
    assert found.estimated
    assert found.seconds == 0.25


async def test_a_replica_marks_what_a_dead_one_left_and_leaves_running_calls_of_the_others_alone(
    postgres_engine: AsyncEngine,
) -> None:
    now = NEXT
    dead = Ledger(postgres_engine, clock=lambda: now)
    long_ago = await dead.open(call(started_at=now - timedelta(seconds=CALL_SECONDS + 1)))
    of_another = await dead.open(call(started_at=now - timedelta(seconds=CALL_SECONDS - 1)))
    await lost_job(Ledger(postgres_engine, clock=lambda: now))(now)
    assert await outcomes(postgres_engine) == {long_ago: "lost", of_another: "open"}


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(hours=2)])
async def test_whatever_the_clock_does_a_process_never_takes_its_own_running_calls_for_lost(
    engine: AsyncEngine, jump: timedelta
) -> None:
    now = [NEXT]
    ledger = Ledger(engine, clock=lambda: now[0])
    now[0] += jump
    row = await ledger.open(call(started_at=now[0]))
    now[0] += jump
    await lost_job(ledger)(now[0])
    assert await outcomes(engine) == {row: "open"}
    await ledger.settle(row, outcome="answered", seconds=1, usage=None, price=Price(amount=None, version=None))
    assert await outcomes(engine) == {row: "answered"}


async def test_a_call_that_ends_twice_is_counted_once(ledger: Ledger, engine: AsyncEngine) -> None:
    budgets = Budgets(engine)
    await budgets.set("workspace", "", "month", Decimal(9), hard=False, by="U1", at=MONDAY)
    counted = Ledger(engine, clock=lambda: NEXT, budgets=budgets)
    row = await counted.open(call(reserved=Decimal(2)))
    assert await Ledger(engine, clock=lambda: NEXT, budgets=budgets).recover() == 1
    (standing,) = await budgets.standing(MONDAY)
    assert (standing.spent, standing.held, standing.unknown) == (Decimal(2), Decimal(0), 1)
    for cost in ("0.5", "0.7"):  # it comes back late, and then once more
        price = Price(amount=Decimal(cost), version=LIST)
        await counted.settle(row, outcome="answered", seconds=1, usage=None, price=price)
    (standing,) = await budgets.standing(MONDAY)
    assert (standing.spent, standing.held, standing.unknown) == (Decimal("0.5"), Decimal(0), 0)
    (total,) = await ledger.total(MONDAY, NEXT)
    assert total.cost == Decimal("0.5")


async def test_a_call_given_up_before_it_went_out_leaves_nothing_behind(engine: AsyncEngine) -> None:
    budgets = Budgets(engine)
    await budgets.set("workspace", "", "month", Decimal(9), hard=True, by="U1", at=MONDAY)
    ledger = Ledger(engine, budgets=budgets)
    opening = [asyncio.create_task(ledger.open(call(reserved=Decimal(2)))) for _ in range(3)]
    await asyncio.sleep(0)
    opening[1].cancel()
    kept = await asyncio.gather(*opening, return_exceptions=True)
    assert isinstance(kept[1], asyncio.CancelledError)
    assert await outcomes(engine) == {kept[0]: "open", kept[2]: "open"}
    (standing,) = await budgets.standing(MONDAY)
    assert standing.held == 4


async def test_settling_goes_to_its_end_though_whoever_waits_is_stopped(ledger: Ledger, engine: AsyncEngine) -> None:
    row = await ledger.open(call())
    price = Price(amount=Decimal(1), version=LIST)
    settling = asyncio.create_task(ledger.settle(row, outcome="stopped", seconds=1, usage=None, price=price))
    await asyncio.sleep(0)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert await outcomes(engine) == {row: "stopped"}


async def test_a_clock_that_jumps_back_over_midnight_leaves_the_call_in_the_period_that_it_began_in(
    engine: AsyncEngine,
) -> None:
    now = [MONDAY + timedelta(minutes=1)]
    budgets = Budgets(engine)
    await budgets.set("workspace", "", "day", Decimal(9), hard=True, by="U1", at=now[0])
    gate = Gate(ledger=Ledger(engine, lambda: now[0], budgets), prices=PriceBook(), clock=lambda: now[0])
    card = ModelCard(name="own", provider="house", context_window=9, rates=CardRates(image=Decimal("0.25")))
    async with gate.call(card, "image", Usage(prompt_tokens=0, completion_tokens=0, images=4)) as current:
        now[0] -= timedelta(hours=1)
        current.usage = Usage(prompt_tokens=0, completion_tokens=0, images=1)
    (row,) = await Ledger(engine).rows(MONDAY, NEXT)
    assert row.cost == Decimal("0.25")
    assert row.seconds is not None
    assert row.seconds >= 0
    (began,) = await budgets.standing(MONDAY)
    assert (began.spent, began.held) == (Decimal("0.25"), Decimal(0))
    (before,) = await budgets.standing(now[0])
    assert (before.spent, before.held) == (Decimal(0), Decimal(0))


async def outcomes(engine: AsyncEngine) -> dict[int, str]:
    async with engine.connect() as connection:
        return dict((await connection.execute(sa.select(table.c.id, table.c.outcome))).all())


_NO_ROOM = {
    "sqlite": ("CREATE TRIGGER no_room BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'no room'); END",),
    "postgresql": (
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$",
        "CREATE TRIGGER no_room BEFORE UPDATE ON ledger FOR EACH ROW EXECUTE FUNCTION no_room()",
    ),
}
_ROOM = {"sqlite": "DROP TRIGGER no_room", "postgresql": "DROP TRIGGER no_room ON ledger"}


async def test_a_call_whose_end_the_database_did_not_take_is_settled_with_the_next_that_it_takes(
    engine: AsyncEngine,
) -> None:
    budgets = Budgets(engine)
    await budgets.set("workspace", "", "month", Decimal(9), hard=False, by="U1", at=MONDAY)
    ledger = Ledger(engine, budgets=budgets)
    rows = [await ledger.open(call(reserved=Decimal(2))) for _ in range(3)]
    async with engine.begin() as connection:
        for statement in _NO_ROOM[engine.dialect.name]:
            await connection.execute(sa.text(statement))
    price = Price(amount=Decimal("0.5"), version=LIST)
    for row in rows[:2]:
        await ledger.settle(row, outcome="answered", seconds=1, usage=None, price=price)
    assert await outcomes(engine) == dict.fromkeys(rows, "open")
    async with engine.begin() as connection:
        await connection.execute(sa.text(_ROOM[engine.dialect.name]))
    await ledger.settle(rows[2], outcome="answered", seconds=1, usage=None, price=price)
    assert await outcomes(engine) == dict.fromkeys(rows, "answered")
    (standing,) = await budgets.standing(MONDAY)
    assert (standing.spent, standing.held) == (Decimal("1.5"), Decimal(0))
