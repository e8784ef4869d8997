"""A corrected price: calls are priced again from what the ledger kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import Budgets
from bot.costs.calls import Call, Row
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.costs.repricing import reprice
from bot.domain import Price, Rates, Usage

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
RATES = Rates(input=Decimal(2), output=Decimal(10), cached_input=Decimal(1), version="override from 2026-11-01")


def right(_: Row, usage: Usage) -> Price:
    return PriceBook().price("openai", "small", usage, rates=RATES)


async def settled(ledger: Ledger, cost: str | None, outcome: str = "answered", **changes: Any) -> int:
    usage = Usage(prompt_tokens=1_000, completion_tokens=100, cached_tokens=400, estimated=bool(changes.pop("est", 0)))
    values: dict[str, Any] = {"question_id": "q1", "purpose": "answer", "attempt": 1, "provider": "openai"}
    values |= {"model": "small", "strategy": None, "channel": "C1", "asker": "U1", "started_at": NOW}
    row = await ledger.open(Call(**(values | {"reserved": Decimal("0.01")} | changes)))
    why = "" if cost else "The list has no price for it."
    price = Price(amount=None if cost is None else Decimal(cost), version="old" if cost else None, why=why)
    known = None if outcome == "lost" else usage
    await ledger.settle(row, outcome=outcome, seconds=1, usage=known, price=price)
    return row


async def test_calls_are_priced_again_from_their_counts_and_keep_what_was_first_written_down(
    engine: AsyncEngine,
) -> None:
    budgets = Budgets(engine)
    await budgets.set("workspace", "", "month", Decimal(9), hard=True, by="U1", at=NOW)
    ledger = Ledger(engine, lambda: NOW, budgets)
    dear = await settled(ledger, "0.5")
    unknown = await settled(ledger, None, est=1)
    other = await settled(ledger, "0.25", model="large")
    before = await settled(ledger, "0.5", started_at=NOW - timedelta(days=3))
    nothing_kept = await settled(ledger, None, outcome="lost")
    new = Decimal("0.0026")  # 600 · 2 + 400 · 1 + 100 · 10 millionths

    since = NOW - timedelta(days=1)
    for dry_run in (True, False):
        (told,) = await reprice(ledger, right, since, at=NOW, model="small", dry_run=dry_run)
        assert (told.calls, told.changed, told.before, told.after) == (2, 2, Decimal("0.5"), 2 * new)
        (standing,) = await budgets.standing(NOW)
        unpriced = Decimal("0.01")
        spent = Decimal("1.25") + 2 * unpriced if dry_run else Decimal("0.75") + 2 * new + unpriced
        assert (standing.spent, standing.held, standing.unknown) == (spent, Decimal(0), 2 if dry_run else 1)

    rows = {row.id: row for row in await ledger.rows(NOW - timedelta(days=9), NOW + timedelta(days=1))}
    assert (rows[dear].cost, rows[dear].price_version) == (new, "override from 2026-11-01")
    assert (rows[dear].first_cost, rows[dear].first_price_version) == (Decimal("0.5"), "old")
    assert rows[dear].repriced_at == NOW
    assert (rows[unknown].cost, rows[unknown].first_cost, rows[unknown].estimated) == (new, None, True)
    assert rows[unknown].note == "The list has no price for it. It was priced again since."
    assert rows[nothing_kept].cost is None
    assert {rows[row].repriced_at for row in (other, before, nothing_kept)} == {None}


async def test_what_was_first_written_down_stays_however_often_a_call_is_priced_again(engine: AsyncEngine) -> None:
    ledger = Ledger(engine)
    await settled(ledger, "0.5")
    for amount in ("0.4", "0.3"):
        price = Price(amount=Decimal(amount), version=amount)
        (told,) = await reprice(ledger, lambda *_, price=price: price, NOW, at=NOW)
        assert told.changed == 1
    (row,) = await ledger.rows(NOW, NOW + timedelta(days=1))
    assert (row.cost, row.first_cost, row.first_price_version) == (Decimal("0.3"), Decimal("0.5"), "old")
    (told,) = await reprice(ledger, lambda *_: Price(amount=Decimal("0.3"), version="0.3"), NOW, at=NOW)
    assert told.changed == 0


async def test_a_call_whose_price_nobody_knows_now_keeps_the_one_it_has(engine: AsyncEngine) -> None:
    ledger = Ledger(engine)
    await settled(ledger, "0.5")
    await settled(ledger, None)
    (told,) = await reprice(ledger, lambda *_: Price(amount=None, version=None), NOW, at=NOW)
    assert (told.calls, told.changed, told.before, told.after, told.unknown) == (
        2,
        0,
        Decimal("0.5"),
        Decimal("0.5"),
        1,
    )


async def test_a_call_that_changed_since_it_was_read_is_left_alone(engine: AsyncEngine) -> None:
    ledger = Ledger(engine)
    await settled(ledger, "0.5")
    (read,) = await ledger.rows(NOW, NOW + timedelta(days=1))
    assert await ledger.correct(read, Price(amount=Decimal(1), version="b"), NOW)
    assert not await ledger.correct(read, Price(amount=Decimal(2), version="c"), NOW)
    (row,) = await ledger.rows(NOW, NOW + timedelta(days=1))
    assert row.cost == Decimal(1)
