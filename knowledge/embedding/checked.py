"""Vectors that may be kept: those of a model that answered as it should."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knowledge.documents import Vector
from knowledge.embedding.base import CloseEmbedder, Embedder
from knowledge.errors import EmbeddingUnavailable


async def embed_checked(embedder: Embedder, texts: Sequence[str]) -> Vector:
    """One row for each text. Raises EmbeddingUnavailable where the model answers with what is no vector of its kind."""
    dimensions = embedder.dimensions
    if not texts:
        return np.empty((0, dimensions), np.float32)
    vectors = await embedder.embed(texts)
    _check(embedder, texts, vectors)
    return vectors


async def embed_closely_checked(embedder: Embedder, texts: Sequence[str]) -> tuple[Vector, list[bytes | None]]:
    """The same, and the packed words of each text; None where the model has none to give."""
    if not texts or not isinstance(embedder, CloseEmbedder):
        return await embed_checked(embedder, texts), [None] * len(texts)
    vectors, words = await embedder.embed_closely(texts)
    _check(embedder, texts, vectors)
    return vectors, [*words]


def _check(embedder: Embedder, texts: Sequence[str], vectors: Vector) -> None:
    dimensions = embedder.dimensions
    if vectors.shape != (len(texts), dimensions):
        raise EmbeddingUnavailable(
            f"The embedding model {embedder.name} answered {len(texts)} texts with vectors of shape "
            f"{'×'.join(str(number) for number in vectors.shape)} instead of {len(texts)}×{dimensions}. Nothing of it "
            "was kept: check which model the endpoint serves."
        )
    if not np.isfinite(vectors).all():
        raise EmbeddingUnavailable(
            f"The embedding model {embedder.name} answered with numbers that are none (NaN or infinite). Nothing of it "
            "was kept: check the model or its endpoint."
        )
