"""The door to what is known: search, refresh, status."""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import access
from knowledge.documents import SearchResult
from knowledge.embedding.base import Embedder
from knowledge.embedding.minilm import MiniLM
from knowledge.errors import KnowledgeError, KnowledgeInUse, RefreshStopped, StorageFull, UnknownSource
from knowledge.filters import Filters, reach
from knowledge.indexes import Indexes
from knowledge.refresh.following import Findable, follow
from knowledge.refresh.reading import Reader
from knowledge.refresh.source_refresh import SourceRefresh
from knowledge.refresh.vectors import Vectors
from knowledge.refresh.writer import SourceWriter
from knowledge.reports import Problem, Progress, RefreshReport, SourceReport, SourceStatus
from knowledge.retrieval import Retriever
from knowledge.sources.base import Source
from knowledge.store import Store
from knowledge.uninterrupted import uninterrupted

_log = structlog.get_logger(__name__)


class KnowledgeBase:
    """What a team knows. Made by `open_knowledge`; close it when done."""

    def __init__(
        self, store: Store, embedder: Embedder, indexes: Indexes, sources: Sequence[Source], lock: FolderLock
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._indexes = indexes
        self._retriever = Retriever(store, embedder, indexes)
        self._lock = lock
        self._refreshing = asyncio.Lock()
        self._turn = asyncio.Lock()  # held for one change to the database and the indexes
        self._following: dict[str, asyncio.Lock] = {}
        self._writers: dict[str, SourceWriter] = {}
        self._reader = Reader(embedder)
        self._vectors = Vectors(store, embedder)
        self._pruned = False
        self._closing = asyncio.Event()
        self._sources: dict[str, Source] = {}
        self.set_sources(sources)

    @property
    def embedder(self) -> Embedder:
        """The embedding model, for others who compare texts."""
        return self._embedder

    @property
    def is_refreshing(self) -> bool:
        """Whether a refresh runs now; another would wait for it."""
        return self._refreshing.locked()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources, in the order in which they were named."""
        return tuple(self._sources.values())

    def set_sources(self, sources: Sequence[Source]) -> None:
        """Names the sources. What came from others is found no more, and goes with the next refresh of all.

        Raises KnowledgeError where two have one name.
        """
        named = {source.name: source for source in sources}
        if len(named) != len(sources):
            names = [source.name for source in sources]
            twice = next(name for name in names if names.count(name) > 1)
            raise KnowledgeError(f"Two sources are called “{twice}”. Give each a name of its own.")
        self._sources = named

    async def search(
        self, text: str, *, scopes: frozenset[str], k: int = 6, filters: Filters | None = None, joined: bool = True
    ) -> SearchResult:
        """The `k` best passages for `text` that an audience with `scopes` may read, best first.

        `filters` narrows what is searched. With `joined` false each passage is one chunk and none is left out for
        variety, so that `k` are given where there are as many. Raises InvalidScope and StoreUnavailable.
        """
        scopes = access.parse_scopes(scopes)
        if not text.strip() or k < 1:
            return SearchResult((), np.zeros(self._embedder.dimensions, np.float32), 0.0, 0.0)
        within = reach(scopes, frozenset(self._sources), filters or Filters())
        return await self._retriever.search(text, within, k, joined=joined)

    async def refresh(self, names: Sequence[str] | None = None, *, progress: Progress | None = None) -> RefreshReport:
        """Reads what changed in the sources named (None: all of them, and forgets those that are none any more).

        A second refresh waits for the first. Raises UnknownSource, StorageFull and StoreUnavailable, and RefreshStopped
        where the knowledge is closed meanwhile; what cannot be read is in the report and stops nothing.
        """
        chosen = self._chosen(names)
        if self.is_refreshing:
            _log.info("knowledge.refresh_waits", reason="another refresh is running")
        async with self._refreshing:
            started = time.monotonic()
            try:
                if names is None:
                    await self._forget_others()
                reports = [await self._refresh(source, progress) for source in chosen]
                # The first time in any case: a process before this one may have been killed on its way here.
                if not self._pruned or any(report.removed or report.changed for report in reports):
                    await self._in_turn(self._store.prune())
                    self._pruned = True
            finally:
                await self._in_turn(self._indexes.seal())
            return RefreshReport(tuple(reports), time.monotonic() - started)

    async def follow(self, source: str, path: str) -> None:
        """Brings one document in line with its source, as after an event that tells of it; out of search at once where
        it is gone.

        Takes its turn with a refresh that runs: it waits for one write of it at most. Raises UnknownSource,
        SourceUnavailable, EmbeddingUnavailable and StoreUnavailable, and KnowledgeError where the source cannot tell of
        one document alone.
        """
        (there,) = self._chosen([source])
        if not isinstance(there, Findable):
            raise KnowledgeError(f"The source “{source}” cannot tell of one document alone. Refresh it instead.")
        # One at a time for a source: what was read later is written later.
        async with self._following.setdefault(source, asyncio.Lock()):
            if self._closing.is_set():
                raise RefreshStopped(f"“{path}” of “{source}” was not followed: the knowledge is closed.")
            await self._store.begin(source, there.kind)
            await follow(there, there, path, self._writer(source), self._reader, self._vectors)
            await self._settle()

    async def restrict(self, source: str, readers: frozenset[str]) -> None:
        """Gives all documents of a source these readers, in one transaction; others find them no more at once.

        A refresh of it that runs gives them to what it still writes. Raises InvalidScope and StoreUnavailable.
        """
        await self._writer(source).restrict(access.parse_scopes(readers))
        await self._settle()

    async def forget(self, source: str) -> None:
        """Drops all that came from a source; a refresh of it that runs is stopped. Raises StoreUnavailable.

        One that is still among the sources is read anew by the next refresh.
        """
        await self._forget(source)
        await self._settle()

    async def status(self) -> list[SourceStatus]:
        """How each source stands, in the order in which they were named."""
        return await self._store.status({name: source.kind for name, source in self._sources.items()})

    async def ping(self) -> None:
        """Raises StoreUnavailable where the database of knowledge does not answer."""
        await self._store.ping()

    async def close(self) -> None:
        """Stops a refresh that runs, as soon as what it has in hand is written, and closes everything it uses."""
        self._closing.set()
        async with self._refreshing:
            try:
                await self._retriever.close()
                await self._indexes.close()
                await self._embedder.close()
            finally:
                self._lock.release()

    async def _refresh(self, source: Source, progress: Progress | None) -> SourceReport:
        if self._closing.is_set():
            raise RefreshStopped(f"The refresh of “{source.name}” was not begun: the knowledge is closed.")
        writer = self._writer(source.name)
        refresh = SourceRefresh(
            source, writer, self._reader, self._vectors, self._store, progress=progress, stopping=self._closing
        )
        try:
            return await refresh.run()
        except RefreshStopped as error:
            if self._closing.is_set():
                raise
            return SourceReport(source.name, problems=(Problem("", str(error)),))

    def _writer(self, source: str) -> SourceWriter:
        if source not in self._writers:
            self._writers[source] = SourceWriter(source, self._store, self._indexes, self._turn, self._embedder.name)
        return self._writers[source]

    async def _settle(self) -> None:
        """After a change outside a refresh: notes that the indexes are whole. A refresh that runs does it itself."""
        if not self.is_refreshing:
            await self._in_turn(self._indexes.seal())

    async def _in_turn(self, work: Coroutine[object, object, None]) -> None:
        async with self._turn:
            await uninterrupted(work)

    def _chosen(self, names: Sequence[str] | None) -> list[Source]:
        if names is None:
            return list(self._sources.values())
        for name in names:
            if name not in self._sources:
                there = ", ".join(self._sources) or "none yet"
                raise UnknownSource(f"There is no source called “{name}”. The sources are: {there}.")
        return [self._sources[name] for name in dict.fromkeys(names)]

    async def _forget_others(self) -> None:
        for name in await self._store.known_sources() - self._sources.keys():
            await self._forget(name)

    async def _forget(self, name: str) -> None:
        chunks = await self._writer(name).forget()
        _log.info("knowledge.source_forgotten", source=name, chunks=chunks)


class FolderLock:
    """Keeps a second process off a knowledge folder: Chroma is not safe with two. The system frees it at any end."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder. Raises KnowledgeInUse, or StorageFull where it cannot be written."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(folder / "knowledge.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StorageFull(
                f"The knowledge folder {folder} cannot be written ({error.strerror}). Make room, or name another."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise KnowledgeInUse(
                f"Another process uses the knowledge in {folder}. Stop it, or give this one a folder of its own."
            ) from error

    def release(self) -> None:
        """Gives the folder back; once is enough, twice does no harm."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


async def open_knowledge(
    *, engine: AsyncEngine, data_dir: Path, models_dir: Path, sources: Sequence[Source]
) -> KnowledgeBase:
    """Opens what is known, on a database that has the tables of `knowledge:migrations`.

    `data_dir` holds the search indexes, which are rebuilt from the database where they are broken, missing or behind;
    `models_dir` the embedding model (see `knowledge.embedding.prepare`). Nothing is refreshed yet. Raises
    KnowledgeInUse, ModelMissing, StorageFull and StoreUnavailable.
    """
    lock = await asyncio.to_thread(FolderLock, data_dir)
    embedder: MiniLM | None = None
    indexes: Indexes | None = None
    try:
        embedder = await asyncio.to_thread(MiniLM, models_dir)
        store = Store(engine, embedder.dimensions)
        indexes = Indexes(store, embedder, data_dir)
        await indexes.open()
        return KnowledgeBase(store, embedder, indexes, sources, lock)
    except BaseException:
        if indexes is not None:
            await indexes.close()
        if embedder is not None:
            await embedder.close()
        lock.release()
        raise
