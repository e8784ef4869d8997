"""Half, 80% and all of a budget: told once each, by whichever process comes first, and never lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import Budgets
from bot.costs.calls import Call
from bot.costs.crossings import TAKEN_OVER, Crossing, Crossings
from bot.costs.ledger import Ledger
from bot.domain import Price, Usage
from bot.jobs.budget_watch import tell_crossings, watch_budgets

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture
def budgets(engine: AsyncEngine) -> Budgets:
    return Budgets(engine)


@pytest.fixture
async def crossings(engine: AsyncEngine, budgets: Budgets) -> Crossings:
    """Of a soft budget of a dollar."""
    await budgets.set("workspace", "", "month", Decimal(1), hard=False, by="U0ADA", at=NOON)
    return Crossings(engine, budgets)


async def spend(engine: AsyncEngine, budgets: Budgets, cost: str, at: datetime = NOON) -> None:
    ledger = Ledger(engine, lambda: at, budgets)
    call = Call(
        question_id=None,
        purpose="answer",
        attempt=1,
        provider="openai",
        model="small",
        strategy="rag",
        channel="C1",
        asker="U1",
        started_at=at,
        reserved=Decimal(cost),
    )
    price = Price(amount=Decimal(cost), version=None)
    usage = Usage(prompt_tokens=1, completion_tokens=1)
    await ledger.settle(await ledger.open(call), outcome="answered", seconds=1, usage=usage, price=price)


async def test_each_share_is_told_once_and_a_jump_over_two_tells_the_higher(
    engine: AsyncEngine, budgets: Budgets, crossings: Crossings
) -> None:
    told: list[int] = []

    async def tell(crossing: Crossing) -> bool:
        told.append(crossing.share)
        return True

    for cost in ("0.49", "0.01", "0.1", "0.5", "0.5"):
        await spend(engine, budgets, cost)
        await tell_crossings(crossings, tell, NOON)
        await tell_crossings(crossings, tell, NOON)
    assert told == [50, 100]
    tomorrow = NOON + timedelta(days=30)
    await spend(engine, budgets, "0.8", tomorrow)
    await tell_crossings(crossings, tell, tomorrow)
    assert told == [50, 100, 80], "the next month begins anew"


async def test_three_processes_that_look_at_once_tell_it_once(
    engine: AsyncEngine, budgets: Budgets, crossings: Crossings
) -> None:
    await spend(engine, budgets, "0.9")
    others = [Crossings(engine, Budgets(engine)) for _ in range(2)]
    claimed = await asyncio.gather(
        *(one.claim(NOON + timedelta(seconds=n)) for n, one in enumerate((crossings, *others)))
    )
    assert [crossing.share for claims in claimed for crossing in claims] == [80]


async def test_a_claim_that_a_dead_process_left_is_taken_over_and_marked_so(
    engine: AsyncEngine, budgets: Budgets, crossings: Crossings
) -> None:
    await spend(engine, budgets, "0.9")
    (first,) = await crossings.claim(NOON)
    assert not first.taken_over
    assert await crossings.claim(NOON + TAKEN_OVER) == ()
    (second,) = await crossings.claim(NOON + TAKEN_OVER + timedelta(seconds=1))
    assert (second.share, second.taken_over) == (80, True)
    await crossings.confirm(first)  # the first one was only slow: the claim is no longer its own
    assert (await budgets.standing(NOON))[0].told == 0
    await crossings.confirm(second)
    assert (await budgets.standing(NOON))[0].told == 80
    assert await crossings.claim(NOON + timedelta(days=1)) == ()


async def test_what_nobody_heard_of_or_broke_is_told_the_next_time(
    engine: AsyncEngine, budgets: Budgets, crossings: Crossings
) -> None:
    await spend(engine, budgets, "0.5")

    async def nobody(crossing: Crossing) -> bool:
        return False

    async def broken(crossing: Crossing) -> bool:
        raise RuntimeError("Slack fell over")

    await tell_crossings(crossings, nobody, NOON)
    with pytest.raises(RuntimeError):
        await tell_crossings(crossings, broken, NOON)
    (crossing,) = await crossings.claim(NOON)
    assert (crossing.share, crossing.taken_over) == (50, False)


async def test_the_watch_goes_on_after_something_broke(
    engine: AsyncEngine, budgets: Budgets, crossings: Crossings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.budget_watch.SECONDS", 0.0)
    await spend(engine, budgets, "0.5")
    told, done = list[int](), asyncio.Event()

    async def tell(crossing: Crossing) -> bool:
        told.append(crossing.share)
        if len(told) == 1:
            raise RuntimeError("Slack fell over")
        done.set()
        return True

    watch = asyncio.create_task(watch_budgets(crossings, tell, lambda: NOON))
    async with asyncio.timeout(10):
        await done.wait()
    watch.cancel()
    assert told == [50, 50]


async def test_a_budget_that_is_set_or_raised_does_not_tell_what_its_setter_was_shown(
    engine: AsyncEngine, budgets: Budgets, crossings: Crossings
) -> None:
    await spend(engine, budgets, "0.9")
    await budgets.set("workspace", "", "month", Decimal("1.5"), hard=True, by="U0ADA", at=NOON)
    assert await crossings.claim(NOON) == ()
    await spend(engine, budgets, "0.4")
    assert [crossing.share for crossing in await crossings.claim(NOON)] == [80]


async def test_the_forecast_says_when_a_budget_is_used_up_at_this_pace(
    engine: AsyncEngine, budgets: Budgets, crossings: Crossings
) -> None:
    assert (await budgets.standing(NOON))[0].used_up_at(NOON) is None
    await spend(engine, budgets, "0.7")  # in 17.5 of November's 30 days
    (standing,) = await budgets.standing(NOON)
    assert standing.used_up_at(NOON) == datetime(2026, 11, 26, tzinfo=UTC)
    await spend(engine, budgets, "0.3")
    (standing,) = await budgets.standing(NOON)
    assert standing.used_up_at(NOON) == NOON
    await budgets.set("workspace", "", "month", Decimal(9), hard=False, by="U0ADA", at=NOON)
    (standing,) = await budgets.standing(NOON)
    assert standing.used_up_at(NOON) is None, "it lasts to the end of the month"
