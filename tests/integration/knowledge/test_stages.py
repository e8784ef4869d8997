"""The stages of a refresh go on side by side: what the encoder needs next is there before it asks, and little more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from words_embedder import WordsEmbedder

from knowledge.access import PUBLIC
from knowledge.documents import Vector
from knowledge.knowledge_base import open_knowledge
from knowledge.sources.base import Complete, Listed, Listing, Past, Reading
from knowledge.sources.parsers.markdown import parse_text

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Place

BATCH = 128  # documents of one chunk each
READ_AHEAD = 5  # documents: four in the queue, and the one that waits for a place in it


class AskedEmbedder(WordsEmbedder):
    """Counts the texts that it was asked for, done or not."""

    texts = 0

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.texts += len(texts)
        return await super().embed(texts)


class CountedPages:
    """A source whose documents are short and all different; counts those that it was asked for."""

    kind = "counted"
    name = "pages"

    def __init__(self, count: int, embedder: AskedEmbedder) -> None:
        self._count = count
        self._embedder = embedder
        self._grown = asyncio.Condition()
        self.read_so_far = 0
        self.furthest_ahead = 0

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        for number in range(self._count):
            yield Listing(f"{number}.md", "1", PUBLIC, None)
        yield Complete()

    async def read(self, listing: Listing) -> Reading:
        async with self._grown:
            self.read_so_far += 1
            self.furthest_ahead = max(self.furthest_ahead, self.ahead)
            self._grown.notify_all()
        return Reading(listing.path, parse_text(f"The number {listing.path} is all."), listing.path, None, None)

    @property
    def ahead(self) -> int:
        """Documents that were read before the encoder was asked for them."""
        return self.read_so_far - self._embedder.texts

    async def wait_until_ahead(self, documents: int) -> None:
        async with self._grown, asyncio.timeout(60):
            await self._grown.wait_for(lambda: self.ahead >= documents)

    async def close(self) -> None:
        """Holds nothing."""


async def test_batches_are_gathered_ahead_while_the_encoder_works_and_no_more_than_two(sqlite_place: Place) -> None:
    embedder = AskedEmbedder()
    source = CountedPages(1000, embedder)
    embedder.gate.clear()
    knowledge = await open_knowledge(
        engine=sqlite_place.engine, data_dir=sqlite_place.data_dir, embedder=embedder, sources=[source]
    )
    try:
        refresh = asyncio.create_task(knowledge.refresh())
        await embedder.asked.wait()
        await source.wait_until_ahead(BATCH // 2)
        assert embedder.embedded == []
        for _ in range(1000):
            await asyncio.to_thread(int)  # reading passes here too: whatever still could be read had its turn
        assert source.ahead <= 2 * BATCH + READ_AHEAD
        embedder.gate.set()
        assert (await refresh).sources[0].added == 1000
        # A third one is between both, while its vectors are looked up before any is made.
        assert source.furthest_ahead <= 3 * BATCH + READ_AHEAD
    finally:
        await knowledge.close()
