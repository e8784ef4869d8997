"""What is searched beside the database: the vectors in memory, the vector index and the lexical index, kept in step.

The database is written first and is the truth. An index that is broken, missing or behind is rebuilt from it without
asking anybody, and without a call to the embedding model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog

from knowledge.chunking import searchable
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.embedding.base import Embedder
from knowledge.errors import IndexBroken
from knowledge.index import VectorIndex
from knowledge.kept_vectors import KeptVectors
from knowledge.lexical import Entry, LexicalIndex
from knowledge.records import IndexedChunk, Written
from knowledge.stamp import Stamp
from knowledge.vectors import Snapshot, VectorTable

SearchIndex = VectorIndex | LexicalIndex
_What = TypeVar("_What")
_FORMAT = 2  # raised whenever what the indexes hold changes its form, so that they are rebuilt
_log = structlog.get_logger(__name__)


class Indexes:
    """All search indexes of one embedding model, in a folder of their own. Writes come one at a time."""

    def __init__(self, database: Database, embedder: Embedder, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._contents = Contents(database)
        self._kept = KeptVectors(database)
        self._embedder = embedder
        self.table = VectorTable(embedder.dimensions, folder)
        self.vectors = VectorIndex(folder / "vectors")
        self.lexical = LexicalIndex(folder / "lexical")
        self._broken: set[str] = set()
        self._unsealed = False

    async def open(self) -> None:
        """Loads the vectors and opens the indexes, rebuilding those that are not what the database holds.

        Documents that another embedding model was used for are let go: the next refresh reads them again.
        """
        outdated = await self._kept.outdated(self._embedder.name)
        if outdated:
            _log.warning("knowledge.model_changed", model=self._embedder.name, documents=outdated, next="refresh")
        async for rows in self._contents.vectors(self._embedder.name):
            self.table.add(rows.keys, rows.facets, rows.vectors)
        for index in (self.vectors, self.lexical):
            try:
                await asyncio.to_thread(index.open, self._stamp())
            except IndexBroken as error:
                await self._rebuild(index, str(error))

    async def apply(self, written: Written) -> None:
        """Follows a write to the database."""
        # First in memory, in one step: every search passes here, so nobody finds a document half old and half new.
        self.table.remove(written.removed)
        if written.added:
            keys, facets = [chunk.key for chunk in written.added], [chunk.facets for chunk in written.added]
            self.table.add(keys, facets, written.vectors)
        self.table.move([chunk.key for chunk in written.moved], [chunk.facets for chunk in written.moved])
        self._unsealed = True
        await self._write(self.vectors, self._write_vectors, written)
        await self._write(self.lexical, self._write_words, written)

    async def discard(self, keys: list[int]) -> None:
        """Follows a removal from the database."""
        if keys:
            await self.apply(Written([], np.empty((0, 0), np.float32), keys))

    async def restrict(self, keys: list[int], readers: frozenset[str]) -> None:
        """Follows a change of readers."""
        self.table.restrict(keys, readers)
        self._unsealed = True
        async for chunks in self._contents.indexed(keys):
            await self._write(self.lexical, self._rewrite_words, chunks)

    async def seal(self) -> None:
        """Ends a refresh: rebuilds what broke under it and notes that the indexes are whole."""
        for index in (self.vectors, self.lexical):
            if index.name in self._broken:
                await self._rebuild(index, "it failed while it was used")
            elif self._unsealed:
                await self._write(index, index.seal, self._stamp())
        self._unsealed = False

    def report_broken(self, index: SearchIndex, error: IndexBroken) -> None:
        """Notes that an index failed in a search; the next refresh rebuilds it."""
        if index.name not in self._broken:
            self._broken.add(index.name)
            _log.warning("knowledge.index_failed", index=index.name, problem=str(error), next="rebuilt at next refresh")

    def is_usable(self, index: SearchIndex) -> bool:
        """Whether an index has not failed since it was built."""
        return index.name not in self._broken

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of those that failed since they were built."""
        return tuple(sorted(self._broken))

    @property
    def snapshot(self) -> Snapshot:
        """The vectors in memory as they are now."""
        return self.table.snapshot

    async def close(self) -> None:
        """Lets go of the folders."""
        await asyncio.to_thread(self.vectors.close)
        await asyncio.to_thread(self.lexical.close)

    async def _write(self, index: SearchIndex, write: Callable[[_What], None], what: _What) -> None:
        """Writes to an index in a worker thread; one that fails is rebuilt when the refresh ends."""
        if index.name in self._broken:
            return
        try:
            await asyncio.to_thread(write, what)
        except (IndexBroken, OSError) as error:
            self.report_broken(index, IndexBroken(str(error)))

    def _write_vectors(self, written: Written) -> None:
        if written.removed:
            self.vectors.remove(written.removed)
        if written.added:
            self.vectors.add([chunk.key for chunk in written.added], written.vectors)

    def _write_words(self, written: Written) -> None:
        if written.removed or written.moved:
            self.lexical.remove([*written.removed, *(chunk.key for chunk in written.moved)])
        self.lexical.add(_searched(chunk) for chunk in (*written.added, *written.moved))
        self.lexical.commit()

    def _rewrite_words(self, chunks: list[IndexedChunk]) -> None:
        self.lexical.remove([chunk.key for chunk in chunks])
        self.lexical.add(_searched(chunk) for chunk in chunks)
        self.lexical.commit()

    async def _rebuild(self, index: SearchIndex, reason: str) -> None:
        count = self.table.fingerprint[0]
        if count:
            _log.warning("knowledge.index_rebuilt", index=index.name, why=reason, source="database", chunks=count)
        try:
            await asyncio.to_thread(index.recreate)
            if isinstance(index, VectorIndex):
                await asyncio.to_thread(self._refill_vectors, index)
            else:
                async for chunks in self._contents.indexed():
                    await asyncio.to_thread(index.add, [_searched(chunk) for chunk in chunks])
                await asyncio.to_thread(index.commit)
            await asyncio.to_thread(index.seal, self._stamp())
            self._broken.discard(index.name)
        except (IndexBroken, OSError) as error:
            self.report_broken(index, IndexBroken(str(error)))

    def _refill_vectors(self, index: VectorIndex) -> None:
        snapshot = self.table.snapshot
        rows = snapshot.alive.nonzero()[0]
        for start in range(0, len(rows), 5_000):
            some = rows[start : start + 5_000]
            index.add([int(key) for key in snapshot.keys[some]], snapshot.full.read(some))

    def _stamp(self) -> Stamp:
        count, total, greatest = self.table.fingerprint
        return {
            "format": _FORMAT,
            "model": self._embedder.name,
            "dimensions": self._embedder.dimensions,
            "count": count,
            "sum": total,
            "greatest": greatest,
        }


def _searched(chunk: IndexedChunk) -> Entry:
    return Entry(chunk.key, chunk.facets, searchable([chunk.path, " > ".join(chunk.heading)], chunk.text))
