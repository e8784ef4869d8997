"""Brings what is known of one source in line with what is there now.

The listing is compared with the database first: an unchanged document costs no more than that. The rest is read, split,
embedded and written some documents at a time, each batch whole in the database before the indexes hear of it. So a
refresh may be killed at any moment; the next one goes on from there.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import structlog

from knowledge.chunking import Chunker
from knowledge.documents import Document, Vector
from knowledge.embedding.base import Embedder
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, RefreshStopped, SourceUnavailable
from knowledge.indexes import Indexes
from knowledge.records import Known, KnownProblem, Replacement
from knowledge.reports import Problem, Progress, RefreshProgress, SourceReport
from knowledge.sources.base import Listing, Past, Source
from knowledge.store import Store
from knowledge.uninterrupted import uninterrupted

_log = structlog.get_logger(__name__)
_READ_AHEAD = 4  # documents parsed while others are embedded
_BATCH_CHUNKS = 256  # chunks embedded and written together
_BATCH_DOCUMENTS = 64


@dataclass(slots=True)
class _Plan:
    """What is to be done about a source."""

    seen: int = 0
    to_read: list[Listing] = field(default_factory=list)
    to_restamp: list[tuple[Known, Listing]] = field(default_factory=list)
    to_remove: list[Known] = field(default_factory=list)
    problems: dict[str, KnownProblem] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Broken:
    listing: Listing
    error: DocumentUnreadable


class SourceRefresh:
    """One refresh of one source."""

    def __init__(
        self,
        source: Source,
        store: Store,
        embedder: Embedder,
        indexes: Indexes,
        *,
        progress: Progress | None,
        stopping: asyncio.Event,
    ) -> None:
        self._source = source
        self._store = store
        self._embedder = embedder
        self._indexes = indexes
        self._progress = progress
        self._stopping = stopping
        self._chunker = Chunker(embedder.count_all_tokens, embedder.max_tokens)
        self._known: dict[str, Known] = {}
        self._done = self._total = self._chunks = self._added = self._changed = 0

    async def run(self) -> SourceReport:
        """Does it all. Raises StoreUnavailable and RefreshStopped; what was written until then is whole."""
        started = time.monotonic()
        name = self._source.name
        await self._store.begin(name, self._source.kind)
        self._known = await self._store.known(name)
        try:
            plan = await self._plan()
        except SourceUnavailable as error:
            return await self._unavailable(str(error), started)
        await self._remove(plan)
        await self._restamp(plan)
        await self._read_changed(plan)
        seconds = time.monotonic() - started
        await self._store.finish(name, datetime.now(UTC), seconds, plan.problems)
        kept = len(self._known) - len(plan.to_remove)
        return SourceReport(
            source=name,
            seen=plan.seen,
            added=self._added,
            changed=self._changed,
            removed=len(plan.to_remove),
            unchanged=kept - self._changed,
            chunks=self._chunks,
            seconds=seconds,
            problems=_told(plan.problems),
        )

    async def _plan(self) -> _Plan:
        plan = _Plan()
        before = await self._store.known_problems(self._source.name)
        listed: set[str] = set()
        past = Past(None, {path: known.version for path, known in self._known.items()})
        async for found in self._source.listings(past):
            if isinstance(found, Problem):
                plan.problems[found.path] = KnownProblem("", found.sentence)
            if not isinstance(found, Listing):
                continue
            plan.seen += 1
            listed.add(found.path)
            known, problem = self._known.get(found.path), before.get(found.path)
            if problem is not None and problem.version == found.version:
                plan.problems[found.path] = problem
            elif known is None or known.version != found.version:
                plan.to_read.append(found)
            elif known.readers != found.readers or known.url != found.url:
                plan.to_restamp.append((known, found))
        plan.to_remove = [known for path, known in self._known.items() if path not in listed]
        self._total = len(plan.to_read)
        return plan

    async def _unavailable(self, sentence: str, started: float) -> SourceReport:
        """The source as a whole cannot be reached: what is known of it is kept, and the reason is told."""
        seconds = time.monotonic() - started
        problems = {"": KnownProblem("", sentence)}
        await self._store.finish(self._source.name, None, seconds, problems)
        return SourceReport(
            source=self._source.name, unchanged=len(self._known), seconds=seconds, problems=_told(problems)
        )

    async def _remove(self, plan: _Plan) -> None:
        if plan.to_remove:
            await uninterrupted(self._drop([known.id for known in plan.to_remove]))

    async def _drop(self, document_ids: list[str]) -> None:
        await self._indexes.discard(await self._store.remove(document_ids))

    async def _restamp(self, plan: _Plan) -> None:
        """New readers and links of documents whose text is the same."""
        for known, listing in plan.to_restamp:
            await uninterrupted(self._restamp_one(known, listing))

    async def _restamp_one(self, known: Known, listing: Listing) -> None:
        await self._store.restamp(known.id, listing.version, listing.readers, listing.url)
        if known.readers != listing.readers:
            await self._move(known.id, listing.readers)

    async def _move(self, document_id: str, readers: frozenset[str]) -> None:
        await self._indexes.move(await self._store.keys_of(document_id), (self._source.name, readers))

    async def _read_changed(self, plan: _Plan) -> None:
        if not plan.to_read:
            return
        batch: list[Replacement] = []
        async for outcome in self._read_ahead(plan.to_read):
            if self._stopping.is_set():
                raise RefreshStopped(
                    f"The refresh of “{self._source.name}” was stopped; the next one goes on from there."
                )
            if isinstance(outcome, _Broken):
                await self._note(outcome, plan)
                continue
            batch.append(outcome)
            chunks = sum(len(replacement.chunks) for replacement in batch)
            if chunks >= _BATCH_CHUNKS or len(batch) >= _BATCH_DOCUMENTS:
                await self._write(batch)
                batch = []
        if batch:
            await self._write(batch)

    async def _note(self, broken: _Broken, plan: _Plan) -> None:
        """A document that cannot be read is not searched either: nobody knows what it says now."""
        # Without a version, what may have passed by the next time is tried again.
        version = "" if isinstance(broken.error, DocumentUnreachable) else broken.listing.version
        plan.problems[broken.listing.path] = KnownProblem(version, str(broken.error))
        known = self._known.get(broken.listing.path)
        if known is not None:
            plan.to_remove.append(known)
            await uninterrupted(self._drop([known.id]))
        self._tell(1)

    async def _read_ahead(self, listings: list[Listing]) -> AsyncIterator[Replacement | _Broken]:
        """Reads and splits documents while those before are embedded, a few ahead and no more."""
        reading: deque[asyncio.Task[Replacement | _Broken]] = deque()
        try:
            for listing in listings:
                reading.append(asyncio.create_task(self._read(listing)))
                if len(reading) > _READ_AHEAD:
                    yield await reading.popleft()
            while reading:
                yield await reading.popleft()
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)

    async def _read(self, listing: Listing) -> Replacement | _Broken:
        try:
            reading = await self._source.read(listing)
        except DocumentUnreadable as error:
            return _Broken(listing, error)
        except Exception as error:  # a parser met what nobody foresaw: this one document's end, and no other's
            _log.exception("knowledge.document_failed", source=self._source.name, path=listing.path)
            sentence = f"{listing.path} could not be read ({type(error).__name__}); the log says where."
            return _Broken(listing, DocumentUnreadable(sentence))
        document = Document(
            id=document_id(self._source.name, listing.path),
            source=self._source.name,
            path=listing.path,
            title=reading.title,
            url=listing.url,
            readers=listing.readers,
            updated=reading.updated,
            author=reading.author,
            digest=reading.digest,
        )
        chunks = await asyncio.to_thread(self._chunker.split, listing.path, reading.title, reading.content)
        return Replacement(document, listing.version, chunks)

    async def _write(self, batch: list[Replacement]) -> None:
        texts = {chunk.digest: chunk.embedded for replacement in batch for chunk in replacement.chunks}
        cached = await self._store.cached(texts, self._embedder.name)
        missing = [digest for digest in texts if digest not in cached]
        fresh = dict(zip(missing, await self._embed([texts[digest] for digest in missing]), strict=True))
        await uninterrupted(self._put(batch, fresh, cached))
        known = sum(replacement.document.path in self._known for replacement in batch)
        self._changed += known
        self._added += len(batch) - known
        self._chunks += len(missing)
        self._tell(len(batch))

    async def _put(self, batch: list[Replacement], fresh: dict[str, Vector], cached: dict[str, Vector]) -> None:
        await self._indexes.apply(await self._store.write(batch, fresh, cached, self._embedder.name))
        for replacement in batch:
            known = self._known.get(replacement.document.path)
            if known is not None and known.readers != replacement.document.readers:
                await self._move(known.id, replacement.document.readers)

    async def _embed(self, texts: list[str]) -> Vector:
        if not texts:
            return np.empty((0, self._embedder.dimensions), np.float32)
        return await self._embedder.embed(texts)

    def _tell(self, documents: int) -> None:
        self._done += documents
        if self._progress is not None:
            self._progress(RefreshProgress(self._source.name, self._done, self._total, self._chunks))


def document_id(source: str, path: str) -> str:
    """The same for the same path of the same source, however often it is read."""
    return hashlib.sha256(f"{source}\0{path}".encode()).hexdigest()[:32]


def _told(problems: dict[str, KnownProblem]) -> tuple[Problem, ...]:
    return tuple(Problem(path, problem.sentence) for path, problem in sorted(problems.items()))
