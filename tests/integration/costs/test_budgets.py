from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import Budgets, Spender, Standing
from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.domain import Price, Usage
from bot.errors import OverBudget
from bot.storage.cost_tables import budget_use

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


def call(most: str | None = "0.01", **changes: Any) -> Call:
    values: dict[str, Any] = {
        "question_id": None,
        "purpose": "answer",
        "attempt": 1,
        "provider": "openai",
        "model": "small",
        "strategy": "rag",
        "channel": "C1",
        "asker": "U1",
        "started_at": NOON,
        "reserved": None if most is None else Decimal(most),
    }
    return Call(**(values | changes))


async def settle(ledger: Ledger, row: int, cost: str | None, outcome: str = "answered") -> None:
    price = Price(amount=None if cost is None else Decimal(cost), version=None)
    await ledger.settle(row, outcome=outcome, seconds=1, usage=Usage(prompt_tokens=1, completion_tokens=1), price=price)


async def only(budgets: Budgets) -> Standing:
    (standing,) = await budgets.standing(NOON)
    return standing


@pytest.fixture
def budgets(engine: AsyncEngine) -> Budgets:
    return Budgets(engine)


@pytest.fixture
def ledger(engine: AsyncEngine, budgets: Budgets) -> Ledger:
    return Ledger(engine, lambda: NOON, budgets)


async def of_a_dollar(budgets: Budgets, *, hard: bool = True, **changes: Any) -> None:
    values: dict[str, Any] = {"scope": "workspace", "key": "", "period": "month", "amount": Decimal(1)}
    await budgets.set(**(values | changes), hard=hard, by="U0ADA", at=NOON)


async def test_a_refused_call_leaves_no_row_and_says_when_it_ends_and_who_can_help(
    budgets: Budgets, ledger: Ledger
) -> None:
    await of_a_dollar(budgets, period="day")
    with pytest.raises(OverBudget, match=r"daily budget of \$1\.00.*begins on 19 November.*admin") as refused:
        await ledger.open(call("1.01"))
    assert refused.value.ends_at == datetime(2026, 11, 19, tzinfo=UTC)
    assert (await only(budgets)).held == 0


async def test_a_free_call_always_goes_and_one_of_unknown_price_never(budgets: Budgets, ledger: Ledger) -> None:
    await of_a_dollar(budgets, amount=Decimal(0))
    await ledger.open(call("0"))
    with pytest.raises(OverBudget, match="price is not known"):
        await ledger.open(call(None))


async def test_a_soft_budget_lets_everything_go_and_counts_it(budgets: Budgets, ledger: Ledger) -> None:
    await of_a_dollar(budgets, hard=False)
    await settle(ledger, await ledger.open(call("3")), "2.5")
    await settle(ledger, await ledger.open(call(None)), None)
    standing = await only(budgets)
    assert (standing.spent, standing.share, standing.unknown) == (Decimal("2.5"), Decimal("2.5"), 1)


@pytest.mark.parametrize(
    ("scope", "key", "counts"),
    [("channel", "C1", True), ("channel", "C2", False), ("person", "U1", True), ("purpose", "judge", False)],
)
async def test_a_budget_counts_its_own_calls_alone(
    budgets: Budgets, ledger: Ledger, scope: str, key: str, counts: bool
) -> None:
    await of_a_dollar(budgets, scope=scope, key=key)
    await ledger.open(call("0.4"))
    assert (await only(budgets)).held == (Decimal("0.4") if counts else 0)
    found = await budgets.for_spender(Spender(channel="C1", person="U1", purpose="answer"), NOON)
    assert bool(found) is counts


async def test_a_budget_set_in_the_middle_of_its_period_knows_what_was_spent(
    engine: AsyncEngine, budgets: Budgets, ledger: Ledger
) -> None:
    await settle(ledger, await ledger.open(call("0.5")), "0.25")
    await settle(ledger, await ledger.open(call("0.5")), None, outcome="timed_out")
    await settle(ledger, await ledger.open(call("0.5")), None, outcome="rate_limited")
    open_row = await ledger.open(call("0.1"))
    await of_a_dollar(budgets)
    standing = await only(budgets)
    assert (standing.spent, standing.held, standing.unknown) == (Decimal("0.75"), Decimal("0.1"), 1)
    await settle(ledger, open_row, "0.05")
    standing = await only(budgets)
    assert (standing.spent, standing.held) == (Decimal("0.80"), Decimal(0))


