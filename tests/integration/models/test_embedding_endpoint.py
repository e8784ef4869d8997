"""Embeddings from a server that speaks OpenAI's protocol: under the gate, exact in the ledger, never a bad vector."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from model_server import ModelServer, rate_limited, server_error, word_vector
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.calls import Row
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.embedder import BATCH_TEXTS, EndpointEmbedder, batches
from bot.errors import ConfigError, ModelNotFound
from bot.gate import Gate
from bot.models.catalogue import load_catalogue
from bot.models.client import Timeouts
from bot.models.registry import Models
from bot.storage.engine import open_engine, upgrade
from knowledge.embedding.minilm import MiniLM
from knowledge.errors import EmbeddingUnavailable

KEY = "sk-very-secret-key-of-ours"
CARDS = """
[[providers]]
name = "house"
title = "House"
base_url = "{url}"
api_key_env = "HOUSE_API_KEY"

[[models]]
name = "house-embed"
id = "embed-1"
provider = "house"
task = "embedding"
context_window = 8192
dimensions = {dimensions}
rates = {{ input = 0.02, output = 0 }}
"""
Open = Callable[..., EndpointEmbedder]


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(("embed-1",), api_key=KEY) as running:
        yield running


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}")
    await upgrade(opened, "bot.storage:migrations", "alembic_version")
    yield opened
    await opened.dispose()


@pytest.fixture
async def minilm(models_dir: Path) -> AsyncIterator[MiniLM]:
    opened = MiniLM(models_dir)
    yield opened
    await opened.close()


@pytest.fixture
async def open_embedder(
    tmp_path: Path, server: ModelServer, engine: AsyncEngine, minilm: MiniLM
) -> AsyncIterator[Open]:
    opened: list[Models] = []

    def make(dimensions: int = 64, key: str = KEY) -> EndpointEmbedder:
        cards = tmp_path / "cards.toml"
        cards.write_text(CARDS.format(url=server.url, dimensions=dimensions))
        keys = {"house": SecretStr(key)}
        models = Models(load_catalogue(cards), keys=keys, embedder=minilm, timeouts=Timeouts(ping=1.0))
        opened.append(models)
        gate = Gate(ledger=Ledger(engine), prices=PriceBook(), clock=lambda: datetime.now(UTC))
        return EndpointEmbedder(models.embedding("house-embed"), gate, minilm)

    yield make
    for models in opened:
        await models.close()


async def rows(engine: AsyncEngine) -> list[Row]:
    return await Ledger(engine).rows(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


async def test_vectors_come_back_in_the_order_of_the_texts_and_have_length_one(
    open_embedder: Open, server: ModelServer
) -> None:
    texts = ["blue whales sing", "deploys run on tuesdays", "blue whales"]
    vectors = await open_embedder().embed(texts)
    for text, vector in zip(texts, vectors, strict=True):
        expected = np.array(word_vector(text, 64), np.float32)
        assert np.allclose(vector, expected / np.linalg.norm(expected))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


async def test_every_request_is_priced_in_the_ledger(
    open_embedder: Open, server: ModelServer, engine: AsyncEngine
) -> None:
    embedder = open_embedder()
    await embedder.embed([f"text number {number}" for number in range(BATCH_TEXTS + 1)])
    await embedder.embed_query("how much is it")
    kept = await rows(engine)
    assert [row.purpose for row in kept] == ["embedding"] * 3
    assert sorted(row.prompt_tokens or 0 for row in kept) == [3, 4, 3 * BATCH_TEXTS]
    assert sum(row.cost or Decimal(0) for row in kept) == Decimal("0.00000002") * (3 * BATCH_TEXTS + 3 + 4)
    assert len(server.embedded) == BATCH_TEXTS + 2


async def test_a_rate_limit_is_waited_out_and_each_try_has_its_row(
    open_embedder: Open, server: ModelServer, engine: AsyncEngine
) -> None:
    server.script_embeddings(rate_limited(retry_after=0.01))
    assert (await open_embedder().embed_query("again please")).shape == (64,)
    assert [row.outcome for row in await rows(engine)] == ["rate_limited", "answered"]


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        ([[math.nan] * 64], "NaN"),
        ([[0.0] * 64], "nothing but zeros"),
        ([[1.0] * 32], "vectors of 32 numbers, and its card says 64"),
        ([], "0 vectors for 1 texts"),
    ],
)
async def test_a_bad_vector_is_refused_with_what_is_wrong_with_it(
    open_embedder: Open, server: ModelServer, vectors: list[list[float]], told: str
) -> None:
    server.script_embeddings(*[vectors] * 3)
    with pytest.raises(EmbeddingUnavailable, match=told):
        await open_embedder().embed_query("what")


async def test_an_endpoint_that_fails_is_named_without_its_key(open_embedder: Open, server: ModelServer) -> None:
    server.script_embeddings(*[server_error()] * 3)
    with pytest.raises(EmbeddingUnavailable, match="House has a problem") as caught:
        await open_embedder().embed_query("what")
    assert KEY not in str(caught.value)
    with pytest.raises(EmbeddingUnavailable, match="HOUSE_API_KEY"):
        await open_embedder(key="sk-wrong-key-entirely").embed_query("what")


async def test_a_chat_model_is_not_taken_for_an_embedding_model(minilm: MiniLM) -> None:
    models = Models(load_catalogue(), keys={}, embedder=minilm)
    with pytest.raises(ModelNotFound, match="text-embedding-3-small"):
        models.embedding("offline")


def test_an_embedding_card_must_say_how_long_its_vectors_are(tmp_path: Path) -> None:
    cards = tmp_path / "cards.toml"
    cards.write_text(CARDS.format(url="http://127.0.0.1:1/v1", dimensions=0))
    with pytest.raises(ConfigError, match="dimensions"):
        load_catalogue(cards)


def test_texts_are_cut_into_requests_by_count_and_by_length() -> None:
    many = [f"{number}" for number in range(300)]
    assert [len(part) for part in batches(many)] == [128, 128, 44]
    long = ["x" * 60_000] * 3
    assert [len(part) for part in batches(long)] == [1, 1, 1]
