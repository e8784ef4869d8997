from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.ledger import Call, Ledger
from bot.domain import Price, Usage
from bot.storage.tables import ledger as table
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


async def test_settling_a_call_that_was_thought_lost_puts_it_right(ledger: Ledger) -> None:
    row = await ledger.open(call())
    await ledger.recover()
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
