"""What is known, as the search indexes, a search and a status read it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from knowledge import access
from knowledge.change_log import Logged
from knowledge.database import AT_ONCE, Database, parts
from knowledge.documents import Document
from knowledge.filters import Reach
from knowledge.records import Found, IndexedChunk, Pieces, Settled, VectorRows, Written
from knowledge.reports import Problem, SourceStatus
from knowledge.rows import FACET_COLUMNS, document_of, facets_of
from knowledge.schema import chunks, documents, embeddings, leases, problems, sources

_FIND = (
    sa.select(*(chunks.c[name] for name in ("key", "heading", "text", "position", "line")))
    .add_columns(chunks.c.digest.label("home"), embeddings.c.words, documents)
    .join(documents, documents.c.id == chunks.c.document_id)
    .outerjoin(embeddings, sa.and_(embeddings.c.digest == chunks.c.digest, embeddings.c.model == sa.bindparam("model")))
    .where(chunks.c.key.in_(sa.bindparam("keys", expanding=True)))
)


class Contents:
    """Reads the documents and chunks that have been written. Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known_sources(self) -> set[str]:
        """The names of all sources that have ever been refreshed and not forgotten."""
        async with self._database.reading() as connection:
            return set((await connection.execute(sa.select(sources.c.name))).scalars())

    async def version(self) -> str:
        """A digest of all documents with their readers: another one as soon as anything differs."""
        columns = (documents.c.id, documents.c.digest, documents.c.readers)
        digest = hashlib.sha256()
        async with self._database.reading() as connection:
            rows = await connection.stream(sa.select(*columns).order_by(documents.c.id))
            async for row in rows:
                digest.update("\0".join(row).encode())
        return digest.hexdigest()[:16]

    async def titles(self, scopes: frozenset[str]) -> list[tuple[str, str, str | None]]:
        """Title, path and link of every document that an audience with `scopes` may read."""
        columns = (documents.c.title, documents.c.path, documents.c.url, documents.c.readers)
        async with self._database.reading() as connection:
            rows = await connection.stream(sa.select(*columns))
            return [
                (row.title, row.path, row.url)
                async for row in rows
                if access.readable(access.from_key(row.readers), scopes)
            ]

    async def status(self, known: Mapping[str, str]) -> list[SourceStatus]:
        """How the sources stand. `known`: names and kinds of those that are configured, refreshed or not."""
        counted = (
            sa.select(
                documents.c.source, sa.func.count(documents.c.id.distinct()), sa.func.count(chunks.c.key.distinct())
            )
            .outerjoin(chunks, chunks.c.document_id == documents.c.id)
            .group_by(documents.c.source)
        )
        async with self._database.reading() as connection:
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

    async def sources_for(self, scopes: frozenset[str]) -> frozenset[str]:
        """The names of the sources of which an audience with `scopes` may read at least one document."""
        query = sa.select(documents.c.source, documents.c.readers).distinct()
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return frozenset(row.source for row in rows if access.readable(access.from_key(row.readers), scopes))

    async def readers_of(self, document_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Who may read these documents now; those that are gone are left out."""
        found: dict[str, frozenset[str]] = {}
        async with self._database.reading() as connection:
            for some in parts(document_ids):
                query = sa.select(documents.c.id, documents.c.readers).where(documents.c.id.in_(some))
                found |= {row.id: access.from_key(row.readers) for row in await connection.execute(query)}
        return found

    async def digests_of(self, document_ids: Sequence[str]) -> dict[str, str]:
        """The digests of these documents as they were read last; those that are gone are left out."""
        found: dict[str, str] = {}
        async with self._database.reading() as connection:
            for some in parts(document_ids):
                query = sa.select(documents.c.id, documents.c.digest).where(documents.c.id.in_(some))
                found |= {row.id: row.digest for row in await connection.execute(query)}
        return found

    async def same_as(self, digest: str) -> list[str]:
        """The ids of the documents that were read with this digest."""
        query = sa.select(documents.c.id).where(documents.c.digest == digest).order_by(documents.c.id)
        async with self._database.reading() as connection:
            return list((await connection.execute(query)).scalars()) if digest else []

    async def pieces_of(self, document_id: str, scopes: frozenset[str] | None) -> Pieces | None:
        """A document in its pieces; None where it is gone or an audience with `scopes` may not read it. With None for
        scopes it is only held against other words, and shown to nobody."""
        whole = sa.select(documents).where(documents.c.id == document_id)
        ordered = sa.select(chunks.c.heading, chunks.c.text).where(chunks.c.document_id == document_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(whole)).first()
            rows = (await connection.execute(ordered.order_by(chunks.c.position))).all()
        if row is None or (scopes is not None and not access.readable(access.from_key(row.readers), scopes)):
            return None
        return Pieces(document_of(row), tuple((tuple(each.heading), each.text) for each in rows))

    async def settled(self) -> Settled:
        """The sources of which the last refresh came to a good end, so that what is not there is gone, and what of them
        could not be read."""
        whole = sa.select(sources.c.name).join(leases, leases.c.name == sa.literal("refresh ") + sources.c.name)
        ended = (sources.c.refreshed.is_not(None), leases.c.turns == leases.c.finished)
        async with self._database.reading() as connection:
            names = set((await connection.execute(whole.where(*ended))).scalars())
            unread = {(row.source, row.path) for row in await connection.execute(sa.select(problems))}
        away = {source for source, path in unread if not path}
        return Settled(frozenset(names - away), frozenset(unread))

    async def find(self, keys: Sequence[int], model: str, reach: Reach) -> dict[int, Found]:
        """The chunks with these keys, with their documents and words; those that are gone, or that `reach` does not
        cover now, are left out: the indexes may be behind, and the database has the last word."""
        async with self._database.reading() as connection:
            rows = [
                row
                for row in await connection.execute(_FIND, {"keys": keys, "model": model})
                if reach.covers(facets_of(row))
            ]
        homes: dict[str, Document] = {}
        return {
            row.key: Found(
                row.key,
                homes.get(row.id) or homes.setdefault(row.id, document_of(row)),
                tuple(row.heading),
                row.text,
                row.position,
                row.home,
                row.line,
                row.words,
            )
            for row in rows
        }

    async def vectors(self, model: str) -> AsyncIterator[VectorRows]:
        """All chunks with their vectors, in the order of their keys, some at a time.

        A chunk without a vector of this model is left out.
        """
        query = (
            sa.select(chunks.c.key, *FACET_COLUMNS, embeddings.c.vector)
            .join(documents, documents.c.id == chunks.c.document_id)
            .join(embeddings, sa.and_(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model))
            .order_by(chunks.c.key)
            .limit(AT_ONCE)
        )
        last = -1
        while True:
            async with self._database.reading() as connection:
                rows = (await connection.execute(query.where(chunks.c.key > last))).all()
            if not rows:
                return
            last = rows[-1].key
            vectors = np.frombuffer(b"".join(row.vector for row in rows), "<f4").reshape(len(rows), -1)
            yield VectorRows([row.key for row in rows], [facets_of(row) for row in rows], vectors)

    async def written(self, logged: Logged, model: str) -> Written:
        """What some writes come to by now, for an index that follows them: chunks that went since are left out.

        A new chunk without a vector of this model is left out too.
        """
        there = {chunk.key: chunk async for some in self.indexed([*logged.added, *logged.moved]) for chunk in some}
        vectors: dict[int, bytes] = {}
        async with self._database.reading() as connection:
            for some in parts(logged.added):
                query = sa.select(chunks.c.key, embeddings.c.vector).where(chunks.c.key.in_(some))
                same = sa.and_(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model)
                rows = await connection.execute(query.join(embeddings, same))
                vectors.update({row.key: row.vector for row in rows})
        added = [key for key in logged.added if key in there and key in vectors]
        return Written(
            [there[key] for key in added],
            np.frombuffer(b"".join(vectors[key] for key in added), "<f4").reshape(len(added), -1 if added else 0),
            logged.removed,
            [there[key] for key in logged.moved if key in there],
            number=logged.number,
        )

    async def indexed(self, keys: Sequence[int] | None = None) -> AsyncIterator[list[IndexedChunk]]:
        """The chunks with these keys (or all of them) as the lexical index takes them in, some at a time."""
        query = (
            sa.select(chunks.c.key, chunks.c.position, chunks.c.heading, chunks.c.text, chunks.c.digest)
            .add_columns(documents.c.id, documents.c.path, documents.c.title, *FACET_COLUMNS)
            .join(documents, documents.c.id == chunks.c.document_id)
            .order_by(chunks.c.key)
        )
        if keys is not None:
            for some in parts(keys):
                yield await self._indexed(query.where(chunks.c.key.in_(some)))
            return
        last = -1
        while batch := await self._indexed(query.where(chunks.c.key > last).limit(AT_ONCE)):
            last = batch[-1].key
            yield batch

    async def _indexed(self, query: sa.Select[Any]) -> list[IndexedChunk]:
        async with self._database.reading() as connection:
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
