"""Brings what is known of one source in line with what is there now.

Five stages run side by side: the source lists, a few documents are read ahead and split, they are gathered in batches,
their chunks are embedded, and they are written, each batch whole in the database before the indexes hear of it. The
listing never waits for the rest: what is gone, or has other readers, is out of search at once. An unchanged document
costs no more than its place in the list. A refresh may be killed at any moment; the next one goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from knowledge.documents import document_id
from knowledge.errors import (
    DocumentUnreachable,
    DocumentUnreadable,
    EmbeddingUnavailable,
    RefreshStopped,
    SourceUnavailable,
)
from knowledge.memory import give_back
from knowledge.records import Embedded, Known, KnownProblem, Replacement
from knowledge.refresh.backlog import Backlog
from knowledge.refresh.following import Findable
from knowledge.refresh.problems import Problems
from knowledge.refresh.reading import Broken, Reader
from knowledge.refresh.vectors import Vectors
from knowledge.refresh.writer import SourceWriter
from knowledge.reports import Problem, Progress, RefreshProgress, SourceReport
from knowledge.sources.base import Checkpoint, Complete, Gone, Listed, Listing, Past, Source
from knowledge.store import Store

_log = structlog.get_logger(__name__)
_READ_AHEAD = 4  # documents parsed while others are embedded
_BATCH_CHUNKS = 256  # chunks embedded and written together
_BATCH_DOCUMENTS = 128
_LONGEST_WAIT = 2.0  # seconds that a document which was read waits for others of its batch


@dataclass(slots=True)
class _Batch:
    """Documents that are written together, and the state that the source has come to with them."""

    documents: list[Replacement] = field(default_factory=list)
    chunks: int = 0
    state: str | None = None
    embedded: Embedded | None = None

    @property
    def is_full(self) -> bool:
        return self.chunks >= _BATCH_CHUNKS or len(self.documents) >= _BATCH_DOCUMENTS

    def add(self, read: Replacement) -> None:
        self.documents.append(read)
        self.chunks += len(read.chunks)


class SourceRefresh:
    """One refresh of one source."""

    def __init__(
        self,
        source: Source,
        writer: SourceWriter,
        reader: Reader,
        vectors: Vectors,
        store: Store,
        *,
        progress: Progress | None,
        stopping: Sequence[asyncio.Event],
    ) -> None:
        self._source = source
        self._writer = writer
        self._reader = reader
        self._vectors = vectors
        self._store = store
        self._progress = progress
        self._stopping = stopping
        self._known: dict[str, Known] = {}
        self._unlisted: set[str] = set()
        self._kept_out: frozenset[str] = frozenset()
        self._problems = Problems({})
        self._removed: set[str] = set()
        self._failure: str | None = None
        self._holds_state = False
        self._backlog = Backlog()
        self._reads: asyncio.Queue[asyncio.Task[Replacement | Broken] | Checkpoint | None] = asyncio.Queue(_READ_AHEAD)
        self._gathered: asyncio.Queue[_Batch | None] = asyncio.Queue(1)
        self._batches: asyncio.Queue[_Batch | None] = asyncio.Queue(1)
        self._drained = asyncio.Event()
        self._in_hand: list[Embedded] = []
        self._seen = self._done = self._total = self._chunks = self._added = self._changed = 0

    async def run(self) -> SourceReport:
        """Does it all. Raises StoreUnavailable and RefreshStopped; what was written until then is whole."""
        started = time.monotonic()
        name = self._source.name
        state = await self._writer.begin(self._source.kind)
        self._known = await self._store.known(name)
        self._kept_out = await self._store.kept_out()
        self._problems = Problems(await self._store.known_problems(name))
        self._unlisted = set(self._known)
        try:
            await self._run_stages(state)
        except (EmbeddingUnavailable, SourceUnavailable) as error:
            self._failure = str(error)
        finally:
            self._backlog.close()
            for embedded in list(self._in_hand):
                self._settle(embedded)
        await self._tell_failure()
        seconds = time.monotonic() - started
        await self._store.finish(name, None if self._failure else datetime.now(UTC), seconds)
        return SourceReport(
            source=name,
            seen=self._seen,
            added=self._added,
            changed=self._changed,
            removed=len(self._removed),
            unchanged=len(self._known) - len(self._removed) - self._changed,
            chunks=self._chunks,
            seconds=seconds,
            problems=tuple(Problem(path, one.sentence) for path, one in self._problems.all()),
        )

    async def _run_stages(self, state: str | None) -> None:
        """All stages until the last is done, or until somebody stops them."""
        work = asyncio.create_task(self._stages(state))
        stops = [asyncio.create_task(event.wait()) for event in (*self._stopping, self._writer.forgotten)]
        try:
            await asyncio.wait([work, *stops], return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                why = (
                    "the source was forgotten" if self._writer.forgotten.is_set() else "the next one goes on from there"
                )
                raise RefreshStopped(f"The refresh of “{self._source.name}” was stopped; {why}.")
            await work
        finally:
            for task in (work, *stops):
                task.cancel()
            await asyncio.gather(work, *stops, return_exceptions=True)

    async def _stages(self, state: str | None) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._list(state))
                group.create_task(self._read())
                group.create_task(self._gather())
                group.create_task(self._embed())
                group.create_task(self._write())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    # The first stage

    async def _list(self, state: str | None) -> None:
        """Follows what the source tells; puts off only what has to be read."""
        found_all = False
        try:
            async for found in self._told(Past(state, _Versions(self._known))):
                match found:
                    case Listing():
                        await self._meet(found)
                    case Gone(path):
                        await self._drop([path])
                    case Problem():
                        self._problems.name(found.path, KnownProblem("", found.sentence))
                    case Checkpoint():
                        self._backlog.put(found)
                    case Complete():
                        found_all = True
                        await self._drop_unlisted()
            if not found_all:
                await self._try_again()
        finally:
            self._backlog.end()

    async def _told(self, past: Past) -> AsyncIterator[Listed]:
        """What the source lists; where it fails, what it said before stands."""
        try:
            async for found in self._source.listings(past):
                yield found
        except SourceUnavailable as error:
            self._failure = str(error)
        except Exception as error:  # a source may be somebody else's module: its mistake ends this refresh, no other
            _log.exception("knowledge.source_failed", source=self._source.name)
            self._failure = f"The source “{self._source.name}” failed ({type(error).__name__}); the log says where."

    async def _meet(self, listing: Listing) -> None:
        """Decides what a listed document needs."""
        path = listing.path
        if self._kept_out and document_id(self._source.name, path) in self._kept_out:
            return  # as if it were not listed
        self._seen += 1
        self._unlisted.discard(path)
        self._writer.listed(path)
        known, problem = self._known.get(path), self._problems.get(path)
        if problem is not None and problem.version == listing.version:
            self._problems.meet(path)
        elif known is None or known.version != listing.version:
            if known is not None and known.readers != listing.readers:
                # Those who may read no more do not wait until the new text has been read.
                both = Known(known.version, known.readers & listing.readers, known.url, known.anchor)
                await self._restamp(path, both)
            self._total += 1
            self._backlog.put(listing)
        else:
            if (known.readers, known.url, known.anchor) != (listing.readers, listing.url, listing.anchor):
                now = Known(listing.version, listing.readers, listing.url, listing.anchor)
                await self._restamp(path, now)
            self._problems.solve(path)

    async def _restamp(self, path: str, now: Known) -> None:
        await self._writer.restamp(path, now)
        self._known[path] = now

    async def _drop_unlisted(self) -> None:
        """What a whole list does not name is gone, and so are problems with it."""
        self._settle_gone(await self._writer.drop(self._unlisted, unless_followed=True))
        for path in self._problems.unmet():
            self._problems.solve(path)

    async def _drop(self, paths: Iterable[str]) -> None:
        gone = list(paths)
        await self._writer.drop(gone)
        self._settle_gone(gone)

    def _settle_gone(self, gone: Iterable[str]) -> None:
        for path in gone:
            if path in self._known:
                self._removed.add(path)
            self._unlisted.discard(path)
            self._problems.solve(path)

    async def _try_again(self) -> None:
        """Documents that could not be reached before: a source that lists only changes does not name them again."""
        if not isinstance(self._source, Findable) or self._failure is not None:
            return
        for path in self._problems.unmet():
            problem = self._problems.get(path)
            if not path or problem is None or problem.version or self._problems.is_met(path):  # by now
                continue
            try:
                listing = await self._source.find(path)
            except (SourceUnavailable, DocumentUnreadable):
                continue
            if listing is None:
                await self._drop([path])
            else:
                await self._meet(listing)

    # The second stage

    async def _read(self) -> None:
        """Reads documents in their order, a few at a time."""
        tasks: set[asyncio.Task[Replacement | Broken]] = set()

        def done(task: asyncio.Task[Replacement | Broken]) -> None:
            tasks.discard(task)
            if not task.cancelled():
                task.exception()  # where several fail together, the first is told, and nobody asks for the others

        try:
            while (entry := await self._backlog.get()) is not None:
                if isinstance(entry, Checkpoint):
                    await self._reads.put(entry)
                    continue
                task = asyncio.create_task(self._reader.read(self._source, entry))
                tasks.add(task)
                task.add_done_callback(done)
                await self._reads.put(task)
            await self._reads.put(None)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    # The third stage

    async def _gather(self) -> None:
        """Gathers the next batch while the one before is embedded."""
        batch = _Batch()
        async for outcome in self._outcomes():
            if isinstance(outcome, Checkpoint):
                batch.state = outcome.state
            elif isinstance(outcome, Broken):
                await self._note(outcome)
            elif outcome is not None:
                batch.add(outcome)
            if batch.is_full or (outcome is None and (batch.documents or batch.state)):
                await self._gathered.put(batch)
                batch = _Batch()
        await self._gathered.put(batch)
        await self._gathered.put(None)

    async def _outcomes(self) -> AsyncIterator[Replacement | Broken | Checkpoint | None]:
        """What was read, in its order; None where nothing came for a while."""
        while True:
            try:
                async with asyncio.timeout(_LONGEST_WAIT):
                    entry = await self._reads.get()
            except TimeoutError:
                yield None
                continue
            if entry is None:
                return
            if isinstance(entry, Checkpoint):
                yield entry
                continue
            while not (await asyncio.wait({entry}, timeout=_LONGEST_WAIT))[0]:
                yield None
            yield await entry

    async def _note(self, broken: Broken) -> None:
        """A document that cannot be read is not searched either: nobody knows what it says now."""
        path = broken.listing.path
        # Without a version, what may have passed by the next time is tried again.
        passing = isinstance(broken.error, DocumentUnreachable)
        if passing and not isinstance(self._source, Findable):
            self._holds_state = True  # the next refresh has to name it again
        self._problems.name(path, KnownProblem("" if passing else broken.listing.version, str(broken.error)))
        if path in self._known:
            self._removed.add(path)
            await self._writer.drop([path])
        self._tell(1)

    # The fourth stage

    async def _embed(self) -> None:
        """Has batches embedded while the one before is written. Raises EmbeddingUnavailable."""
        try:
            while (batch := await self._gathered.get()) is not None:
                if batch.documents:
                    batch.embedded = await self._vectors.of(batch.documents)
                    self._in_hand.append(batch.embedded)
                await self._batches.put(batch)
        except EmbeddingUnavailable:
            await self._batches.put(None)
            await self._drained.wait()  # what has a vector is kept
            raise
        await self._batches.put(None)

    # The last stage

    async def _write(self) -> None:
        while (batch := await self._batches.get()) is not None:
            if batch.embedded is not None:
                written = await self._writer.put(batch.documents, batch.embedded)
                if len(written) < len(batch.documents):
                    self._holds_state = True  # an event told of the others, and may have failed to bring them
                self._settle(batch.embedded)
                self._count(written, len(batch.embedded.fresh))
                await asyncio.to_thread(give_back)
            await self._keep(batch.state)
            self._tell(len(batch.documents))
        self._drained.set()

    def _settle(self, embedded: Embedded) -> None:
        self._in_hand.remove(embedded)
        self._vectors.settle(embedded)

    def _count(self, written: Iterable[str], embedded: int) -> None:
        for path in written:
            self._problems.solve(path)
            self._changed += path in self._known
            self._added += path not in self._known
        self._chunks += embedded

    async def _keep(self, state: str | None) -> None:
        """The problems first: what a state leaves behind is not listed again."""
        await self._writer.note(*self._problems.take_news())
        if state is not None and not self._holds_state:
            await self._writer.keep_state(state)

    async def _tell_failure(self) -> None:
        """Why the source as a whole could not be refreshed, or that it could."""
        if self._failure is not None:
            self._problems.name("", KnownProblem("", self._failure))
        else:
            self._problems.solve("")
        await self._keep(None)

    def _tell(self, documents: int) -> None:
        self._done += documents
        if documents and self._progress is not None:
            self._progress(RefreshProgress(self._source.name, self._done, self._total, self._chunks))


class _Versions(Mapping[str, str]):
    """The versions of the documents that are known, without a copy of all of them."""

    def __init__(self, known: Mapping[str, Known]) -> None:
        self._known = known

    def __getitem__(self, path: str) -> str:
        return self._known[path].version

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
