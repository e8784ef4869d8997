"""The door to what is known: search, refresh, status."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import numpy as np
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import access
from knowledge.change_log import ChangeLog
from knowledge.chroma import ChromaServer
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.documents import SearchResult
from knowledge.embedding.base import Embedder
from knowledge.errors import KnowledgeError, RefreshStopped, StoreUnavailable, UnknownSource
from knowledge.filters import Filters, reach
from knowledge.folder_lock import FolderLock, own_folder
from knowledge.keeper import Keeper
from knowledge.kept_vectors import KeptVectors
from knowledge.leases import Leases
from knowledge.memory import few_heaps
from knowledge.processes import Processes
from knowledge.records import IndexedChunk, Pieces, Settled
from knowledge.reembedding import Reembedding
from knowledge.refresh.following import Findable, follow
from knowledge.refresh.source_refresh import SourceRefresh
from knowledge.reports import Problem, Progress, RefreshReport, SourceReport, SourceStatus
from knowledge.server_home import ServerHome
from knowledge.serving import Serving
from knowledge.shared_tended import Sharing
from knowledge.sources.base import Source
from knowledge.store import Store
from knowledge.uninterrupted import uninterrupted

_log = structlog.get_logger(__name__)


class KnowledgeBase:
    """What a team knows. Made by `open_knowledge`; close it when done."""

    def __init__(
        self,
        database: Database,
        store: Store,
        log: ChangeLog,
        leases: Leases,
        wanted: Embedder,
        serving: Serving,
        sources: Sequence[Source],
        lock: FolderLock,
        turn: asyncio.Lock,
        sharing: Sharing | None,
        processes: Processes,
    ) -> None:
        self._sharing = sharing
        self._processes = processes
        self._elsewhere: frozenset[str] = frozenset()
        self._switching: asyncio.Task[None] | None = None
        self._database = database
        self._store = store
        self._log = log
        self._leases = leases
        self._contents = Contents(database)
        self._kept = KeptVectors(database)
        self._wanted = wanted
        self._serving = serving
        self._lock = lock
        self._turn = turn
        self._refreshing = asyncio.Lock()
        self._following: dict[str, asyncio.Lock] = {}
        self._may_follow = asyncio.Event()
        self._may_follow.set()
        self._closing = asyncio.Event()
        self._sources: dict[str, Source] = {}
        self.set_sources(sources)
        self._keeping = asyncio.create_task(Keeper(database, lambda: self._serving.indexes, turn, self._agree).run())

    @property
    def embedder(self) -> Embedder:
        """The embedding model that answers now."""
        return self._serving.embedder

    @property
    def wanted(self) -> Embedder:
        """The embedding model that is configured: until it knows every text, another answers."""
        return self._wanted

    @property
    def next_model(self) -> str | None:
        """The embedding model that `switch_model` would switch to; None where the one that was wanted answers."""
        return None if self._wanted.name == self._serving.embedder.name else self._wanted.name

    @property
    def disagreement(self) -> str | None:
        """A sentence where other processes on this database want another embedding model."""
        return _disagreement(self._wanted.name, self._elsewhere) if self._elsewhere else None

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
        scopes = access.held(scopes)
        if not text.strip() or k < 1:
            return SearchResult((), np.zeros(self.embedder.dimensions, np.float32), 0.0, 0.0)
        within = reach(scopes, frozenset(self._sources), filters or Filters())
        return await self._serving.retriever.search(text, within, k, joined=joined)

    async def refresh(self, names: Sequence[str] | None = None, *, progress: Progress | None = None) -> RefreshReport:
        """Reads what changed in the sources named (None: all of them, and forgets those that are none any more).

        A second refresh waits for the first, in whichever process that is. Raises UnknownSource, StorageFull and
        StoreUnavailable, and RefreshStopped where the knowledge is closed meanwhile; what
        cannot be read is in the report and stops nothing.
        """
        chosen = self._chosen(names)
        if self.is_refreshing:
            _log.info("knowledge.refresh_waits", reason="another refresh is running")
        async with self._refreshing:
            started = time.monotonic()
            try:
                if names is None:
                    await self.forget_others()
                reports = [await self._refresh(source, progress) for source in chosen]
                await self._in_turn(self._store.prune())
            finally:
                await self._in_turn(self._serving.indexes.rest())
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
        await self._may_follow.wait()
        # One at a time for a source: what was read later is written later.
        async with self._following.setdefault(source, asyncio.Lock()):
            if self._closing.is_set():
                raise RefreshStopped(f"“{path}” of “{source}” was not followed: the knowledge is closed.")
            serving = self._serving
            await follow(there, there, path, serving.writer(source), serving.reader, serving.vectors)
            await self._settle()

    async def restrict(self, source: str, readers: frozenset[str]) -> None:
        """Gives all documents of a source these readers, in one transaction; others find them no more at once.

        A refresh of it that runs gives them to what it still writes. Raises InvalidScope and StoreUnavailable.
        """
        await self._serving.writer(source).restrict(access.parse_scopes(readers))
        await self._settle()

    async def forget(self, source: str) -> None:
        """Drops all that came from a source; a refresh of it that runs is stopped. Raises StoreUnavailable.

        One that is still among the sources is read anew by the next refresh.
        """
        await self._forget(source)
        await self._settle()

    async def forget_others(self) -> None:
        """Drops all that came from sources that are none any more; a refresh of all does. Raises StoreUnavailable."""
        for name in await self._contents.known_sources() - self._sources.keys():
            await self._forget(name)

    async def switch_model(self) -> bool:
        """Embeds everything with the model that is wanted, beside the one that answers, and switches when all is whole.

        False where there is nothing to switch, or other processes want another model. What was embedded until it fails
        or is stopped is kept. Raises EmbeddingUnavailable, StoreUnavailable, and RefreshStopped where the knowledge is
        closed meanwhile.
        """
        if self.next_model is None:
            return False
        await self._hear_others()
        if self._elsewhere:
            return False
        wanted = self._wanted
        filling = Reembedding(self._kept, wanted, self._closing)
        async with self._leases.held("embedding model"):
            done = await filling.run(self._in_turn)
            self._may_follow.clear()
            try:
                async with self._refreshing, AsyncExitStack() as stack:
                    for lock in self._following.values():
                        await stack.enter_async_context(lock)
                    done += await filling.run(self._in_turn)  # what came in meanwhile
                    async with self._turn:
                        await uninterrupted(self._switch_to(wanted))
            finally:
                self._may_follow.set()
        _log.info("knowledge.model_switched", model=wanted.name, texts=done)
        return True

    async def _agree(self) -> None:
        """Hears what other processes want, and follows one that has switched to the model that this one wants too."""
        await self._hear_others()
        if self.next_model is None or self._elsewhere or self._closing.is_set():
            return
        if (self._switching is None or self._switching.done()) and not await self._kept.lacks(self._wanted.name):
            self._switching = asyncio.create_task(self._follow_switch())

    async def _follow_switch(self) -> None:
        try:
            await self.switch_model()
        except KnowledgeError as error:
            _log.warning("knowledge.model_not_switched", model=self._wanted.name, problem=str(error))

    async def _hear_others(self) -> None:
        before, self._elsewhere = self._elsewhere, await self._processes.beat(self._wanted.name, self.failing)
        if self._elsewhere - before:
            _log.warning("knowledge.models_differ", model=self._wanted.name, others=sorted(self._elsewhere))

    async def _switch_to(self, wanted: Embedder) -> None:
        fresh = Serving(self._database, self._store, self._log, wanted, self._lock.folder, self._turn, self._sharing)
        await fresh.indexes.open()
        before, self._serving = self._serving, fresh
        await before.remove()
        await self._kept.drop_models(wanted.name)

    async def check(self, *, closely: bool = False) -> dict[str, str]:
        """Compares what is searched with the database, `closely` by all keys that the indexes hold. What differs is
        mended in the background. Returns why an index cannot be used now, by its name. Raises StoreUnavailable."""
        await uninterrupted(self._serving.indexes.check(closely=closely))
        return self.troubles

    @property
    def troubles(self) -> dict[str, str]:
        """Why an index cannot be used now, by its name: it is being mended, and search goes on with the others."""
        return self._serving.indexes.troubles

    @property
    def failing(self) -> dict[str, str]:
        """Those of `troubles` whose rebuild failed and is tried again."""
        return self._serving.indexes.failing

    async def failing_anywhere(self) -> dict[str, str]:
        """The same of all living processes of the database. Raises StoreUnavailable."""
        return await self._processes.failing() | self.failing

    async def mended(self) -> None:
        """Waits until every index that is being mended can be used."""
        await self._serving.indexes.mended()

    async def status(self) -> list[SourceStatus]:
        """How each source stands, in the order in which they were named."""
        return await self._contents.status({name: source.kind for name, source in self._sources.items()})

    async def sources_for(self, scopes: frozenset[str]) -> tuple[str, ...]:
        """The names of the sources that an audience with `scopes` may read anything of, in the order of `sources`."""
        held = await self._contents.sources_for(access.held(scopes))
        return tuple(name for name in self._sources if name in held)

    async def titles(self, scopes: frozenset[str]) -> list[tuple[str, str, str | None]]:
        """Title, path and link of every document that an audience with `scopes` may read."""
        return await self._contents.titles(access.held(scopes))

    async def readers_of(self, document_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Who may read these documents now; those that are gone are left out."""
        return await self._contents.readers_of(document_ids)

    async def texts_since(self, number: int | None, most: int) -> tuple[int, list[IndexedChunk]]:
        """The number of the last write, and the chunks that came after the write with this `number`, `most` at most;
        none where nobody knows any more which these are (None: since ever)."""
        standing = await self._log.standing()
        if number is None or number < standing.floor:
            return standing.number, []
        keys: list[int] = []
        last = number
        while len(keys) < most and (logged := await self._log.since(last)) is not None:
            last = logged.number
            keys += logged.added
        found = [chunk async for some in self._contents.indexed(keys[:most]) for chunk in some]
        return max(standing.number, last), found

    async def digests_of(self, document_ids: Sequence[str]) -> dict[str, str]:
        """The digests of these documents as they were read last; those that are gone are left out."""
        return await self._contents.digests_of(document_ids)

    async def same_as(self, digest: str) -> list[str]:
        """The ids of the documents that were read with this digest."""
        return await self._contents.same_as(digest)

    async def pieces_of(self, document_id: str, scopes: frozenset[str] | None) -> Pieces | None:
        """A document in its pieces; None where it is gone or an audience with `scopes` may not read it. With None for
        scopes it is only held against other words, and shown to nobody."""
        return await self._contents.pieces_of(document_id, scopes)

    async def settled(self) -> Settled:
        """The sources of which the last refresh came to a good end, so that what is not there is gone, and what of them
        could not be read."""
        return await self._contents.settled()

    async def version(self) -> str:
        """The embedding model and a digest of all documents with their readers, which changes with any of them."""
        return f"{self.embedder.name} {await self._contents.version()}"

    async def ping(self) -> None:
        """Raises StoreUnavailable where the database of knowledge does not answer."""
        await self._database.ping()

    @property
    def chroma(self) -> ChromaServer | None:
        """The server of the vector index; None where it is in this process."""
        return None if self._sharing is None else self._sharing.server

    async def ping_chroma(self) -> None:
        """Raises IndexAway where the server of the vector index does not answer, or refuses."""
        if self._sharing is not None:
            await asyncio.to_thread(ServerHome(self._sharing.server, "").ping)

    async def close(self) -> None:
        """Stops a refresh that runs, as soon as what it has in hand is written, and closes everything it uses."""
        self._closing.set()
        running = [task for task in (self._keeping, self._switching) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        async with self._refreshing:
            try:
                await self._serving.close()
                for embedder in {self._serving.embedder, self._wanted}:
                    await embedder.close()
            finally:
                self._lock.release()
        with suppress(StoreUnavailable):
            await self._processes.leave()

    async def _refresh(self, source: Source, progress: Progress | None) -> SourceReport:
        if self._closing.is_set():
            raise RefreshStopped(f"The refresh of “{source.name}” was not begun: the knowledge is closed.")
        async with self._leases.held(f"refresh {source.name}") as lease:
            if lease.done_meanwhile:
                lease.done_well = True
                return await self._as_known(source)
            refresh = SourceRefresh(
                source,
                self._serving.writer(source.name),
                self._serving.reader,
                self._serving.vectors,
                self._store,
                progress=progress,
                stopping=(self._closing, lease.lost),
            )
            try:
                report = await refresh.run()
                lease.done_well = True
            except RefreshStopped as error:
                if self._closing.is_set():
                    raise
                report = SourceReport(source.name, problems=(Problem("", str(error)),))
            return report

    async def _as_known(self, source: Source) -> SourceReport:
        """The report of a source that another process has just refreshed."""
        (status,) = await self._contents.status({source.name: source.kind})
        there = status.documents
        return SourceReport(source.name, seen=there, unchanged=there, problems=status.problems)

    async def _settle(self) -> None:
        """After a change outside a refresh: ends it as a refresh does. One that runs does it itself."""
        if not self.is_refreshing:
            await self._in_turn(self._store.prune())
            await self._in_turn(self._serving.indexes.rest())

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

    async def _forget(self, name: str) -> None:
        chunks = await self._serving.writer(name).forget()
        _log.info("knowledge.source_forgotten", source=name, chunks=chunks)


async def open_knowledge(
    *,
    engine: AsyncEngine,
    data_dir: Path,
    embedder: Embedder,
    sources: Sequence[Source],
    others: Callable[[], Sequence[Embedder]] = tuple,
    worker: str = "",
    chroma: ChromaServer | None = None,
) -> KnowledgeBase:
    """Opens what is known, on a database that has the tables of `knowledge:migrations`.

    `data_dir` holds the search indexes, for each process in a folder of its own; those that are broken, missing or
    behind are mended in the background. With `chroma` the vector index is on that server, one for all processes of the
    database; it need not be there now. `worker` is what this process is called among all that use the database.
    `embedder` is the model that is wanted; where it does not know everything yet, one of `others` that does answers
    until `switch_model`. The models in use are closed with the knowledge. Nothing is refreshed yet.

    Raises KnowledgeInUse, StorageFull and StoreUnavailable, and KnowledgeError where everything would have to be read
    anew for `embedder` while other processes want another model.
    """
    few_heaps()
    database, turn = Database(engine), asyncio.Lock()
    # One process alone uses a SQLite; what several use is in a PostgreSQL, and each has indexes of its own.
    lock = await asyncio.to_thread(own_folder if database.is_shared else FolderLock, data_dir)
    serving: Serving | None = None
    processes: Processes | None = None
    try:
        worker = worker or uuid.uuid4().hex
        log, leases, kept = ChangeLog(database), Leases(database, worker), KeptVectors(database)
        processes = Processes(database, worker)
        store = Store(database, log)
        sharing = None if chroma is None else Sharing(chroma, leases)
        if not database.is_shared:
            await leases.clear()
        answering = await _answering(kept, embedder, others)
        elsewhere = await processes.beat(embedder.name)
        if await kept.lacks(answering.name):
            if elsewhere:
                raise KnowledgeError(_disagreement(embedder.name, elsewhere))
            outdated = await store.let_go(answering.name)
            _log.warning("knowledge.model_changed", model=answering.name, documents=outdated, next="refresh")
        serving = Serving(database, store, log, answering, lock.folder, turn, sharing)
        await serving.indexes.open()
        return KnowledgeBase(database, store, log, leases, embedder, serving, sources, lock, turn, sharing, processes)
    except BaseException:
        if serving is not None:
            await serving.close()
        if processes is not None:
            with suppress(StoreUnavailable):
                await processes.leave()
        lock.release()
        raise


def _disagreement(wanted: str, elsewhere: frozenset[str]) -> str:
    others = " and ".join(f"“{name}”" for name in sorted(elsewhere))
    return (
        f"The embedding model here is “{wanted}”, and other processes on this database want {others}. Nothing is "
        "switched or read anew while they run: set knowledge.embedding alike for all."
    )


async def _answering(kept: KeptVectors, wanted: Embedder, others: Callable[[], Sequence[Embedder]]) -> Embedder:
    """The model that is wanted, unless another one alone knows everything."""
    if await kept.lacks(wanted.name):
        for embedder in others():
            if embedder.name != wanted.name and not await kept.lacks(embedder.name):
                return embedder
    return wanted
