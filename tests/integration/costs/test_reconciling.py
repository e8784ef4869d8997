"""The ledger against what a provider says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.costs.provider_exports import ALL, Entry
from bot.costs.reconciling import reconcile
from bot.domain import Price, Usage

DAY = date(2026, 11, 18)
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


async def settled(ledger: Ledger, model: str, cost: str | None = "0.5", at: datetime = NOON, **changes: Any) -> None:
    values: dict[str, Any] = {
        "question_id": None,
        "purpose": "answer",
        "attempt": 1,
        "provider": "openai",
        "strategy": None,
    }
    values |= {"channel": None, "asker": None}
    row = await ledger.open(Call(**(values | {"model": model, "started_at": at} | changes)))
    usage = Usage(prompt_tokens=1000, completion_tokens=100, cached_tokens=900, served=f"{model}-2026-01-01")
    price = Price(amount=None if cost is None else Decimal(cost), version=None)
    await ledger.settle(row, outcome="answered", seconds=1, usage=usage, price=price)


def entry(model: str, asked: int = 1000, said: int = 100, cost: str = "0.5", day: date = DAY) -> Entry:
    return Entry(model=model, day=day, input_tokens=asked, output_tokens=said, cost=Decimal(cost))


async def differences(ledger: Ledger, *entries: Entry, tolerance: str = "0.01") -> dict[tuple[int, str], Any]:
    found = await reconcile(
        ledger, entries, "openai", known_as=lambda row: row.served or row.model, tolerance=Decimal(tolerance)
    )
    return {(one.day.day, one.model): one.differs for one in found}


async def test_what_differs_is_told_by_model_and_day(engine: AsyncEngine) -> None:
    ledger = Ledger(engine)
    for model in ("same", "more", "dearer", "here"):
        await settled(ledger, model)
    await settled(ledger, "another provider's", provider="mistral")
    await settled(ledger, "same", at=datetime(2026, 11, 17, 23, 59, 59, tzinfo=UTC))
    await settled(ledger, "same", at=datetime(2026, 11, 19, tzinfo=UTC))
    told = await differences(
        ledger,
        entry("same-2025-08-07", 400),
        entry("same", 600, 0, "0"),
        entry("more", 1011, 99),
        entry("dearer", cost="0.52"),
        entry("there"),
        entry("nothing", 0, 0, "0"),
    )
    assert told == {
        (18, "same"): (),
        (18, "more"): ("input tokens",),
        (18, "dearer"): ("cost",),
        (18, "here"): ("only here",),
        (18, "there"): ("only there",),
        (18, "nothing"): (),
    }
    assert (await differences(ledger, entry("more", 1011, 99), tolerance="0.02"))[18, "more"] == ()


@pytest.mark.parametrize(("cost", "differs"), [("2.009", ()), ("2.01", ()), ("2.05", ("cost",))])
async def test_costs_of_all_models_are_compared_by_day(engine: AsyncEngine, cost: str, differs: Any) -> None:
    ledger = Ledger(engine)
    for model in ("a", "b", "c", "d"):
        await settled(ledger, model)
    told = await differences(ledger, Entry(model=ALL, day=DAY, cost=Decimal(cost)))
    assert told == {(18, ALL): differs}
