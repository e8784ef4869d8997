"""The truth: documents, chunks and embeddings in SQL, on SQLite and PostgreSQL alike.

Every method is one transaction: what a search index is told has been committed here before.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge import access
from knowledge.documents import Chunk, Document, Vector
from knowledge.errors import StorageFull, StoreUnavailable
from knowledge.records import (
    Embedded,
    Facets,
    Fingerprint,
    Found,
    IndexedChunk,
    Known,
    KnownProblem,
    Original,
    Replacement,
    VectorRows,
    Written,
)
from knowledge.reports import Problem, SourceStatus
from knowledge.schema import chunks, documents, embeddings, fingerprints, problems, sources

_T = TypeVar("_T")
_AT_ONCE = 500  # names in one IN list, rows in one fetch: both databases take it, and memory stays small
_facet_columns = [documents.c[name] for name in ("source", "readers", "updated", "language", "tags")]
_FIND = (
    sa.select(*(chunks.c[name] for name in ("key", "heading", "text", "position", "line")))
    .add_columns(chunks.c.digest.label("home"), embeddings.c.words, documents)
    .join(documents, documents.c.id == chunks.c.document_id)
    .outerjoin(embeddings, sa.and_(embeddings.c.digest == chunks.c.digest, embeddings.c.model == sa.bindparam("model")))
    .where(chunks.c.key.in_(sa.bindparam("keys", expanding=True)))
)


class Store:
    """Reads and writes the tables. Raises StorageFull or StoreUnavailable; a failed write leaves nothing behind."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Digests that chunks went away from; None where all have to be looked through, as after a process was killed.
        self._loose: set[str] | None = None
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    async def ping(self) -> None:
        """Raises StoreUnavailable where the database does not answer or has no tables of knowledge."""
        async with self._reading() as connection:
            await connection.execute(sa.select(sources.c.name).limit(1))

    async def known(self, source: str) -> dict[str, Known]:
        """All documents of a source by path."""
        columns = [documents.c[name] for name in ("path", "version", "readers", "url", "anchor")]
        readers = cache(access.from_key)  # one set for all that have the same
        async with self._reading() as connection:
            rows = await connection.execute(sa.select(*columns).where(documents.c.source == source))
            return {path: Known(version, readers(who), url, anchor) for path, version, who, url, anchor in rows.all()}

    async def known_problems(self, source: str) -> dict[str, KnownProblem]:
        """What could not be read at the last refresh, by path."""
        async with self._reading() as connection:
            rows = await connection.execute(sa.select(problems).where(problems.c.source == source))
            return {row.path: KnownProblem(row.version, row.sentence) for row in rows}

    async def known_sources(self) -> set[str]:
        """The names of all sources that have ever been refreshed and not forgotten."""
        async with self._reading() as connection:
            return set((await connection.execute(sa.select(sources.c.name))).scalars())

    async def version(self) -> str:
        """A digest of all documents with their readers: another one as soon as anything differs."""
        columns = (documents.c.id, documents.c.digest, documents.c.readers)
        digest = hashlib.sha256()
        async with self._reading() as connection:
            rows = await connection.stream(sa.select(*columns).order_by(documents.c.id))
            async for row in rows:
                digest.update("\0".join(row).encode())
        return digest.hexdigest()[:16]

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

    async def homes(self, document_ids: Iterable[str]) -> dict[str, str]:
        """The digests that the chunks of some documents are kept under, by those of their own words."""
        found: dict[str, str] = {}
        async with self._reading() as connection:
            for some in _parts(list(document_ids)):
                query = sa.select(chunks.c.own, chunks.c.digest).where(chunks.c.document_id.in_(some))
                found.update({row.own: row.digest for row in await connection.execute(query)})
        return found

    async def twins(self, prints: Iterable[Fingerprint], model: str) -> list[Original]:
        """The texts with a vector of this model that share a number with one of `prints`, in a fixed order."""
        wanted = list(prints)
        found: dict[str, Original] = {}
        async with self._reading() as connection:
            for name in ("first", "second", "third"):
                for some in _parts(list({getattr(one, name) for one in wanted})):
                    for row in await connection.execute(_originals(fingerprints.c[name].in_(some), model)):
                        found.setdefault(row.own, Original(row.own, row.title, tuple(row.heading), row.text))
        return [found[digest] for digest in sorted(found)]

    async def begin(self, source: str, kind: str) -> str | None:
        """Makes sure that the source has a row. Returns the state that it goes on from, None where it has none."""
        async with self._writing() as connection:
            row = self._insert(sources).values(name=source, kind=kind)
            await connection.execute(row.on_conflict_do_nothing(index_elements=["name"]))
            there = sa.update(sources).where(sources.c.name == source, sources.c.kind != kind)
            # What another kind of source went on from says nothing to this one.
            await connection.execute(there.values(kind=kind, state=None))
            kept = await connection.execute(sa.select(sources.c.state).where(sources.c.name == source))
            state: str | None = kept.scalar_one()
            return state

    async def keep_state(self, source: str, state: str) -> None:
        """Keeps what the source can go on from: everything that it listed before has been written."""
        async with self._writing() as connection:
            await connection.execute(sa.update(sources).where(sources.c.name == source).values(state=state))

    async def finish(self, source: str, at: datetime | None, seconds: float) -> None:
        """Notes when the source was refreshed (None: it could not be) and how long it took."""
        async with self._writing() as connection:
            values = {"refreshed": at, "seconds": seconds} if at is not None else {"seconds": seconds}
            await connection.execute(sa.update(sources).where(sources.c.name == source).values(values))

    async def note(self, source: str, found: Mapping[str, KnownProblem], solved: Iterable[str]) -> None:
        """Notes what could not be read, by path, and which problems are none any more."""
        rows = [
            {"source": source, "path": path, "version": one.version, "sentence": one.sentence}
            for path, one in found.items()
        ]
        async with self._writing() as connection:
            for some in _parts([*found, *solved]):
                await connection.execute(
                    sa.delete(problems).where(problems.c.source == source, problems.c.path.in_(some))
                )
            if rows:
                await connection.execute(sa.insert(problems), rows)

    async def write(self, replacements: Sequence[Replacement], embedded: Embedded, model: str) -> Written:
        """Puts documents in the place of what they were, keeping the chunks that did not change.

        `embedded` holds a vector for every chunk; no document is named twice.
        """
        ids = [replacement.document.id for replacement in replacements]
        async with self._writing() as connection:
            said: dict[str, tuple[object, ...]] = {}
            there: dict[str, list[Any]] = {}
            for some in _parts(ids):
                for row in await connection.execute(sa.select(documents).where(documents.c.id.in_(some))):
                    said[row.id] = _said(_document(row))
                ordered = sa.select(chunks).where(chunks.c.document_id.in_(some)).order_by(chunks.c.position)
                for row in await connection.execute(ordered):
                    there.setdefault(row.document_id, []).append(row)
            changes = _Changes()
            for each in replacements:
                changes.compare(each.document, each.chunks, there.get(each.document.id, ()), said.get(each.document.id))
            await self._put_documents(connection, replacements)
            added = await self._put_chunks(connection, changes, embedded)
            # Those too that were there when they were looked up: another source may have been forgotten since.
            await self._keep_vectors(connection, embedded, model, {chunk.digest for chunk in added})
        rows = [embedded.vectors[chunk.digest] for chunk in added]
        vectors = np.stack(rows) if rows else np.empty((0, 0), np.float32)
        self._loosen(changes.loose)
        return Written(added, vectors, changes.gone, changes.moved)

    async def _keep_vectors(
        self, connection: AsyncConnection, embedded: Embedded, model: str, digests: Set[str]
    ) -> None:
        rows = [
            {"digest": d, "model": model, "vector": embedded.vectors[d].tobytes(), "words": embedded.words.get(d)}
            for d in sorted(digests)
        ]
        if rows:
            await connection.execute(self._insert(embeddings).on_conflict_do_nothing(), rows)
        prints = [
            {"digest": digest, **asdict(embedded.fingerprints[digest])}
            for digest in sorted(digests & embedded.fingerprints.keys())
        ]
        if prints:
            await connection.execute(self._insert(fingerprints).on_conflict_do_nothing(), prints)

    async def _put_documents(self, connection: AsyncConnection, replacements: Sequence[Replacement]) -> None:
        rows = [_values(replacement.document) | {"version": replacement.version} for replacement in replacements]
        if rows:
            row = self._insert(documents)
            values = {name: row.excluded[name] for name in rows[0] if name != "id"}
            await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values), rows)

    async def _put_chunks(
        self, connection: AsyncConnection, changes: _Changes, embedded: Embedded
    ) -> list[IndexedChunk]:
        for some in _parts(changes.gone):
            await connection.execute(sa.delete(chunks).where(chunks.c.key.in_(some)))
        if changes.kept:
            there = sa.update(chunks).where(chunks.c.key == sa.bindparam("there"))
            await connection.execute(there, [{"there": key} | _place(chunk) for key, chunk in changes.kept])
        if not changes.new:
            return []
        homes = [embedded.homes[chunk.digest] for _, chunk in changes.new]
        rows = [
            {"document_id": document.id, "digest": home, "own": chunk.digest} | _place(chunk)
            for (document, chunk), home in zip(changes.new, homes, strict=True)
        ]
        # In no order: sorted by the rows handed over, SQLite would get every row in a statement of its own.
        inserting = sa.insert(chunks).returning(chunks.c.key, chunks.c.document_id, chunks.c.position)
        keys = {(row.document_id, row.position): row.key for row in await connection.execute(inserting, rows)}
        return [
            _indexed(document, chunk, keys[document.id, chunk.position], home)
            for (document, chunk), home in zip(changes.new, homes, strict=True)
        ]

    async def restamp(self, document_id: str, known: Known) -> None:
        """Notes a new version, new readers or a new link of a document whose text did not change."""
        values = {
            "version": known.version,
            "readers": access.to_key(known.readers),
            "url": known.url,
            "anchor": known.anchor,
        }
        async with self._writing() as connection:
            await connection.execute(sa.update(documents).where(documents.c.id == document_id).values(values))

    async def restrict(self, source: str, readers: frozenset[str]) -> list[int]:
        """Gives all documents of a source these readers; returns the keys of their chunks."""
        ours = documents.c.source == source
        async with self._writing() as connection:
            await connection.execute(sa.update(documents).where(ours).values(readers=access.to_key(readers)))
            keys = sa.select(chunks.c.key).join(documents, documents.c.id == chunks.c.document_id).where(ours)
            return list((await connection.execute(keys)).scalars())

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
                ours = sa.select(chunks.c.key, chunks.c.digest).where(chunks.c.document_id.in_(some))
                rows = (await connection.execute(ours)).all()
                removed += [row.key for row in rows]
                self._loosen(row.digest for row in rows)
                await connection.execute(sa.delete(chunks).where(chunks.c.document_id.in_(some)))
                await connection.execute(sa.delete(documents).where(documents.c.id.in_(some)))
        return removed

    async def forget(self, source: str) -> list[int]:
        """Removes a source and all that came from it; returns the keys of its chunks."""
        ours = sa.select(documents.c.id).where(documents.c.source == source)
        async with self._writing() as connection:
            removing = sa.delete(chunks).where(chunks.c.document_id.in_(ours)).returning(chunks.c.key)
            removed = list((await connection.execute(removing)).scalars())
            for table in (documents, problems):
                await connection.execute(sa.delete(table).where(table.c.source == source))
            await connection.execute(sa.delete(sources).where(sources.c.name == source))
        self._loose = None
        return removed

    async def outdated(self, model: str) -> int:
        """Lets go of the documents that have chunks which this model has not embedded, and returns how many they were.

        Their sources lose their state: the next refresh lists everything anew.
        """
        there = sa.exists().where(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model)
        async with self._writing() as connection:
            ids = list((await connection.execute(sa.select(chunks.c.document_id).where(~there).distinct())).scalars())
            for some in _parts(ids):
                owners = sa.select(documents.c.source).where(documents.c.id.in_(some))
                await connection.execute(sa.update(sources).where(sources.c.name.in_(owners)).values(state=None))
                await connection.execute(sa.delete(chunks).where(chunks.c.document_id.in_(some)))
                await connection.execute(sa.delete(documents).where(documents.c.id.in_(some)))
        return len(ids)

    async def lacks(self, model: str) -> bool:
        """Whether there is a chunk that this model has no vector for."""
        there = sa.exists().where(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model)
        async with self._reading() as connection:
            return (await connection.execute(sa.select(chunks.c.key).where(~there).limit(1))).first() is not None

    async def models(self) -> set[str]:
        """The models that vectors are kept of."""
        async with self._reading() as connection:
            return set((await connection.execute(sa.select(embeddings.c.model).distinct())).scalars())

    async def without_vector(self, model: str, count: int) -> list[Original]:
        """Some texts that this model has not embedded yet, each once."""
        there = sa.exists().where(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model)
        # A digest is that of a chunk's own words wherever such a chunk is left; else one that says nearly the same.
        query = (
            sa.select(chunks.c.digest, documents.c.title, chunks.c.heading, chunks.c.text)
            .join(documents, documents.c.id == chunks.c.document_id)
            .where(~there)
            .order_by(chunks.c.digest, chunks.c.own != chunks.c.digest, chunks.c.key)
            .limit(count)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(query)).all()
        found = {row.digest: Original(row.digest, row.title, tuple(row.heading), row.text) for row in reversed(rows)}
        return list(found.values())

    async def keep_vectors(self, model: str, made: Iterable[tuple[str, Vector, bytes | None]]) -> None:
        """Keeps vectors and words of texts that are there already, given by digest."""
        rows = [
            {"digest": digest, "model": model, "vector": vector.tobytes(), "words": words}
            for digest, vector, words in made
        ]
        async with self._writing() as connection:
            await connection.execute(self._insert(embeddings).on_conflict_do_nothing(), rows)

    async def drop_models(self, kept: str) -> None:
        """Drops the vectors of all models but one."""
        async with self._writing() as connection:
            await connection.execute(sa.delete(embeddings).where(embeddings.c.model != kept))

    def _loosen(self, digests: Iterable[str]) -> None:
        if self._loose is not None:
            self._loose.update(digests)

    async def prune(self) -> None:
        """Drops the vectors of texts that no document has any more: they would tell what the texts said."""
        if self._loose is not None and not self._loose:
            return
        async with self._writing() as connection:
            for table in (embeddings, fingerprints):
                unused = sa.delete(table).where(~sa.exists().where(chunks.c.digest == table.c.digest))
                if self._loose is None:
                    await connection.execute(unused)
                    continue
                for some in _parts(sorted(self._loose)):
                    await connection.execute(unused.where(table.c.digest.in_(some)))
        self._loose = set()

    async def vectors(self, model: str) -> AsyncIterator[VectorRows]:
        """All chunks with their vectors, in the order of their keys, some at a time.

        A chunk without a vector of this model is left out.
        """
        query = (
            sa.select(chunks.c.key, *_facet_columns, embeddings.c.vector)
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
            yield VectorRows([row.key for row in rows], [_facets(row) for row in rows], vectors)

    async def indexed(self, keys: Sequence[int] | None = None) -> AsyncIterator[list[IndexedChunk]]:
        """The chunks with these keys (or all of them) as the lexical index takes them in, some at a time."""
        query = (
            sa.select(chunks.c.key, chunks.c.position, chunks.c.heading, chunks.c.text, chunks.c.digest)
            .add_columns(documents.c.id, documents.c.path, documents.c.title, *_facet_columns)
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

    async def _indexed(self, query: sa.Select[Any]) -> list[IndexedChunk]:
        async with self._reading() as connection:
            rows = (await connection.execute(query)).all()
        return [
            IndexedChunk(
                key=row.key,
                source=row.source,
                readers=access.from_key(row.readers),
                path=row.path,
                heading=tuple(row.heading),
                text=row.text,
                title=row.title,
                updated=row.updated,
                language=row.language,
                tags=frozenset(row.tags),
                document_id=row.id,
                position=row.position,
                digest=row.digest,
            )
            for row in rows
        ]

    async def find(self, keys: Sequence[int], model: str) -> dict[int, Found]:
        """The chunks with these keys, with their documents and words; those that are gone are left out."""
        async with self._reading() as connection:
            rows = (await connection.execute(_FIND, {"keys": keys, "model": model})).all()
        homes: dict[str, Document] = {}
        return {
            row.key: Found(
                row.key,
                homes.get(row.id) or homes.setdefault(row.id, _document(row)),
                tuple(row.heading),
                row.text,
                row.position,
                row.home,
                row.line,
                row.words,
            )
            for row in rows
        }

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


class _Changes:
    """How the chunks of some documents differ from what they were.

    `new`: to be written; `gone`: the keys of those to be removed, and `loose` the digests of their vectors; `kept`:
    those with the same words at another place; `moved`: all that stay while something else is said of their document.
    """

    def __init__(self) -> None:
        self.new: list[tuple[Document, Chunk]] = []
        self.gone: list[int] = []
        self.loose: set[str] = set()
        self.kept: list[tuple[int, Chunk]] = []
        self.moved: list[IndexedChunk] = []

    def compare(
        self, document: Document, now: Sequence[Chunk], there: Sequence[Any], said: tuple[object, ...] | None
    ) -> None:
        """Takes in one document: its chunks now, the rows of those before, and what was said of it before."""
        free: dict[str, list[Any]] = {}
        for row in there:
            free.setdefault(row.own, []).append(row)
        for chunk in now:
            same = free.get(chunk.digest)
            if not same:
                self.new.append((document, chunk))
                continue
            row = same.pop(0)
            if (row.position, row.text, row.line) != (chunk.position, chunk.text, chunk.line):
                self.kept.append((row.key, chunk))
            if said != _said(document):
                self.moved.append(_indexed(document, chunk, row.key, row.digest))
        for row in itertools.chain.from_iterable(free.values()):
            self.gone.append(row.key)
            self.loose.add(row.digest)


def _values(document: Document) -> dict[str, object]:
    return {
        "id": document.id,
        "source": document.source,
        "path": document.path,
        "title": document.title,
        "url": document.url,
        "readers": access.to_key(document.readers),
        "updated": document.updated,
        "author": document.author,
        "digest": document.digest,
        "tags": sorted(document.tags),
        "anchor": document.anchor,
        "language": document.language,
    }


def _place(chunk: Chunk) -> dict[str, object]:
    return {"position": chunk.position, "text": chunk.text, "heading": list(chunk.heading), "line": chunk.line}


def _indexed(document: Document, chunk: Chunk, key: int, digest: str) -> IndexedChunk:
    return IndexedChunk(
        key=key,
        source=document.source,
        readers=document.readers,
        path=document.path,
        heading=chunk.heading,
        text=chunk.text,
        title=document.title,
        updated=document.updated,
        language=document.language,
        tags=document.tags,
        document_id=document.id,
        position=chunk.position,
        digest=digest,
    )


def _said(document: Document) -> tuple[object, ...]:
    """What the indexes know of a document beside its chunks."""
    return document.readers, document.title, document.updated, document.language, document.tags


def _facets(row: Any) -> Facets:
    return Facets(row.source, access.from_key(row.readers), row.updated, row.language, frozenset(row.tags))


def _document(row: Any) -> Document:
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
        tags=frozenset(row.tags),
        anchor=row.anchor,
        language=row.language,
    )


def _originals(shared: sa.ColumnElement[bool], model: str) -> sa.Select[Any]:
    """The chunks that have a vector of their own and a fingerprint that `shared` picks."""
    return (
        sa.select(chunks.c.own, documents.c.title, chunks.c.heading, chunks.c.text)
        .join(fingerprints, fingerprints.c.digest == chunks.c.digest)
        .join(documents, documents.c.id == chunks.c.document_id)
        .join(embeddings, sa.and_(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model))
        .where(shared, chunks.c.own == chunks.c.digest)
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
