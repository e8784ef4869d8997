"""The budget of an evaluation: no calls at once can overrun it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from bot.costs.prices import PriceBook
from bot.domain import Message, Prompt, StrategyName
from bot.evaluation.budget import Budget, most_cost
from bot.models.cards import ModelCard


def cents(number: int) -> Decimal:
    return Decimal(number).scaleb(-2)


async def test_calls_at_once_never_hold_more_than_the_limit() -> None:
    budget = Budget(cents(10))
    most_held = Decimal(0)
    held = Decimal(0)

    async def call() -> bool:
        nonlocal held, most_held
        if not await budget.reserve(cents(3)):
            return False
        held += cents(3)
        most_held = max(most_held, held + budget.spent)
        await asyncio.sleep(0)
        held -= cents(3)
        await budget.settle(cents(3), cents(1))
        return True

    done = await asyncio.gather(*(call() for _ in range(20)))
    assert most_held <= cents(10)
    # The eighth call still fits beside the seven cents that were spent, the ninth does not.
    assert sum(done) == 8
    assert budget.spent == cents(8)
    assert budget.ended


async def test_a_call_waits_for_one_under_way_that_may_turn_out_cheaper() -> None:
    budget = Budget(cents(10))
    assert await budget.reserve(cents(8))
    waiting = asyncio.create_task(budget.reserve(cents(5)))
    await asyncio.sleep(0)
    assert not waiting.done()
    await budget.settle(cents(8), cents(2))
    assert await waiting


async def test_what_costs_nothing_goes_on_when_the_budget_has_ended() -> None:
    budget = Budget(cents(1))
    assert not await budget.reserve(cents(2))
    assert not await budget.reserve(cents(1))
    assert await budget.reserve(Decimal(0))


async def test_a_call_without_a_known_price_goes_out_and_one_that_broke_is_charged_in_full() -> None:
    budget = Budget(cents(5))
    assert await budget.reserve(None)
    await budget.settle(None, None)
    assert budget.spent == 0
    assert await budget.reserve(cents(4))
    await budget.settle(cents(4), None)
    assert budget.spent == cents(4)


def test_the_most_that_a_call_costs_is_that_of_its_prompt_and_the_longest_answer() -> None:
    rates = {"input": "1", "output": "10"}
    fields = {"name": "m", "provider": "p", "context_window": 1000, "max_output": 400}
    card = ModelCard.model_validate({**fields, "rates": rates})
    prompt = Prompt(strategy=StrategyName.RAG, question="x", messages=(Message("user", "word " * 100),))
    short, long = (most_cost(PriceBook(), card, prompt, limit) for limit in (100, 900))
    assert short is not None
    assert long is not None
    assert long - short == Decimal(300 * 10).scaleb(-6)
    assert Decimal(100).scaleb(-6) <= short - Decimal(100 * 10).scaleb(-6) <= Decimal(200).scaleb(-6)
    assert most_cost(PriceBook(), ModelCard.model_validate(fields), prompt, 100) is None
