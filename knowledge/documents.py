"""The words of knowledge: a document, its blocks, the chunks that are indexed, and what a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


class BlockKind(StrEnum):
    """What a block is; it decides where a long one may be split."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a document, as Markdown. `level` is a heading's, 1 for the highest, and 0 for all else."""

    kind: BlockKind
    text: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """What a parser read: blocks in their order, and what the file says about itself (None where it does not)."""

    blocks: tuple[Block, ...]
    title: str | None = None
    author: str | None = None
    updated: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """One page, file or thread of a source.

    `path` names it inside its source; `readers` are scopes (see `knowledge.access`); `digest` is the SHA-256 of what
    was read, in hexadecimal; `url` is where a person can open it.
    """

    id: str
    source: str
    path: str
    title: str
    url: str | None
    readers: frozenset[str]
    updated: datetime | None
    author: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is indexed.

    `heading` is the trail of headings above it, `text` what is shown, `embedded` what is searched: the path, the
    trail and the text without its markup. `digest` is the SHA-256 of `embedded`.
    """

    position: int
    heading: tuple[str, ...]
    text: str
    embedded: str
    digest: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found for a question.

    `score`: the fused rank score, comparable inside one result only. `similarity`: cosine of chunk and question.
    `lexical`: share (0 to 1) of the question's idf weight found in the passage.
    """

    chunk_id: str
    document_id: str
    source: str
    title: str
    heading: tuple[str, ...]
    text: str
    url: str | None
    updated: datetime | None
    score: float
    similarity: float
    lexical: float


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """What was found, best first.

    `vector` is the question's. `coverage`: share (0 to 1) of the question's idf weight found anywhere in the
    passages. `agreement`: overlap (0 to 1) of the ten best by word and the ten best by meaning.
    """

    passages: tuple[Passage, ...]
    vector: Vector
    coverage: float
    agreement: float
