"""What a write changes: the chunks of documents as they are now beside those that are there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from knowledge.documents import Chunk, Document
from knowledge.records import IndexedChunk


class Changes:
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
            if said != said_of(document):
                self.moved.append(indexed_as(document, chunk, row.key, row.digest))
        for row in itertools.chain.from_iterable(free.values()):
            self.gone.append(row.key)
            self.loose.add(row.digest)


def indexed_as(document: Document, chunk: Chunk, key: int, digest: str) -> IndexedChunk:
    """A chunk of a document as the indexes take it in; `digest` is its vector's."""
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


def said_of(document: Document) -> tuple[object, ...]:
    """What the indexes know of a document beside its chunks."""
    return document.readers, document.title, document.updated, document.language, document.tags
