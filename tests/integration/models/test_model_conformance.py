"""What every implementation of the Model port promises, held against each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from model_server import ModelServer

from bot.domain import Message, Prompt, StrategyName, TextDelta, Usage
from bot.models.base import Model
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider, load_catalogue
from bot.models.client import OpenAIModel, Timeouts, open_client
from bot.models.offline import OfflineModel
from knowledge.documents import Passage
from knowledge.embedding.minilm import MiniLM

PASSAGE = Passage(
    chunk_id="c",
    document_id="d",
    source="docs",
    title="Deploying",
    heading=("Deploying",),
    text="Production deploys run on Tuesdays.",
    url=None,
    updated=None,
    score=1.0,
    similarity=0.7,
    lexical=1.0,
)
PROMPT = Prompt(
    strategy=StrategyName.RAG,
    question="When do production deploys run?",
    messages=(Message("user", "[1] Production deploys run on Tuesdays.\n\nWhen do production deploys run?"),),
    passages=(PASSAGE,),
)


@pytest.fixture(params=["hosted", "offline"])
async def any_model(request: pytest.FixtureRequest, models_dir: Path) -> AsyncIterator[Model]:
    if request.param == "offline":
        embedder = MiniLM(models_dir)
        yield OfflineModel(load_catalogue().get("offline"), embedder)
        await embedder.close()
        return
    async with ModelServer() as server:
        provider = Provider(name="house", base_url=server.url)
        client = open_client(provider, None, Timeouts())
        card = ModelCard(name="test-model", provider="house", context_window=8192)
        yield OpenAIModel(card, provider, client)
        await client.close()


async def test_text_comes_first_and_exactly_one_usage_last(any_model: Model) -> None:
    events = [event async for event in any_model.stream(PROMPT, max_tokens=200)]
    assert isinstance(events[-1], Usage)
    assert len(events) > 1
    assert all(isinstance(event, TextDelta) and event.text for event in events[:-1])


async def test_the_numbered_passage_is_cited(any_model: Model) -> None:
    events = [event async for event in any_model.stream(PROMPT, max_tokens=200)]
    assert "[1]" in "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_a_stream_can_be_closed_before_its_end_and_asked_again(any_model: Model) -> None:
    stream = any_model.stream(PROMPT, max_tokens=200)
    assert isinstance(await anext(stream), TextDelta)
    await stream.aclose()  # type: ignore[attr-defined]
    assert [event async for event in any_model.stream(PROMPT, max_tokens=200)]


async def test_a_ping_passes_where_the_model_is_there(any_model: Model) -> None:
    await any_model.ping()


async def test_the_card_names_the_model(any_model: Model) -> None:
    assert any_model.card.name in {"test-model", "offline"}
