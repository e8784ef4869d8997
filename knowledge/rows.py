"""Rows of the tables and the plain values that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from knowledge import access
from knowledge.documents import Document, Vector
from knowledge.records import Facets
from knowledge.schema import chunks, documents, embeddings

FACET_COLUMNS = [documents.c[name] for name in ("source", "readers", "updated", "language", "tags")]


def document_of(row: Any) -> Document:
    """What a row of documents says."""
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


def values_of(document: Document) -> dict[str, object]:
    """What a row of documents says, but for the version."""
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


def facets_of(row: Any) -> Facets:
    """What a row with FACET_COLUMNS says."""
    return Facets(row.source, access.from_key(row.readers), row.updated, row.language, frozenset(row.tags))


def vector_rows(model: str, made: Iterable[tuple[str, Vector, bytes | None]]) -> list[dict[str, object]]:
    """Rows of embeddings, from the digest of each text, its vector and its packed words."""
    return [
        {"digest": digest, "model": model, "vector": vector.tobytes(), "words": words} for digest, vector, words in made
    ]


def has_vector(model: str) -> sa.ColumnElement[bool]:
    """Whether a chunk has one of this model."""
    return sa.exists().where(embeddings.c.digest == chunks.c.digest, embeddings.c.model == model)
