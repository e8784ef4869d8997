"""An embedding model behind an endpoint, as knowledge uses one: in batches, each call through the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bot.errors import ModelError
from bot.gate import Gate
from bot.models.retry import Patience
from knowledge.documents import Vector
from knowledge.embedding.base import Embedder
from knowledge.errors import EmbeddingUnavailable

if TYPE_CHECKING:  # OpenAI's library is loaded where a hosted model is first used
    from bot.models.embeddings import EmbeddingModel

AT_ONCE = 3
"""Requests under way together: endpoints answer slowly, and their rate limits are counted in tokens a minute."""
BATCH_TEXTS = 128
BATCH_CHARACTERS = 100_000
"""What one request holds at most. OpenAI takes 2,048 texts and 300,000 tokens; smaller servers take less."""
INGESTING = Patience(tries=8, seconds=600, first_pause=1.0)
"""A refresh has no reader who waits: it sits out a rate limit instead of giving up."""


class EndpointEmbedder:
    """The `Embedder` port over a paid or a local endpoint. `counter` counts tokens where the endpoint cannot."""

    def __init__(self, model: EmbeddingModel, gate: Gate, counter: Embedder) -> None:
        self._model = model
        self._gate = gate
        self._counter = counter
        self._turns = asyncio.Semaphore(AT_ONCE)
        card = model.card
        self.name = f"{card.provider}/{card.model_id}/{card.dimensions}"
        self.dimensions = card.dimensions
        self.max_tokens = min(card.context_window, counter.max_tokens)

    async def embed(self, texts: Sequence[str]) -> Vector:
        """One row for each text. Raises EmbeddingUnavailable."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._batch(batch)) for batch in batches(texts)]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None  # the others were cancelled because of it
        return np.concatenate([task.result() for task in tasks])

    async def embed_query(self, text: str) -> Vector:
        """The vector of a question, never queued behind `embed`. Raises EmbeddingUnavailable."""
        vector: Vector = (await self._embed([text], None))[0]
        return vector

    def count_tokens(self, text: str) -> int:
        """How many tokens the text has to the model on this machine, by which chunks are cut for every model."""
        return self._counter.count_tokens(text)

    def count_all_tokens(self, texts: Sequence[str]) -> list[int]:
        """The same for many texts at once."""
        return self._counter.count_all_tokens(texts)

    async def close(self) -> None:
        """The connection belongs to the models, and is closed with them."""

    async def _batch(self, texts: Sequence[str]) -> Vector:
        async with self._turns:
            return await self._embed(texts, INGESTING)

    async def _embed(self, texts: Sequence[str], patience: Patience | None) -> Vector:
        try:
            return await self._gate.embed(self._model, texts, patience=patience)
        except ModelError as error:
            raise EmbeddingUnavailable(str(error)) from error


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in their order, in parts that one request takes."""
    start = characters = 0
    for position, text in enumerate(texts):
        if position > start and (position - start >= BATCH_TEXTS or characters + len(text) > BATCH_CHARACTERS):
            yield texts[start:position]
            start, characters = position, 0
        characters += len(text)
    yield texts[start:]
