"""A small embedding model for tests: the words of a text, hashed. It counts what it was asked for."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence

import numpy as np

from knowledge.documents import Vector


class WordsEmbedder:
    """Texts that share words are near each other. While `gate` is not set, `embed` waits; `failure` is raised."""

    max_tokens = 256

    def __init__(self, name: str = "words", dimensions: int = 96) -> None:
        self.name = name
        self.dimensions = dimensions
        self.embedded: list[str] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.is_closed = False

    async def embed(self, texts: Sequence[str]) -> Vector:
        """One row for each text."""
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.embedded += texts
        return np.stack([self._vector(text) for text in texts])

    async def embed_query(self, text: str) -> Vector:
        """The vector of a question."""
        return self._vector(text)

    def count_tokens(self, text: str) -> int:
        """Its words."""
        return len(text.split())

    def count_all_tokens(self, texts: Sequence[str]) -> list[int]:
        """The words of each."""
        return [self.count_tokens(text) for text in texts]

    async def close(self) -> None:
        """Notes that it was closed."""
        self.is_closed = True

    def _vector(self, text: str) -> Vector:
        vector = np.full(self.dimensions, 1e-3, np.float32)
        for word in text.lower().split():
            vector[zlib.crc32(word.strip(".,?#").encode()) % self.dimensions] += 1
        unit: Vector = vector / np.linalg.norm(vector)
        return unit
