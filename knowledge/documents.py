"""The words of knowledge: a document, its blocks, the chunks that are indexed, and what a search finds."""

from __future__ import annotations

import hashlib
import math
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
    """One block of a document, as Markdown.

    `level` is a heading's, 1 for the highest, and 0 for all else. `line` is the block's first line in the file, from 1;
    0 where a file has no lines or the parser does not know.
    """

    kind: BlockKind
    text: str
    level: int = 0
    line: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """What a parser read: blocks in their order, and what the file says about itself (None where it does not)."""

    blocks: tuple[Block, ...]
    title: str | None = None
    author: str | None = None
    updated: datetime | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Document:
    """One page, file or thread of a source.

    `path` names it inside its source; `readers` are scopes (see `knowledge.access`); `digest` is the SHA-256 of what
    was read, in hexadecimal; `url` is where a person can open it, and `anchor` what a link to one line adds to it, with
    `{line}` for the number; `language` is an ISO 639-1 code, None where it is not known.
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
    tags: frozenset[str] = frozenset()
    anchor: str | None = None
    language: str | None = None

    def link(self, line: int) -> str | None:
        """Where a person can open the document, at the line where that is known and can be linked to."""
        if self.url is None or self.anchor is None or line < 1:
            return self.url
        return self.url + self.anchor.replace("{line}", str(line))


def document_id(source: str, path: str) -> str:
    """The same for the same path of the same source, however often it is read."""
    return hashlib.sha256(f"{source}\0{path}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is indexed.

    `heading` is the trail of headings above it, `text` what is shown, `embedded` what is searched by meaning:
    the trail and the text without its markup. `digest` is the SHA-256 of `embedded`. `line` is where it begins in the
    file, from 1; 0 where nobody knows.
    """

    position: int
    heading: tuple[str, ...]
    text: str
    embedded: str
    digest: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Also:
    """Another document that says nearly the same as a passage, and that the asker may read too."""

    title: str
    url: str | None
    source: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """What was found for a question: a chunk, or neighbouring chunks of one document.

    `chunk_id`, `heading` and `url` are those of the chunk that was found first; `url` leads to its line where that can
    be linked to. `score` is the ranking's, comparable inside one result only. `similarity`: the greatest cosine of a
    chunk and the question. `lexical`: share (0 to 1) of the question's idf weight found in the passage. `also`: where
    else it stands. `path` names the document inside its source, `author` who wrote it, None where nobody knows.
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
    also: tuple[Also, ...] = ()
    path: str = ""
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for and against the passages as a whole; comparable from one store of documents to another.

    `closeness`: how close the words of the closest chunk are to the question's (late interaction, −1 to 1), NaN where
    the embedding model gives no vectors of words; `closeness_lead`: how far it leads the next three; `rarest`: the
    same of the question's word that is least matched among its rarest quarter. `background` and `spread`: mean and
    standard deviation of the cosines of what was found but not wanted, the sixth to the thirtieth nearest.
    """

    closeness: float = math.nan
    closeness_lead: float = math.nan
    rarest: float = math.nan
    background: float = math.nan
    spread: float = math.nan


NO_SIGNS = Signs()


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """What was found, best first.

    `vector` is the question's. `coverage`: share (0 to 1) of the question's idf weight found anywhere in the
    passages. `agreement`: overlap (0 to 1) of the ten best by word and the ten best by meaning. `probability`: how
    likely (0 to 1, calibrated) it is that the passages hold the answer.
    """

    passages: tuple[Passage, ...]
    vector: Vector
    coverage: float
    agreement: float
    probability: float = 0.0
    signs: Signs = NO_SIGNS
