"""The encoder alone on all chunks of the same files, by the same protocol (told.py): the limit of the cold refresh."""

from __future__ import annotations

import asyncio

from prepared import documents_of
from told import arguments, timed

from knowledge.embedding.minilm import MiniLM

BATCH = 256


async def main() -> None:
    """Embeds each different text once."""
    told = arguments()
    embedder = MiniLM(told.model)
    texts: dict[str, None] = {}
    async for _, _, chunks in documents_of(told.docs, embedder):
        texts |= dict.fromkeys(chunk.embedded for chunk in chunks)
    every = list(texts)
    with timed("cold", chunks=len(every)):
        for start in range(0, len(every), BATCH):
            await embedder.embed(every[start : start + BATCH])
    await embedder.close()


if __name__ == "__main__":
    asyncio.run(main())
