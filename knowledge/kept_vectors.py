"""The vectors that are kept: of every text one for each embedding model, shared by texts that say nearly the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import sqlalchemy as sa

from knowledge.database import Database, parts
from knowledge.documents import Vector
from knowledge.records import Fingerprint, Original
from knowledge.rows import has_vector, vector_rows
from knowledge.schema import chunks, documents, embeddings, fingerprints


class KeptVectors:
    """Finds vectors by what was embedded, and what has none. Raises StorageFull or StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def cached(self, digests: Iterable[str], model: str) -> dict[str, Vector]:
        """The vectors that are there already, by the digest of what was embedded."""
        found: dict[str, Vector] = {}
        async with self._database.reading() as connection:
            for some in parts(list(digests)):
                query = sa.select(embeddings.c.digest, embeddings.c.vector).where(
                    embeddings.c.digest.in_(some), embeddings.c.model == model
                )
                found.update({row.digest: _vector(row.vector) for row in await connection.execute(query)})
        return found

    async def homes(self, document_ids: Iterable[str]) -> dict[str, str]:
        """The digests that the chunks of some documents are kept under, by those of their own words."""
        found: dict[str, str] = {}
        async with self._database.reading() as connection:
            for some in parts(list(document_ids)):
                query = sa.select(chunks.c.own, chunks.c.digest).where(chunks.c.document_id.in_(some))
                found.update({row.own: row.digest for row in await connection.execute(query)})
        return found

    async def twins(self, prints: Iterable[Fingerprint], model: str) -> list[Original]:
        """The texts with a vector of this model that share a number with one of `prints`, in a fixed order."""
        wanted = list(prints)
        found: dict[str, Original] = {}
        async with self._database.reading() as connection:
            for name in ("first", "second", "third"):
                for some in parts(list({getattr(one, name) for one in wanted})):
                    for row in await connection.execute(_originals(fingerprints.c[name].in_(some), model)):
                        found.setdefault(row.own, Original(row.own, row.title, tuple(row.heading), row.text))
        return [found[digest] for digest in sorted(found)]

    async def lacks(self, model: str) -> bool:
        """Whether there is a chunk that this model has no vector for."""
        async with self._database.reading() as connection:
            return (
                await connection.execute(sa.select(chunks.c.key).where(~has_vector(model)).limit(1))
            ).first() is not None

    async def without_vector(self, model: str, count: int) -> list[Original]:
        """Some texts that this model has not embedded yet, each once."""
        # A digest is that of a chunk's own words wherever such a chunk is left; else one that says nearly the same.
        query = (
            sa.select(chunks.c.digest, documents.c.title, chunks.c.heading, chunks.c.text)
            .join(documents, documents.c.id == chunks.c.document_id)
            .where(~has_vector(model))
            .order_by(chunks.c.digest, chunks.c.own != chunks.c.digest, chunks.c.key)
            .limit(count)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        found = {row.digest: Original(row.digest, row.title, tuple(row.heading), row.text) for row in reversed(rows)}
        return list(found.values())

    async def models(self) -> set[str]:
        """The models that vectors are kept of."""
        async with self._database.reading() as connection:
            return set((await connection.execute(sa.select(embeddings.c.model).distinct())).scalars())

    async def keep(self, model: str, made: Iterable[tuple[str, Vector, bytes | None]]) -> None:
        """Keeps vectors and words of texts that are there already, given by digest."""
        async with self._database.writing() as connection:
            await connection.execute(
                self._database.insert(embeddings).on_conflict_do_nothing(), vector_rows(model, made)
            )

    async def drop_models(self, kept: str) -> None:
        """Drops the vectors of all models but one."""
        async with self._database.writing() as connection:
            await connection.execute(sa.delete(embeddings).where(embeddings.c.model != kept))


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
