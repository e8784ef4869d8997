"""Switchboard's knowledge at the same work as its peers, and by the same protocol (told.py)."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median

from small_store import opened
from told import TURNS, arguments, change, one_in_a_hundred, tell, timed

from knowledge.access import PUBLIC
from knowledge.chunking import Chunker
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import KnowledgeBase
from knowledge.sources.base import Listing, Past
from knowledge.sources.folder import FolderSource

EMBEDDINGS = 5  # of the same texts


async def main() -> None:
    """Cold, unchanged, one file in a hundred changed (with what embedding it alone costs), then questions."""
    told = arguments()
    embedder = MiniLM(told.model)
    async with opened(told.docs, told.work, embedder) as store:
        knowledge = store.knowledge
        with timed("cold") as more:
            more |= await refreshed(knowledge)
        for _ in range(TURNS):
            with timed("unchanged"):
                await refreshed(knowledge)
        before = await texts(told.docs, embedder)
        for turn in range(TURNS):
            count = change(told.docs, turn)
            with timed("changed", documents=count) as more:
                more |= await refreshed(knowledge)
            after = await texts(told.docs, embedder)
            fresh, before = sorted(after - before), after
            tell("embedding", chunks=len(fresh), seconds=await embedding(embedder, fresh))
        seconds = []
        for question in told.questions.read_text("utf-8").splitlines():
            began = time.perf_counter()
            await knowledge.search(question, scopes=PUBLIC, k=10)
            seconds.append(time.perf_counter() - began)
        tell("questions", seconds=seconds)


async def refreshed(knowledge: KnowledgeBase) -> dict[str, int]:
    """Refreshes; how many chunks were embedded."""
    (report,) = (await knowledge.refresh()).sources
    return {"added": report.chunks, "chunks": report.chunks}


async def embedding(embedder: MiniLM, fresh: list[str]) -> float:
    """What the encoder alone takes for these texts."""
    seconds = []
    for _ in range(EMBEDDINGS):
        began = time.perf_counter()
        await embedder.embed(fresh)
        seconds.append(time.perf_counter() - began)
    return median(seconds)


async def texts(docs: Path, embedder: MiniLM) -> set[str]:
    """What is embedded of the files that are changed."""
    source, chunker = FolderSource("pages", docs), Chunker(embedder.count_all_tokens, embedder.max_tokens)
    changed = {str(file.relative_to(docs)) for file in one_in_a_hundred(docs)}
    found: set[str] = set()
    async for listing in source.listings(Past(None, {})):
        if isinstance(listing, Listing) and listing.path in changed:
            reading = await source.read(listing)
            found.update(chunk.embedded for chunk in chunker.split(reading.title, reading.content))
    return found


if __name__ == "__main__":
    asyncio.run(main())
