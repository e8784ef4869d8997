"""Embedding models behind servers that speak OpenAI's protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from openai import AsyncOpenAI
from openai.types import CreateEmbeddingResponse

from bot.domain import Usage
from bot.errors import ModelAnswerUnusable
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.faults import SERVER_FAULTS, Faults
from bot.models.tokens import count_tokens
from bot.models.usage import read_usage
from knowledge.documents import Vector

SECONDS = 60.0
"""How long one request may take."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What one call gave: one row for each text, each of length 1, and the tokens that it is billed for."""

    vectors: Vector
    usage: Usage


class EmbeddingModel:
    """One embedding model. `card.dimensions` says how long its vectors are."""

    def __init__(self, card: ModelCard, provider: Provider, client: AsyncOpenAI) -> None:
        self.card = card
        self._client = client
        self._faults = Faults(card, provider)
        self._server = provider.label

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """One try. Raises ModelError; what is no vector of the card's length is never given out."""
        try:
            async with asyncio.timeout(SECONDS):
                # Floats, since some servers do not know the shorter form.
                answer = await self._client.embeddings.create(
                    model=self.card.model_id, input=list(texts), encoding_format="float"
                )
        except TimeoutError:
            raise self._faults.silent(SECONDS) from None
        except SERVER_FAULTS as error:
            raise self._faults.of(error) from None
        return Embedded(self._vectors(answer, len(texts)), self._usage(answer, texts))

    def _vectors(self, answer: CreateEmbeddingResponse, count: int) -> Vector:
        rows = sorted(answer.data or (), key=lambda row: row.index or 0)
        if len(rows) != count:
            raise self._unusable(f"sent {len(rows)} vectors for {count} texts")
        lengths = {len(row.embedding) for row in rows}
        if lengths - {self.card.dimensions}:
            raise self._unusable(
                f"sends vectors of {max(lengths)} numbers, and its card says {self.card.dimensions}: mend `dimensions` "
                "on the card"
            )
        try:
            vectors = np.array([row.embedding for row in rows], np.float32)
        except (TypeError, ValueError):
            raise self._unusable("sent vectors that are not made of numbers") from None
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not norms.all():
            raise self._unusable("sent vectors without a direction (NaN or nothing but zeros)")
        unit: Vector = vectors / norms
        return unit

    def _usage(self, answer: CreateEmbeddingResponse, texts: Sequence[str]) -> Usage:
        def count() -> Usage:
            tokens = sum(count_tokens(text, self.card.model_id).tokens for text in texts)
            return Usage(prompt_tokens=tokens, completion_tokens=0, estimated=True)

        # An embedding has no output, so that servers say nothing of it.
        sent = None if answer.usage is None else {"completion_tokens": 0, "prompt_tokens": answer.usage.prompt_tokens}
        return replace(read_usage(sent, count), served=answer.model or "")

    def _unusable(self, what: str) -> ModelAnswerUnusable:
        return ModelAnswerUnusable(f"“{self.card.name}” at {self._server} {what}. Nothing of it was kept.")
