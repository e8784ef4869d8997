"""Many calls at once against one hard budget, through the gate and a real model server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from model_server import ModelServer, answer
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.domain import Audience, Message, Place, PlaceKind, Prompt, Question, StrategyName
from bot.errors import OverBudget
from bot.gate import Gate, Tab, most_usage
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.client import OpenAIModel, Timeouts, open_client
from bot.storage.engine import open_engine

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
CARD = ModelCard.model_validate(
    {"name": "m", "provider": "house", "context_window": 8192, "rates": {"input": "1", "output": "10"}}
)
PROMPT = Prompt(
    strategy=StrategyName.ZERO_SHOT, question="Say it.", messages=(Message("user", "Say it in a hundred words."),)
)
ANSWER_TOKENS = 100
MOST = most_usage(PROMPT, CARD, ANSWER_TOKENS)
HELD = (Decimal(MOST.prompt_tokens) + 10 * ANSWER_TOKENS).scaleb(-6)
"""US dollars that one call is held for."""
QUESTION = Question(
    id="q1",
    text="Say it.",
    asker="U1",
    place=Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL),
    audience=Audience.everyone(),
    asked_at=NOON,
)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def model(server: ModelServer) -> AsyncIterator[OpenAIModel]:
    provider, limits = Provider(name="house", base_url=server.url), Timeouts(first=60, between=60)
    client = open_client(provider, None, limits)
    yield OpenAIModel(CARD, provider, client, timeouts=limits)
    await client.close()


def usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def gate_of(engine: AsyncEngine) -> Gate:
    ledger = Ledger(engine, lambda: NOON, Budgets(engine))
    return Gate(ledger=ledger, prices=PriceBook(), clock=lambda: NOON)


async def asked(gate: Gate, model: OpenAIModel) -> bool:
    """Whether it went out."""
    try:
        stream = gate.stream(QUESTION, model, PROMPT, max_tokens=ANSWER_TOKENS, tab=Tab())
        async with aclosing(stream) as pieces:
            async for _ in pieces:
                pass
    except OverBudget:
        return False
    return True


async def for_calls(budgets: Budgets, number: int) -> Decimal:
    """A hard budget for so many calls."""
    budget = await budgets.set("workspace", "", "month", number * HELD, hard=True, by="U0ADA", at=NOON)
    return budget.amount


async def test_of_500_questions_at_once_100_go_out_on_a_budget_for_100(
    engine: AsyncEngine, server: ModelServer, model: OpenAIModel
) -> None:
    budgets, most_seen = Budgets(engine), list[Decimal]()
    amount = await for_calls(budgets, 100)
    server.script(*[answer("It.", usage=usage(MOST.prompt_tokens or 0, ANSWER_TOKENS))] * 500)
    gate = gate_of(engine)

    async def one(number: int) -> bool:
        done = await asked(gate, model)
        if number % 20 == 0:
            (standing,) = await budgets.standing(NOON)
            most_seen.append(standing.spent + standing.held)
        return done

    went = await asyncio.gather(*map(one, range(500)))
    (standing,) = await budgets.standing(NOON)
    assert (sum(went), len(server.chats)) == (100, 100)
    assert (standing.spent, standing.held) == (amount, Decimal(0))
    assert max(most_seen) <= amount
    (total,) = await Ledger(engine).total(NOON, NOON + timedelta(days=1))
    assert (total.calls, total.cost) == (100, amount)
    assert await budgets.verify(NOON) == ()


async def test_two_processes_that_ask_at_once_keep_one_budget(
    postgres_engine: AsyncEngine, server: ModelServer, model: OpenAIModel
) -> None:
    """Cheaper answers than were held for make room for further ones, and never for more than there is."""
    budgets = Budgets(postgres_engine)
    amount = await for_calls(budgets, 50)
    server.script(*[answer("It.", usage=usage(20, 60))] * 300)
    other = open_engine(postgres_engine.url.render_as_string(hide_password=False))
    try:
        gates = (gate_of(postgres_engine), gate_of(other))
        went = await asyncio.gather(*(asked(gates[number % 2], model) for number in range(300)))
    finally:
        await other.dispose()
    (standing,) = await budgets.standing(NOON)
    assert len(server.chats) == sum(went) >= 50
    assert (standing.spent, standing.held) == (sum(went) * Decimal(620).scaleb(-6), Decimal(0))
    assert standing.spent <= amount
    assert await budgets.verify(NOON) == ()


async def test_calls_dearer_than_they_were_held_for_go_beyond_by_what_they_were_dearer_and_then_none_goes(
    sqlite_engine: AsyncEngine, server: ModelServer, model: OpenAIModel
) -> None:
    """As where a server ignores the longest answer, or counts tokens in its own way."""
    budgets = Budgets(sqlite_engine)
    amount = await for_calls(budgets, 5)
    server.script(*[answer("It.", usage=usage(2 * (MOST.prompt_tokens or 0), 2 * ANSWER_TOKENS))] * 5)
    gate = gate_of(sqlite_engine)
    went = [await asked(gate, model) for _ in range(5)]
    assert went == [True, True, True, False, False]
    (standing,) = await budgets.standing(NOON)
    assert (standing.spent, standing.left) == (amount + HELD, Decimal(0))
    assert standing.used_up_at(NOON) == NOON
