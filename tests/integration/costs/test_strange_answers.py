"""What the ledger holds where a server says strange things: through the gate, from a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from model_server import ModelServer, Reply
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.calls import Row
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.domain import Audience, Message, Place, PlaceKind, Prompt, Question, StrategyName, Usage
from bot.gate import Gate, Tab
from bot.models.cards import CardRates, ModelCard
from bot.models.catalogue import Provider
from bot.models.client import OpenAIModel, Timeouts, open_client

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
PROMPT = Prompt(strategy=StrategyName.ZERO_SHOT, question="Hello?", messages=(Message("user", "Hello?"),))
QUESTION = Question(
    id="q1",
    text="Hello?",
    asker="U1",
    place=Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL),
    audience=Audience.everyone(),
    asked_at=NOW,
)
LISTED = ModelCard(name="gpt-5-mini", provider="openai", context_window=1000)
OWN = ModelCard(
    name="gpt-5-mini",
    provider="openai",
    context_window=1000,
    rates=CardRates(input=Decimal(1), output=Decimal(10)),
)
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


async def answered(engine: AsyncEngine, server: ModelServer, card: ModelCard, **reply: Any) -> Row:
    """The row of a call that is answered so."""
    server.script(Reply(text="Hello.", **reply))
    provider = Provider(name=card.provider, base_url=server.url, local=True)
    client = open_client(provider, None, Timeouts())
    gate = Gate(ledger=Ledger(engine), prices=PriceBook(), clock=lambda: NOW)
    tab = Tab()
    model = OpenAIModel(card, provider, client)
    said = [piece async for piece in gate.stream(QUESTION, model, PROMPT, max_tokens=100, tab=tab)]
    await client.close()
    assert "".join(said) == "Hello."
    (row,) = await Ledger(engine).rows(NOW, NOW + timedelta(days=1))
    assert tab.amount == row.cost
    return row


@pytest.mark.parametrize(
    ("card", "served", "cost", "version", "note"),
    [
        (LISTED, "gpt-5-mini-2025-08-07", "0.00045", PriceBook().version, None),
        (LISTED, "gpt-4o", "0.0035", PriceBook().version, None),
        (
            LISTED,
            "frobnicate-9",
            None,
            None,
            f"{PriceBook().version} has no price for “frobnicate-9” of openai, which the server says answered instead "
            "of “gpt-5-mini”.",
        ),
        (OWN, "frobnicate-9", "0.002", "override", None),
    ],
)
async def test_a_call_is_priced_as_what_answered_by_the_list_and_by_what_the_user_states(
    engine: AsyncEngine, server: ModelServer, card: ModelCard, served: str, cost: str | None, version: str, note: str
) -> None:
    row = await answered(engine, server, card, usage=USAGE, model=served)
    assert (row.cost, row.price_version) == (cost and Decimal(cost), version)
    assert (row.served, row.note, row.prompt_tokens, row.estimated) == (served, note, 1000, False)


@pytest.mark.parametrize(
    ("usage", "tokens", "note"),
    [
        ({**USAGE, "prompt_tokens": -1}, None, "The server’s usage cannot be: -1 tokens. It was counted here."),
        ({**USAGE, "completion_tokens": 10**15}, None, "The server’s usage cannot be: 1000000000000000 tokens. It was"),
        ({**USAGE, "prompt_tokens": "1000"}, 1000, None),
        ({**USAGE, "prompt_tokens": "a lot"}, None, "The server’s usage cannot be: a lot tokens. It was counted here."),
        (False, None, None),
    ],
)
async def test_tokens_that_cannot_be_are_counted_here_and_the_row_says_so(
    engine: AsyncEngine, server: ModelServer, usage: Any, tokens: int | None, note: str | None
) -> None:
    row = await answered(engine, server, OWN, usage=usage)
    assert row.estimated is (tokens is None)
    assert row.prompt_tokens is not None
    assert row.completion_tokens is not None
    assert row.prompt_tokens == tokens if tokens else 0 < row.prompt_tokens < 50
    assert row.note is None if note is None else (row.note or "").startswith(note)
    assert row.cost == (row.prompt_tokens + 10 * row.completion_tokens) * Decimal("0.000001")


async def test_a_price_of_zero_from_a_paid_provider_is_not_known_whatever_it_was_used_for(
    sqlite_engine: AsyncEngine,
) -> None:
    gate = Gate(ledger=Ledger(sqlite_engine), prices=PriceBook(), clock=lambda: NOW)
    speech = ModelCard(name="gpt-4o-transcribe", provider="openai", task="transcription", context_window=1000)
    async with gate.call(speech, "transcribe", Usage(prompt_tokens=0, completion_tokens=0)) as current:
        current.usage = Usage(prompt_tokens=0, completion_tokens=0, audio_ms=60_000)
    (row,) = await Ledger(sqlite_engine).rows(NOW, NOW + timedelta(days=1))
    assert (row.cost, row.price_version, row.audio_ms) == (None, None, 60_000)
    assert row.note == f"{PriceBook().version} has no price for “gpt-4o-transcribe” of openai."
