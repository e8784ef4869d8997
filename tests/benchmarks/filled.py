"""A large store, filled directly: real chunks of the documents again and again, with variations.

Each variation of a chunk has its text with some words left out, and its vector with a random part added, about as long
as half of it: an embedding model is not asked. Ten chunks are a document, and each document belongs to one of many
channels, of very unequal size.
"""

from __future__ import annotations

import asyncio
import math
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from small_store import SOURCE, opened

from bot.storage.engine import open_engine, upgrade
from knowledge.documents import Vector
from knowledge.embedding.minilm import MiniLM
from knowledge.schema import chunks, documents, embeddings, sources

CHUNKS_A_DOCUMENT = 10
CHANNELS = 400
_UNEQUAL = 1_000.0  # times, the largest channel against the smallest
_NOISE = 0.5
_AT_ONCE = 5_000
_SEED = 7


@dataclass(frozen=True, slots=True)
class Base:
    """The real chunks: title, heading trail, text, vector and packed words of each."""

    rows: list[tuple[str, list[str], str]]
    vectors: Vector
    words: list[bytes]


@dataclass(frozen=True, slots=True)
class Filled:
    """`work` is the store; chunk `key` has the vector `vectors[key - 1]` and belongs to the channel `places[key - 1]`.

    `megabytes`: the greatest memory while the search indexes were built; `seconds`: how long that took.
    """

    work: Path
    vectors: Vector
    places: NDArray[np.int32]
    megabytes: float
    seconds: float

    def readers_of(self, share: float, random: np.random.Generator) -> NDArray[np.int32]:
        """Channels that together hold at most about this share of the chunks, at random; one at least."""
        sizes = np.bincount(self.places, minlength=CHANNELS)
        most = share * len(self.places)
        chosen, total = [], 0
        for place in random.permutation(np.flatnonzero(sizes)):
            if total + sizes[place] <= most:
                chosen.append(place)
                total += sizes[place]
        there = np.where(sizes, sizes, sizes.max() + 1)
        return np.asarray(chosen or [there.argmin()], np.int32)

    def shares(self, count: int, random: np.random.Generator) -> NDArray[np.float64]:
        """Shares from 0.01% to 100%, each size as likely as another."""
        return np.asarray(10 ** random.uniform(-4, 0, count), np.float64)


def scopes_of(places: NDArray[np.int32]) -> frozenset[str]:
    """What the members of these channels may read with."""
    return frozenset(f"channel:C{place}" for place in places)


def read_base(database: Path, model: str) -> Base:
    """The chunks of a store that was made by reading documents."""
    engine = sa.create_engine(f"sqlite:///{database}")
    query = (
        sa.select(documents.c.title, chunks.c.heading, chunks.c.text, embeddings.c.vector, embeddings.c.words)
        .join(documents, chunks.c.document_id == documents.c.id)
        .join(embeddings, (embeddings.c.digest == chunks.c.digest) & (embeddings.c.model == model))
        .order_by(chunks.c.key)
    )
    with engine.connect() as connection:
        found = connection.execute(query).all()
    engine.dispose()
    vectors = np.stack([np.frombuffer(row.vector, np.float32) for row in found])
    rows = [(row.title, row.heading, row.text) for row in found]
    return Base(rows, vectors, [row.words for row in found])


def fill(base: Base, count: int, work: Path, models_dir: Path) -> tuple[float, float]:
    """Writes `count` chunks and lets the indexes be built; the greatest memory in MB, and the seconds of the building.

    Call it in a process of its own, so that its memory is not counted as another's.
    """
    work.mkdir(parents=True, exist_ok=True)
    asyncio.run(_make_tables(work))
    embedder = MiniLM(models_dir)
    dimensions = base.vectors.shape[1]
    vectors = open_memmap(work / "vectors.npy", mode="w+", dtype=np.float32, shape=(count, dimensions))
    random = np.random.default_rng(_SEED)
    weights = np.exp(random.uniform(0, math.log(_UNEQUAL), CHANNELS))
    owners = random.choice(CHANNELS, -(-count // CHUNKS_A_DOCUMENT), p=weights / weights.sum()).astype(np.int32)
    np.save(work / "places.npy", np.repeat(owners, CHUNKS_A_DOCUMENT)[:count])
    engine = sa.create_engine(f"sqlite:///{work / 'knowledge.db'}")
    with engine.begin() as connection:
        connection.execute(sa.insert(sources), {"name": SOURCE, "kind": "folder"})
    for start in range(0, count, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, count))
        some = base.vectors[np.arange(numbers.start, numbers.stop) % len(base.rows)]
        noise = random.normal(0, _NOISE / math.sqrt(dimensions), some.shape)
        some = (some + noise).astype(np.float32)
        some /= np.linalg.norm(some, axis=1, keepdims=True)
        vectors[numbers.start : numbers.stop] = some
        with engine.begin() as connection:
            connection.execute(sa.insert(documents), list(_documents(base, numbers, owners)))
            connection.execute(sa.insert(chunks), list(_chunks(base, numbers)))
            rows = [
                {
                    "digest": f"{n:064x}",
                    "model": embedder.name,
                    "vector": vector.tobytes(),
                    "words": base.words[n % len(base.words)],
                }
                for n, vector in zip(numbers, some, strict=True)
            ]
            connection.execute(sa.insert(embeddings), rows)
    engine.dispose()
    del vectors
    return asyncio.run(_build(work, embedder))


def load(work: Path, built: tuple[float, float]) -> Filled:
    """What `fill` left."""
    vectors = np.load(work / "vectors.npy", mmap_mode="r")
    return Filled(work, vectors, np.load(work / "places.npy"), *built)


def _documents(base: Base, numbers: range, owners: NDArray[np.int32]) -> Iterator[dict[str, object]]:
    for number in numbers[::CHUNKS_A_DOCUMENT]:
        place = number // CHUNKS_A_DOCUMENT
        yield {
            "id": f"{place:032x}",
            "source": SOURCE,
            "path": f"pages/{place}.md",
            "version": "1",
            "title": base.rows[number % len(base.rows)][0],
            "readers": f"channel:C{owners[place]}",
            "digest": f"{place:064x}",
            "tags": [],
            "language": "en",
        }


def _chunks(base: Base, numbers: range) -> Iterator[dict[str, object]]:
    for number in numbers:
        _, heading, text = base.rows[number % len(base.rows)]
        turn = number // len(base.rows)
        words = text.split(" ")
        kept = words if turn == 0 else [word for n, word in enumerate(words) if (n * 7 + turn) % 11]
        yield {
            "key": number + 1,
            "document_id": f"{number // CHUNKS_A_DOCUMENT:032x}",
            "position": number % CHUNKS_A_DOCUMENT,
            "heading": heading,
            "text": " ".join(kept),
            "digest": f"{number:064x}",
            "own": f"{number:064x}",
        }


async def _make_tables(work: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{work / 'knowledge.db'}")
    await upgrade(engine, "knowledge:migrations", "knowledge_version")
    await engine.dispose()


async def _build(work: Path, embedder: MiniLM) -> tuple[float, float]:
    (work / "docs").mkdir(exist_ok=True)
    began = asyncio.get_running_loop().time()
    async with opened(work / "docs", work, embedder) as store:
        await store.knowledge.mended()
    seconds = asyncio.get_running_loop().time() - began
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, seconds
