"""Every change to what is known of one source: whole, in turn with those of others, the database before the indexes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from knowledge.documents import document_id
from knowledge.errors import RefreshStopped
from knowledge.indexes import Indexes
from knowledge.records import Embedded, Known, KnownProblem, Mark, Replacement, Written
from knowledge.store import Store
from knowledge.uninterrupted import uninterrupted

_AT_ONCE = 500  # documents removed in one turn: others need not wait for thousands


class SourceWriter:
    """The one who writes for a source, whether a refresh runs, a document is followed or readers are withdrawn.

    `turn` is shared by all sources: one change at a time reaches the indexes. What an event told of since the refresh,
    or the event before, is left to whoever follows it, whichever process that is.
    """

    def __init__(self, source: str, store: Store, indexes: Indexes, turn: asyncio.Lock, model: str) -> None:
        self.source = source
        self.forgotten = asyncio.Event()
        self._store = store
        self._indexes = indexes
        self._turn = turn
        self._model = model
        self._gone: set[str] = set()
        # What is followed has a mark of its own: a refresh goes by what was restricted since that began.
        self._marks: dict[bool, Mark] = {}

    async def begin(self, kind: str) -> str | None:
        """A refresh begins: what it lists from now on is news. Returns the state that it goes on from."""
        self.forgotten = asyncio.Event()
        self._gone.clear()
        self._marks[False], state = await self._store.begin(self.source, kind)
        return state

    async def follow(self, path: str, kind: str) -> None:
        """Whoever began to read the document before now comes too late to write it."""
        self._marks[True] = await self._store.follow(self.source, kind, path)

    def listed(self, path: str) -> None:
        """The document is there (again)."""
        self._gone.discard(path)

    async def put(self, batch: Sequence[Replacement], embedded: Embedded, *, live: bool = False) -> list[str]:
        """Writes documents; returns the paths of those that nobody told anything newer about meanwhile.

        `live`: they were read for an event.
        """
        async with self._turn:
            self._check()
            # Of two readings of one document the later one.
            by_path = {read.document.path: read for read in batch}
            current = [each for path, each in by_path.items() if path not in self._gone]
            if not current:
                return []
            return (await uninterrupted(self._put(current, embedded, live))).paths

    async def _put(self, current: Sequence[Replacement], embedded: Embedded, live: bool) -> Written:
        written = await self._store.write(self._marks[live], current, embedded, self._model)
        await self._indexes.apply(written)
        return written

    async def drop(self, paths: Iterable[str], *, live: bool = False, unless_followed: bool = False) -> list[str]:
        """Takes documents out, some at a time; returns which. `unless_followed`: an event that told of one since the
        refresh began knows better."""
        every, gone = list(paths), []
        if not unless_followed:
            self._gone.update(every)
        for start in range(0, len(every), _AT_ONCE):
            ids = {path: document_id(self.source, path) for path in every[start : start + _AT_ONCE]}
            async with self._turn:
                self._check()
                gone += (await uninterrupted(self._drop(ids, live, unless_followed))).paths
        return gone

    async def _drop(self, ids: Mapping[str, str], live: bool, unless_followed: bool) -> Written:
        written = await self._store.remove(self._marks[live], ids, unless_followed=unless_followed)
        await self._indexes.apply(written)
        return written

    async def restamp(self, path: str, now: Known) -> None:
        """Notes another version, other readers or another link of a document whose text stays."""
        async with self._turn:
            self._check()
            await uninterrupted(self._restamp(path, now))

    async def _restamp(self, path: str, now: Known) -> None:
        await self._indexes.apply(await self._store.restamp(self._marks[False], path, now))

    async def restrict(self, readers: frozenset[str]) -> None:
        """Gives all documents other readers, those too that a refresh has in hand."""
        async with self._turn:
            await uninterrupted(self._restrict(readers))

    async def _restrict(self, readers: frozenset[str]) -> None:
        await self._indexes.apply(await self._store.restrict(self.source, readers))

    async def forget(self) -> int:
        """Removes the source with all that came from it; a refresh of it stops. Returns how many chunks went."""
        self.forgotten.set()
        async with self._turn:
            return await uninterrupted(self._forget())

    async def _forget(self) -> int:
        written = await self._store.forget(self.source)
        await self._indexes.apply(written)
        await self._store.prune()
        return len(written.removed)

    async def note(self, found: Mapping[str, KnownProblem], solved: Iterable[str], *, live: bool = False) -> None:
        """Notes what cannot be read, and what can be again."""
        gone = list(solved)
        if found or gone:
            async with self._turn:
                self._check()
                await self._store.note(self._marks[live], found, gone)

    async def keep_state(self, state: str) -> None:
        """Keeps what the source can go on from."""
        async with self._turn:
            self._check()
            await self._store.keep_state(self._marks[False], state)

    def _check(self) -> None:
        if self.forgotten.is_set():
            raise RefreshStopped(f"The refresh of “{self.source}” was stopped: the source was forgotten.")
