"""What goes into the store and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from knowledge.documents import Chunk, Document, Vector
from knowledge.still_stands import Part


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a document without its text."""

    version: str
    readers: frozenset[str]
    url: str | None
    anchor: str | None = None


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
class Fingerprint:
    """What texts that say nearly the same have in common: most pairs of them agree in one number at least."""

    first: int
    second: int
    third: int


@dataclass(frozen=True, slots=True)
class Original:
    """A text whose vector others that say nearly the same can share. `digest` names the vector."""

    digest: str
    title: str
    heading: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The vectors of some chunks.

    `homes` names for the digest of each chunk's own words the digest that its vector is kept under: another's where
    that one says nearly the same. `vectors` holds those of all homes. `fresh` are the texts that were embedded for
    this, by their digests, `fingerprints` what they are found by, and `words` their packed words where they have some.
    """

    homes: Mapping[str, str]
    vectors: Mapping[str, Vector]
    fresh: Mapping[str, Original]
    fingerprints: Mapping[str, Fingerprint]
    words: Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Facets:
    """What a filter asks of a chunk: whence it comes, who may read it, and what its document says of itself."""

    source: str
    readers: frozenset[str]
    updated: datetime | None = None
    language: str | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A chunk as the search indexes take it in. `digest` is its vector's: equal for chunks that say nearly the same."""

    key: int
    source: str
    readers: frozenset[str]
    path: str
    heading: tuple[str, ...]
    text: str
    title: str = ""
    updated: datetime | None = None
    language: str | None = None
    tags: frozenset[str] = frozenset()
    document_id: str = ""
    position: int = 0
    digest: str = ""

    @property
    def facets(self) -> Facets:
        """What a filter asks of it."""
        return Facets(self.source, self.readers, self.updated, self.language, self.tags)


@dataclass(frozen=True, slots=True)
class Mark:
    """Which source is written for, and since when.

    `born` and `number` are numbers of writes: the one that the source came with, and the last before the reading began.
    """

    source: str
    born: int
    number: int


@dataclass(frozen=True, slots=True)
class Restricted:
    """Chunks that have other readers now, by key."""

    keys: list[int]
    readers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did to the chunks: those that are new, the keys of those that are gone, those that stayed while
    what is said of their document changed (its readers, title, age, tags, language), and those with other readers.

    `paths` are the documents that were written or removed, `number` is that of the write, `previous` of the last one
    before it that did anything to chunks.
    """

    added: list[IndexedChunk]
    vectors: Vector
    removed: list[int]
    moved: list[IndexedChunk] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    number: int = 0
    previous: int = 0
    restricted: Restricted | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A chunk with what its document says, for a passage.

    `digest` is its vector's, `line` where it begins in the file, from 1 (0: nobody knows), `words` its packed words.
    """

    key: int
    document: Document
    heading: tuple[str, ...]
    text: str
    position: int = 0
    digest: str = ""
    line: int = 0
    words: bytes | None = None

    @property
    def url(self) -> str | None:
        """Where a person can open it, at its line where that can be linked to."""
        return self.document.link(self.line)


@dataclass(frozen=True, slots=True)
class Pieces:
    """A document as it stands, with its pieces in their order."""

    document: Document
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """Sources that were read to their end and are not being read again, and documents that could not be read, by source
    and path."""

    sources: frozenset[str]
    unread: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class VectorRows:
    """Some chunks with their vectors: `keys[i]`, `facets[i]` and `vectors[i]` belong together."""

    keys: list[int]
    facets: list[Facets]
    vectors: Vector

    @property
    def shelves(self) -> list[tuple[str, frozenset[str]]]:
        """Source and readers of each."""
        return [(one.source, one.readers) for one in self.facets]
