"""Every change to what is known of one source: whole, in turn with those of others, the database before the indexes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from knowledge.documents import document_id
from knowledge.errors import RefreshStopped
from knowledge.indexes import Indexes
from knowledge.records import Embedded, Known, KnownProblem, Replacement
from knowledge.refresh.reading import Read
from knowledge.store import Store
from knowledge.uninterrupted import uninterrupted

_AT_ONCE = 500  # documents removed in one turn: others need not wait for thousands


class SourceWriter:
    """The one who writes for a source, whether a refresh runs, a document is followed or readers are withdrawn.

    `turn` is shared by all sources: one change at a time reaches the indexes. What was read before a later event told
    better is not written: `tick` says when a reading began.
    """

    def __init__(self, source: str, store: Store, indexes: Indexes, turn: asyncio.Lock, model: str) -> None:
        self.source = source
        self.forgotten = asyncio.Event()
        self._store = store
        self._indexes = indexes
        self._turn = turn
        self._model = model
        self._ticks = itertools.count(1)
        self._followed: dict[str, int] = {}
        self._gone: set[str] = set()
        self._restricted: frozenset[str] | None = None

    def begin(self) -> None:
        """A refresh begins: what it lists from now on is news."""
        self.forgotten = asyncio.Event()
        self._followed.clear()
        self._gone.clear()
        self._restricted = None

    def tick(self) -> int:
        """The time, as far as the order of events goes."""
        return next(self._ticks)

    def follow(self, path: str, begun: int) -> None:
        """Whoever began to read the document before `begun` comes too late to write it."""
        self._followed[path] = begun

    def is_followed(self, path: str) -> bool:
        """Whether a later event told of the document since the refresh began."""
        return path in self._followed

    def listed(self, path: str) -> None:
        """The document is there (again)."""
        self._gone.discard(path)

    async def put(self, batch: Sequence[Read], embedded: Embedded, *, live: bool = False) -> list[str]:
        """Writes documents; returns the paths of those that nobody told anything newer about meanwhile.

        `live`: they were read for an event, and not from a list that may be older than the readers are.
        """
        async with self._turn:
            self._check()
            by_path = {
                read.replacement.document.path: read.replacement
                for read in batch
                if read.begun >= self._followed.get(read.replacement.document.path, 0)
            }
            current = [each for path, each in by_path.items() if path not in self._gone]
            if self._restricted is not None and not live:
                current = [replace(each, document=replace(each.document, readers=self._restricted)) for each in current]
            if current:
                await uninterrupted(self._put(current, embedded))
            return [each.document.path for each in current]

    async def _put(self, current: Sequence[Replacement], embedded: Embedded) -> None:
        await self._indexes.apply(await self._store.write(current, embedded, self._model))

    async def drop(self, paths: Iterable[str]) -> None:
        """Takes documents out, some at a time."""
        every = list(paths)
        self._gone.update(every)
        for start in range(0, len(every), _AT_ONCE):
            ids = [document_id(self.source, path) for path in every[start : start + _AT_ONCE]]
            async with self._turn:
                self._check()
                await uninterrupted(self._drop(ids))

    async def _drop(self, ids: Sequence[str]) -> None:
        await self._discard(await self._store.remove(ids))

    async def restamp(self, path: str, before: Known, now: Known) -> None:
        """Notes another version, other readers or another link of a document whose text stays."""
        async with self._turn:
            self._check()
            if self._restricted is not None:
                now = replace(now, readers=self._restricted)
            await uninterrupted(self._restamp(document_id(self.source, path), before, now))

    async def _restamp(self, identifier: str, before: Known, now: Known) -> None:
        await self._store.restamp(identifier, now)
        if before.readers != now.readers:
            await self._indexes.restrict(await self._store.keys_of(identifier), now.readers)

    async def restrict(self, readers: frozenset[str]) -> None:
        """Gives all documents other readers, those too that a refresh has in hand."""
        self._restricted = readers
        async with self._turn:
            await uninterrupted(self._restrict(readers))

    async def _restrict(self, readers: frozenset[str]) -> None:
        await self._indexes.restrict(await self._store.restrict(self.source, readers), readers)

    async def forget(self) -> int:
        """Removes the source with all that came from it; a refresh of it stops. Returns how many chunks went."""
        self.forgotten.set()
        async with self._turn:
            return await uninterrupted(self._forget())

    async def _forget(self) -> int:
        removed = await self._store.forget(self.source)
        await self._discard(removed)
        await self._store.prune()
        return len(removed)

    async def note(self, found: Mapping[str, KnownProblem], solved: Iterable[str]) -> None:
        """Notes what cannot be read, and what can be again."""
        gone = list(solved)
        if found or gone:
            async with self._turn:
                self._check()
                await self._store.note(self.source, found, gone)

    async def keep_state(self, state: str) -> None:
        """Keeps what the source can go on from."""
        async with self._turn:
            self._check()
            await self._store.keep_state(self.source, state)

    async def _discard(self, keys: list[int]) -> None:
        if keys:
            await self._indexes.discard(keys)

    def _check(self) -> None:
        if self.forgotten.is_set():
            raise RefreshStopped(f"The refresh of “{self.source}” was stopped: the source was forgotten.")
