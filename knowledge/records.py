"""What goes into the store and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.documents import Chunk, Document, Vector


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a document without its text."""

    id: str
    version: str
    readers: frozenset[str]
    url: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class KnownProblem:
    """A file that could not be read, and the version that it had."""

    version: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """A document as it is now, with the version that its listing had."""

    document: Document
    version: str
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A chunk as the search indexes take it in."""

    key: int
    source: str
    readers: frozenset[str]
    path: str
    heading: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did to the chunks: those that are new and the keys of those that are gone."""

    added: list[IndexedChunk]
    vectors: Vector
    removed: list[int]


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk with what its document says, for a passage."""

    key: int
    document: Document
    heading: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class VectorRows:
    """Some chunks with their vectors: `keys[i]`, `shelves[i]` (source and readers) and `vectors[i]` belong together."""

    keys: list[int]
    shelves: list[tuple[str, frozenset[str]]]
    vectors: Vector