async def test_what_a_dead_process_held_counts_as_spent_until_its_call_comes_back(
    engine: AsyncEngine, budgets: Budgets, ledger: Ledger
) -> None:
    await of_a_dollar(budgets)
    row = await ledger.open(call("0.2"))
    later = Ledger(engine, lambda: NOON + timedelta(hours=1), budgets)
    assert await later.recover() == 1
    standing = await only(budgets)
    assert (standing.spent, standing.held, standing.unknown) == (Decimal("0.2"), Decimal(0), 1)
    await settle(ledger, row, "0.15")
    standing = await only(budgets)
    assert (standing.spent, standing.held, standing.unknown) == (Decimal("0.15"), Decimal(0), 0)


async def test_the_next_period_begins_with_nothing_spent(budgets: Budgets, ledger: Ledger) -> None:
    await of_a_dollar(budgets, period="day")
    await settle(ledger, await ledger.open(call("1")), "1")
    await ledger.open(call("1", started_at=NOON + timedelta(days=1)))
    (tomorrow,) = await budgets.standing(NOON + timedelta(days=1))
    assert (tomorrow.spent, tomorrow.held) == (Decimal(0), Decimal(1))


async def test_a_budget_that_is_dropped_holds_nothing_up(budgets: Budgets, ledger: Ledger) -> None:
    await of_a_dollar(budgets, amount=Decimal(0))
    await budgets.drop((await only(budgets)).budget.id, by="U0ADA", at=NOON)
    await ledger.open(call("5"))
    assert await budgets.standing(NOON) == ()


async def test_what_another_process_sets_or_drops_holds_for_the_very_next_call(
    engine: AsyncEngine, budgets: Budgets, ledger: Ledger
) -> None:
    other = Budgets(engine)
    await ledger.open(call("0.4"))
    await of_a_dollar(other, amount=Decimal("0.5"))
    with pytest.raises(OverBudget):
        await ledger.open(call("0.2"))
    before = await ledger.open(call("0.1"))
    await of_a_dollar(other)
    await settle(ledger, before, "0.1")
    await ledger.open(call("0.5"))
    standing = await only(other)
    assert (standing.spent, standing.held) == (Decimal("0.1"), Decimal("0.9"))
    await other.drop(standing.budget.id, by="U0ADA", at=NOON)
    await ledger.open(call("5"))


async def test_a_call_that_was_open_when_another_process_set_a_budget_is_counted_once(
    engine: AsyncEngine, budgets: Budgets, ledger: Ledger
) -> None:
    row = await ledger.open(call("0.4"))
    await of_a_dollar(Budgets(engine))
    await settle(ledger, row, "0.3")
    standing = await only(budgets)
    assert (standing.spent, standing.held) == (Decimal("0.3"), Decimal(0))


async def test_counting_anew_tells_a_budget_that_counts_otherwise_than_the_ledger(
    engine: AsyncEngine, budgets: Budgets, ledger: Ledger
) -> None:
    await of_a_dollar(budgets)
    await of_a_dollar(budgets, scope="channel", key="C2")
    await settle(ledger, await ledger.open(call("0.4")), "0.3")
    await ledger.open(call("0.1"))
    assert await budgets.verify(NOON) == ()
    async with engine.begin() as connection:
        await connection.execute(
            sa.update(budget_use).where(budget_use.c.spent > Decimal(0)).values(spent=Decimal("0.25"))
        )
    (wrong,) = await budgets.verify(NOON)
    assert (wrong.standing.spent, wrong.counted.spent, wrong.counted.held) == (
        Decimal("0.25"),
        Decimal("0.3"),
        Decimal("0.1"),
    )
    await of_a_dollar(budgets)
    assert await budgets.verify(NOON) == (), "setting it once more counts it anew"


@pytest.mark.parametrize("hours", [13, -24])
async def test_a_clock_that_passes_midnight_or_jumps_back_meanwhile_counts_a_call_on_the_day_it_began(
    engine: AsyncEngine, budgets: Budgets, hours: int
) -> None:
    now = [NOON]
    ledger = Ledger(engine, lambda: now[0], budgets)
    await of_a_dollar(budgets, period="day")
    row = await ledger.open(call("0.5"))
    now[0] += timedelta(hours=hours)
    await settle(ledger, row, "0.25")
    (today,), (then,) = await budgets.standing(NOON), await budgets.standing(now[0])
    assert (today.spent, today.held) == (Decimal("0.25"), Decimal(0))
    assert (then.spent, then.held) == (Decimal(0), Decimal(0))
    assert await budgets.verify(NOON) == ()
