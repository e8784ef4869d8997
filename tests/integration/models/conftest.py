"""A model server and models that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from model_server import ModelServer

from bot.domain import Message, Prompt, StrategyName
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.client import OpenAIModel, Timeouts, open_client

Connect = Callable[..., OpenAIModel]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
def prompt() -> Prompt:
    """A question with one numbered passage."""
    text = "Passages:\n[1] Deploys run on Tuesdays.\n\nQuestion: When do deploys run?"
    return Prompt(
        strategy=StrategyName.RAG,
        question="When do deploys run?",
        messages=(Message("system", "Answer from the passages."), Message("user", text)),
    )


@pytest.fixture
async def connect(server: ModelServer) -> AsyncIterator[Connect]:
    """Makes a model that asks `server`. Takes fields of the provider and of the card, and `timeouts`."""
    opened = []

    def make(
        *,
        provider: dict[str, object] | None = None,
        card: dict[str, object] | None = None,
        timeouts: Timeouts | None = None,
    ) -> OpenAIModel:
        at = Provider.model_validate(
            {
                "name": "house",
                "title": "House",
                "base_url": server.url,
                "api_key_env": "HOUSE_API_KEY",
                **(provider or {}),
            }
        )
        of = ModelCard.model_validate(
            {"name": "test-model", "provider": "house", "context_window": 8192, **(card or {})}
        )
        limits = timeouts or Timeouts()
        client = open_client(at, None, limits)
        opened.append(client)
        return OpenAIModel(of, at, client, timeouts=limits)

    yield make
    for client in opened:
        await client.close()
