"""The truth: documents, chunks and embeddings in SQL, on SQLite and PostgreSQL alike.

Every method is one transaction: what a search index is told has been committed here before.
"""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge import access
from knowledge.documents import Chunk, Document, Vector
from knowledge.errors import StorageFull, StoreUnavailable
from knowledge.records import Found, IndexedChunk, Known, KnownProblem, Replacement, VectorRows, Written
from knowledge.reports import Problem, SourceStatus
from knowledge.schema import chunks, documents, embeddings, problems, sources

_T = TypeVar("_T")
_AT_ONCE = 500  # names in one IN list, rows in one fetch: both databases take it, and memory stays small


class Store:
    """Reads and writes the tables. Raises StorageFull or StoreUnavailable; a failed write leaves nothing behind."""

    def __init__(self, engine: AsyncEngine, dimensions: int) -> None:
        self._engine = engine
        self._dimensions = dimensions
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    async def ping(self) -> None:
        """Raises StoreUnavailable where the database does not answer or has no tables of knowledge."""
        async with self._reading() as connection:
            await connection.execute(sa.select(sources.c.name).limit(1))

    async def known(self, source: str) -> dict[str, Known]:
        """All documents of a source by path."""
        columns = [documents.c[name] for name in ("path", "id", "version", "readers", "url", "digest")]
        async with self._reading() as connection:
            rows = await connection.execute(sa.select(*columns).where(documents.c.source == source))
            return {
                row.path: Known(row.id, row.version, access.from_key(row.readers), row.url, row.digest) for row in rows
            }

    async def known_problems(self, source: str) -> dict[str, KnownProblem]:
        """What could not be read at the last refresh, by path."""
        async with self._reading() as connection:
            rows = await connection.execute(sa.select(problems).where(problems.c.source == source))
            return {row.path: KnownProblem(row.version, row.sentence) for row in rows}

    async def known_sources(self) -> set[str]:
        """The names of all sources that have ever been refreshed and not forgotten."""
        async with self._reading() as connection:
            return set((await connection.execute(sa.select(sources.c.name))).scalars())

    async def cached(self, digests: Iterable[str], model: str) -> dict[str, Vector]:
        """The vectors that are there already, by the digest of what was embedded."""
        found: dict[str, Vector] = {}
        async with self._reading() as connection:
            for some in _parts(list(digests)):
                query = sa.select(embeddings.c.digest, embeddings.c.vector).where(
                    embeddings.c.digest.in_(some), embeddings.c.model == model
                )
                found.update({row.digest: _vector(row.vector) for row in await connection.execute(query)})
        return found

    async def begin(self, source: str, kind: str) -> None:
        """Makes sure that the source has a row."""
        async with self._writing() as connection:
            row = self._insert(sources).values(name=source, kind=kind)
            await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"kind": kind}))

    async def finish(self, source: str, at: datetime | None, seconds: float, found: Mapping[str, KnownProblem]) -> None:
        """Notes when the source was refreshed (None: it could not be), how long it took, and what could not be read."""
        async with self._writing() as connection:
            values = {"refreshed": at, "seconds": seconds} if at is not None else {"seconds": seconds}
            await connection.execute(sa.update(sources).where(sources.c.name == source).values(values))
            await connection.execute(sa.delete(problems).where(problems.c.source == source))
            rows = [
                {"source": source, "path": path, "version": one.version, "sentence": one.sentence}
                for path, one in found.items()
            ]
            if rows:
                await connection.execute(sa.insert(problems), rows)

    async def write(
        self, replacements: Sequence[Replacement], fresh: Mapping[str, Vector], cached: Mapping[str, Vector], model: str
    ) -> Written:
        """Puts documents in the place of what they were, keeping the chunks that did not change.

        `fresh` are vectors that the cache does not have, `cached` those that it has; together they hold every chunk's.
        """
        async with self._writing() as connection:
            if fresh:
                rows = [{"digest": digest, "model": model, "vector": v.tobytes()} for digest, v in fresh.items()]
                await connection.execute(self._insert(embeddings).on_conflict_do_nothing(), rows)
            added: list[IndexedChunk] = []
            digests: list[str] = []
            removed: list[int] = []
            for replacement in replacements:
                await self._put_document(connection, replacement)
                new, gone = await self._put_chunks(connection, replacement)
                digests += [chunk.digest for chunk, _ in new]
                added += [_indexed(replacement.document, chunk, key) for chunk, key in new]
                removed += gone
        vectors = np.empty((len(digests), self._dimensions), np.float32)
        for row, digest in enumerate(digests):
            vectors[row] = fresh[digest] if digest in fresh else cached[digest]
        return Written(added, vectors, removed)

    async def _put_document(self, connection: AsyncConnection, replacement: Replacement) -> None:
        document = replacement.document
        values = {
            "source": document.source,
            "path": document.path,
            "version": replacement.version,
            "title": document.title,
            "url": document.url,
            "readers": access.to_key(document.readers),
            "updated": document.updated,
            "author": document.author,
            "digest": document.digest,
        }
        row = self._insert(documents).values(id=document.id, **values)
        await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))

    async def _put_chunks(
        self, connection: AsyncConnection, replacement: Replacement
    ) -> tuple[list[tuple[Chunk, int]], list[int]]:
        """The chunks that are new with their keys, and the keys of those that are gone."""
        there = await connection.execute(
            sa.select(chunks.c.key, chunks.c.digest, chunks.c.position, chunks.c.text)
            .where(chunks.c.document_id == replacement.document.id)
            .order_by(chunks.c.position)
        )
        free: dict[str, list[tuple[int, int, str]]] = {}
        for row in there:
            free.setdefault(row.digest, []).append((row.key, row.position, row.text))
        new: list[Chunk] = []
        for chunk in replacement.chunks:
            same = free.get(chunk.digest)
            if not same:
                new.append(chunk)
                continue
            key, position, text = same.pop(0)
            if (position, text) != (chunk.position, chunk.text):
                values = {"position": chunk.position, "text": chunk.text, "heading": list(chunk.heading)}
                await connection.execute(sa.update(chunks).where(chunks.c.key == key).values(values))
        gone = [key for rows in free.values() for key, _, _ in rows]
        for some in _parts(gone):
            await connection.execute(sa.delete(chunks).where(chunks.c.key.in_(some)))
        return list(zip(new, await self._insert_chunks(connection, replacement.document, new), strict=True)), gone

    async def _insert_chunks(self, connection: AsyncConnection, document: Document, new: list[Chunk]) -> list[int]:
        if not new:
            return []
        rows = [
            {
                "document_id": document.id,
                "position": chunk.position,
                "heading": list(chunk.heading),
                "text": chunk.text,
                "digest": chunk.digest,
            }
            for chunk in new
        ]
        inserting = sa.insert(chunks).returning(chunks.c.key, sort_by_parameter_order=True)
        return list((await connection.execute(inserting, rows)).scalars())

    async def restamp(self, document_id: str, version: str, readers: frozenset[str], url: str | None) -> None:
        """Notes a new version, new readers or a new link of a document whose text did not change."""
        values = {"version": version, "readers": access.to_key(readers), "url": url}
        async with self._writing() as connection:
            await connection.execute(sa.update(documents).where(documents.c.id == document_id).values(values))

    async def keys_of(self, document_id: str) -> list[int]:
        """The keys of a document's chunks."""
        async with self._reading() as connection:
            rows = await connection.execute(sa.select(chunks.c.key).where(chunks.c.document_id == document_id))
            return list(rows.scalars())

    async def remove(self, document_ids: Sequence[str]) -> list[int]:
        """Removes documents; returns the keys of the chunks that went with them."""
        removed: list[int] = []
        async with self._writing() as connection:
            for some in _parts(document_ids):
                rows = await connection.execute(sa.select(chunks.c.key).where(chunks.c.document_id.in_(some)))
                removed += rows.scalars()
                await connection.execute(sa.delete(chunks).where(chunks.c.document_id.in_(some)))
                await connection.execute(sa.delete(documents).where(documents.c.id.in_(some)))
        return removed

    async def forget(self, source: str) -> list[int]:
        """Removes a source and all that came from it; returns the keys of its chunks."""
        removed = await self.remove([known.id for known in (await self.known(source)).values()])
        async with self._writing() as connection:
            await connection.execute(sa.delete(problems).where(problems.c.source == source))
            await connection.execute(sa.delete(sources).where(sources.c.name == source))
        return removed

    async def without_vectors(self, model: str) -> list[str]:
        """The documents that have chunks which this model has not embedded."""
        there = sa.exists().where(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model)
        async with self._reading() as connection:
            return list((await connection.execute(sa.select(chunks.c.document_id).where(~there).distinct())).scalars())

    async def prune(self) -> None:
        """Drops the vectors of texts that no document has any more: they would tell what the texts said."""
        used = sa.exists().where(chunks.c.digest == embeddings.c.digest)
        async with self._writing() as connection:
            await connection.execute(sa.delete(embeddings).where(~used))

    async def vectors(self, model: str) -> AsyncIterator[VectorRows]:
        """All chunks with their vectors, in the order of their keys, some at a time.

        A chunk without a vector of this model is left out.
        """
        query = (
            sa.select(chunks.c.key, documents.c.source, documents.c.readers, embeddings.c.vector)
            .join(documents, documents.c.id == chunks.c.document_id)
            .join(embeddings, sa.and_(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model))
            .order_by(chunks.c.key)
            .limit(_AT_ONCE)
        )
        last = -1
        while True:
            async with self._reading() as connection:
                rows = (await connection.execute(query.where(chunks.c.key > last))).all()
            if not rows:
                return
            last = rows[-1].key
            vectors = np.frombuffer(b"".join(row.vector for row in rows), "<f4").reshape(len(rows), -1)
            shelves = [(row.source, access.from_key(row.readers)) for row in rows]
            yield VectorRows([row.key for row in rows], shelves, vectors)

    async def indexed(self, keys: Sequence[int] | None = None) -> AsyncIterator[list[IndexedChunk]]:
        """The chunks with these keys (or all of them) as the lexical index takes them in, some at a time."""
        columns = [chunks.c.key, documents.c.source, documents.c.readers, documents.c.path]
        query = (
            sa.select(*columns, chunks.c.heading, chunks.c.text)
            .join(documents, documents.c.id == chunks.c.document_id)
            .order_by(chunks.c.key)
        )
        if keys is not None:
            for some in _parts(keys):
                yield await self._indexed(query.where(chunks.c.key.in_(some)))
            return
        last = -1
        while batch := await self._indexed(query.where(chunks.c.key > last).limit(_AT_ONCE)):
            last = batch[-1].key
            yield batch

    async def _indexed(self, query: sa.Select[tuple[int, str, str, str, list[str], str]]) -> list[IndexedChunk]:
        async with self._reading() as connection:
            rows = (await connection.execute(query)).all()
        return [
            IndexedChunk(r.key, r.source, access.from_key(r.readers), r.path, tuple(r.heading), r.text) for r in rows
        ]

    async def find(self, keys: Sequence[int]) -> dict[int, Found]:
        """The chunks with these keys, with their documents; those that are gone are left out."""
        query = (
            sa.select(chunks.c.key, chunks.c.heading, chunks.c.text, documents)
            .join(documents, documents.c.id == chunks.c.document_id)
            .where(chunks.c.key.in_(keys))
        )
        async with self._reading() as connection:
            rows = (await connection.execute(query)).all()
        return {row.key: Found(row.key, _document(row), tuple(row.heading), row.text) for row in rows}

    async def status(self, known: Mapping[str, str]) -> list[SourceStatus]:
        """How the sources stand. `known`: names and kinds of those that are configured, refreshed or not."""
        counted = (
            sa.select(
                documents.c.source, sa.func.count(documents.c.id.distinct()), sa.func.count(chunks.c.key.distinct())
            )
            .outerjoin(chunks, chunks.c.document_id == documents.c.id)
            .group_by(documents.c.source)
        )
        async with self._reading() as connection:
            counts = {row[0]: (row[1], row[2]) for row in await connection.execute(counted)}
            times = {r.name: (r.refreshed, r.seconds) for r in await connection.execute(sa.select(sources))}
            told: dict[str, list[Problem]] = {}
            for row in await connection.execute(sa.select(problems).order_by(problems.c.path)):
                told.setdefault(row.source, []).append(Problem(row.path, row.sentence))
        statuses: list[SourceStatus] = []
        for name, kind in known.items():
            when, seconds = times.get(name, (None, None))
            statuses.append(
                SourceStatus(name, kind, *counts.get(name, (0, 0)), when, seconds, tuple(told.get(name, ())))
            )
        return statuses

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (DBAPIError, OSError) as error:
            raise _explained(error) from error

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, OSError) as error:
            raise _explained(error) from error


def _indexed(document: Document, chunk: Chunk, key: int) -> IndexedChunk:
    return IndexedChunk(key, document.source, document.readers, document.path, chunk.heading, chunk.text)


def _document(row: sa.Row[tuple[object, ...]]) -> Document:
    return Document(
        id=row.id,
        source=row.source,
        path=row.path,
        title=row.title,
        url=row.url,
        readers=access.from_key(row.readers),
        updated=row.updated,
        author=row.author,
        digest=row.digest,
    )


def _vector(raw: bytes) -> Vector:
    return np.frombuffer(raw, "<f4")


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _explained(error: DBAPIError | OSError) -> StoreUnavailable:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    text = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    full = getattr(cause, "sqlstate", None) == "53100" or getattr(cause, "errno", None) == errno.ENOSPC
    if full or "database or disk is full" in text:
        return StorageFull(
            "There is no room left to write knowledge to the database. What was written before is whole: "
            "make room and refresh again."
        )
    return StoreUnavailable(f"The database of knowledge could not be read or written: {text}")
