"""Another embedding model, filled beside the one that answers.

What was embedded stays kept batch by batch: a process that is killed goes on where it was, and pays for nothing twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

from knowledge.chunking import Chunker
from knowledge.embedding.base import Embedder
from knowledge.embedding.checked import embed_closely_checked
from knowledge.errors import RefreshStopped
from knowledge.kept_vectors import KeptVectors

_AT_ONCE = 256


class Reembedding:
    """Gives every text that is known a vector of one model."""

    def __init__(self, kept: KeptVectors, embedder: Embedder, stopping: asyncio.Event) -> None:
        self._kept = kept
        self._embedder = embedder
        self._chunker = Chunker(embedder.count_all_tokens, embedder.max_tokens)
        self._stopping = stopping

    async def run(self, in_turn: Callable[[Coroutine[object, object, None]], Awaitable[None]]) -> int:
        """Embeds what is missing until nothing is; how many texts that were. `in_turn` waits for a write's turn.

        Raises EmbeddingUnavailable, StoreUnavailable, and RefreshStopped where the knowledge is closed meanwhile.
        """
        done = 0
        while missing := await self._kept.without_vector(self._embedder.name, _AT_ONCE):
            if self._stopping.is_set():
                raise RefreshStopped("The embedding model was not changed yet; the next start goes on from there.")
            texts = [self._chunker.embedded(text.title, text.heading, text.text) for text in missing]
            vectors, words = await embed_closely_checked(self._embedder, texts)
            made = zip((text.digest for text in missing), vectors, words, strict=True)
            await in_turn(self._kept.keep(self._embedder.name, [*made]))
            done += len(missing)
        return done
