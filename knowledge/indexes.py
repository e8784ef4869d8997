"""What is searched beside the database: the vectors in memory, the vector index and the lexical index, kept in step.

The database is written first and is the truth, whichever process writes. An index that is broken, missing or behind is
brought in step or rebuilt from it in the background, without asking anybody and without a call to the embedding model,
while search goes on with what is whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import structlog

from knowledge.change_log import ChangeLog
from knowledge.chunking import searchable
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.embedding.base import Embedder
from knowledge.errors import IndexAway, IndexBroken
from knowledge.index import FolderHome, VectorIndex
from knowledge.lexical import Entry, LexicalIndex
from knowledge.own_tended import OwnTended
from knowledge.records import IndexedChunk, Written
from knowledge.shared_tended import Sharing
from knowledge.stamp import Stamp
from knowledge.tended import SearchIndex, Tended
from knowledge.vectors import Snapshot, VectorTable

_FORM = 3  # raised whenever what the indexes hold changes its form, so that they are rebuilt
_AT_ONCE = 5_000
_PROVEN, _NEAREST, _LEAST = 20, 10, 0.8  # questions, chunks of each, and the share of them that has to be found
_log = structlog.get_logger(__name__)


class Indexes:
    """All search indexes of one embedding model, in a folder of this process alone. Writes come one at a time: `turn`
    is held by whoever calls what changes them, but for `check`, which waits for its turn itself."""

    def __init__(
        self,
        database: Database,
        log: ChangeLog,
        embedder: Embedder,
        folder: Path,
        turn: asyncio.Lock,
        sharing: Sharing | None = None,
    ) -> None:
        """With `sharing`, the vector index is on a server, and one for all processes."""
        folder.mkdir(parents=True, exist_ok=True)
        self.number = 0
        """The last write that the vectors in memory have followed."""
        self._contents = Contents(database)
        self._log = log
        self._embedder = embedder
        self._folder = folder
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self.table = VectorTable(embedder.dimensions, folder)
        self.lexical = LexicalIndex(folder / "lexical")
        stamp = Stamp(_FORM, embedder.name, embedder.dimensions, "", 0, "")
        of_vectors = {"write": self._write_vectors, "fill": self._fill_vectors, "prove": self._prove_vectors}
        of_words = {"write": self._write_words, "fill": self._fill_words, "prove": self._prove_words}
        both: dict[str, Any] = {"log": log, "changes": self._since}
        vectors: Tended
        if sharing is None:
            home = folder / "vectors"
            index = VectorIndex(FolderHome(home), embedder.dimensions)
            vectors = OwnTended(index, stamp, home, **both, **of_vectors)
        else:
            vectors = shared = sharing.tended(database, stamp, turn, **both, **of_vectors)
            index = shared.vectors
        self.vectors = index
        words = OwnTended(self.lexical, stamp, folder / "lexical", **both, **of_words)
        self._tended: dict[str, Tended] = {one.name: one for one in (vectors, words)}

    async def open(self) -> None:
        """Loads the vectors and opens the indexes that were closed in peace; the others are mended in the background.

        Every chunk has to have a vector of the model.
        """
        await self._load()
        now = await self._log.standing()
        if now.logged <= self.number and self.table.holds != (now.chunks, now.checksum) and await self._log.recount():
            _log.warning("knowledge.recounted", why="somebody else wrote to the database")
            await self._load()
            now = await self._log.standing()
        for tended in self._tended.values():
            await tended.open(now)
            tended.mend_soon(self._turn)

    async def apply(self, written: Written) -> None:
        """Follows a write of this process, and what others wrote before it."""
        if written.previous > self.number:
            await self.catch_up()
            return
        await self._take(written)

    async def catch_up(self) -> bool:
        """Follows what was written since, whoever wrote it. Returns whether there was anything. Raises
        StoreUnavailable; what was followed before stays."""
        found = False
        while (now := await self._log.standing()).logged > self.number:
            found = True
            if self.number < now.floor:
                _log.warning("knowledge.far_behind", count=now.number - self.number, next="all is loaded anew")
                await self._load()
                for tended in self._tended.values():
                    tended.fall_behind("it missed too many writes")
                    tended.mend_soon(self._turn)
                continue
            logged = await self._log.since(self.number)
            if logged is not None:
                await self._take(await self._contents.written(logged, self._embedder.name))
        self.number = max(self.number, now.number)
        return found

    async def check(self, *, closely: bool = False) -> None:
        """Compares everything with the database: the vectors in memory by their checksum, the indexes by their count;
        or `closely`, by all keys that there are and what is found. What differs is mended. Raises StoreUnavailable."""
        async with self._turn:
            if closely and await self._log.recount():
                _log.warning("knowledge.recounted", why="somebody else wrote to the database")
            await self.catch_up()
            now = await self._log.standing()
            if now.logged <= self.number and self.table.holds != (now.chunks, now.checksum):
                _log.warning("knowledge.vectors_differ", next="loaded anew")
                await self._load()
            for tended in self._tended.values():
                if tended.is_whole and tended.is_kept_here:
                    await self._compare(tended, closely)
        for tended in self._tended.values():
            tended.mend_soon(self._turn)

    async def _compare(self, tended: Tended, closely: bool) -> None:
        count, checksum = self.table.holds
        try:
            if closely:
                there = await asyncio.to_thread(tended.index.holds)
            else:
                there = await asyncio.to_thread(tended.index.count), checksum
            if closely:
                await tended.prove()
            if there != (count, checksum):
                raise IndexBroken(f"it holds {there[0]} chunks, the database {count}, or others")
        except IndexBroken as error:
            self.report_broken(tended.index, error)

    async def rest(self) -> None:
        """Notes what the indexes hold, after a refresh or once nothing was written for a while."""
        for tended in self._tended.values():
            await tended.rest()

    def report_broken(self, index: SearchIndex, error: IndexBroken) -> None:
        """Notes that an index failed in use. It is rebuilt in the background."""
        if self._tended[index.name].break_off(error):
            _log.warning("knowledge.index_failed", index=index.name, problem=str(error), next="rebuilt")
            self._loop.call_soon_threadsafe(self.mend)  # searches run in threads

    def mend(self) -> None:
        """Has what cannot be used mended in the background."""
        for tended in self._tended.values():
            tended.mend_soon(self._turn)

    async def mended(self) -> None:
        """Waits until all that is being mended can be used."""
        for tended in self._tended.values():
            await tended.mended()

    def is_usable(self, index: SearchIndex) -> bool:
        """Whether an index is whole and in step."""
        return self._tended[index.name].is_whole

    @property
    def troubles(self) -> dict[str, str]:
        """Why an index cannot be used now, by its name."""
        return {name: one.trouble for name, one in self._tended.items() if one.trouble is not None}

    @property
    def failing(self) -> dict[str, str]:
        """Those of `troubles` whose rebuild failed, and is tried again."""
        return {name: why for name, why in self.troubles.items() if self._tended[name].failed}

    @property
    def snapshot(self) -> Snapshot:
        """The vectors in memory as they are now."""
        return self.table.snapshot

    async def close(self, *, for_good: bool = False) -> None:
        """Lets go of the folders; `for_good`, nobody will ask for this model's indexes again."""
        for tended in self._tended.values():
            await tended.close(for_good=for_good)

    async def _load(self) -> None:
        """Loads the vectors; what is written meanwhile is followed afterwards."""
        now = await self._log.standing()
        table = VectorTable(self._embedder.dimensions, self._folder)
        async for rows in self._contents.vectors(self._embedder.name):
            table.add(rows.keys, rows.facets, rows.vectors)
        self.table, self.number = table, now.number

    async def _since(self, number: int) -> AsyncIterator[Written]:
        while (logged := await self._log.since(number)) is not None:
            yield await self._contents.written(logged, self._embedder.name)
            number = logged.number

    async def _take(self, written: Written) -> None:
        # First in memory, in one step: every search passes here, so nobody finds a document half old and half new.
        table, last = self.table, self.table.last
        table.remove(written.removed)
        new = [place for place, chunk in enumerate(written.added) if chunk.key > last]
        if new:
            added = [written.added[place] for place in new]
            table.add([chunk.key for chunk in added], [chunk.facets for chunk in added], written.vectors[new])
        table.move([chunk.key for chunk in written.moved], [chunk.facets for chunk in written.moved])
        if written.restricted is not None:
            table.restrict(written.restricted.keys, written.restricted.readers)
        since, self.number = self.number, max(self.number, written.number)
        for tended in self._tended.values():
            await tended.take(written, since)
            tended.mend_soon(self._turn)

    async def _write_vectors(self, written: Written, again: bool) -> None:
        if written.removed:
            await asyncio.to_thread(self.vectors.remove, written.removed)
        if written.added:
            await asyncio.to_thread(self.vectors.add, [chunk.key for chunk in written.added], written.vectors)

    async def _fill_vectors(self) -> AsyncIterator[None]:
        snapshot = self.table.snapshot
        rows = snapshot.alive.nonzero()[0]
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            keys = [int(key) for key in snapshot.keys[some]]
            await asyncio.to_thread(self.vectors.add, keys, await asyncio.to_thread(snapshot.full.read, some))
            yield

    async def _prove_vectors(self) -> bool:
        """Holds what it finds against the exact search. False where that says nothing: something was written meanwhile,
        so the index holds other chunks than the table."""
        snapshot, held = self.table.snapshot, self.table.holds
        try:
            await asyncio.to_thread(self._compare_nearest, snapshot)
        except IndexAway:
            raise
        except IndexBroken:
            if await asyncio.to_thread(self.vectors.holds) == held:
                raise
            return False
        return True

    def _compare_nearest(self, snapshot: Snapshot) -> None:
        rows = snapshot.alive.nonzero()[0]
        found = wanted = 0
        for row in rows[:: max(1, len(rows) // _PROVEN)]:
            vector = snapshot.full.read([row])[0]
            exact = snapshot.keys[snapshot.nearest(vector, snapshot.alive, _NEAREST)[0]].tolist()
            found += len(set(exact) & set(self.vectors.nearest(vector, len(exact))))
            wanted += len(exact)
        if found < _LEAST * wanted:
            raise IndexBroken(f"it finds {found} of the {wanted} nearest chunks")

    async def _write_words(self, written: Written, again: bool) -> None:
        stale = [*written.removed, *(chunk.key for chunk in written.moved)]
        stale += [chunk.key for chunk in written.added] if again else []
        await self._rewrite(stale, [*written.added, *written.moved])
        if written.restricted is not None:
            async for chunks in self._contents.indexed(written.restricted.keys):
                await self._rewrite([chunk.key for chunk in chunks], chunks)

    async def _rewrite(self, stale: list[int], chunks: list[IndexedChunk]) -> None:
        def write() -> None:
            if stale:
                self.lexical.remove(stale)
            self.lexical.add(_searched(chunk) for chunk in chunks)
            self.lexical.commit()

        if stale or chunks:
            await asyncio.to_thread(write)

    async def _prove_words(self) -> bool:
        """Searches once."""
        await asyncio.to_thread(self.lexical.try_out)
        return True

    async def _fill_words(self) -> AsyncIterator[None]:
        async for chunks in self._contents.indexed():
            await asyncio.to_thread(self.lexical.add, [_searched(chunk) for chunk in chunks])
            yield
        await asyncio.to_thread(self.lexical.commit)


def _searched(chunk: IndexedChunk) -> Entry:
    return Entry(chunk.key, chunk.facets, searchable([chunk.path, " > ".join(chunk.heading)], chunk.text))
