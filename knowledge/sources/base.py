"""The port that every source stands behind: a cheap list of what is there, and the reading of one document.

Implementations: `knowledge.sources.folder`. A source must be incremental: an unchanged document costs its listing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from knowledge.documents import Content
from knowledge.reports import Problem


@dataclass(frozen=True, slots=True)
class Listing:
    """One document as a listing sees it, without reading it.

    `path` names it inside the source and stays the same. `version` changes whenever the document may have changed (a
    modification time, an ETag, a revision). `handle` is what the source finds it by; it is not stored.
    """

    path: str
    version: str
    readers: frozenset[str]
    url: str | None
    handle: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One document as it was read. `title` is never empty; `digest` is the SHA-256 of what was read."""

    title: str
    content: Content
    digest: str
    updated: datetime | None
    author: str | None


class Source(Protocol):
    """Something that documents come from."""

    @property
    def name(self) -> str:
        """The name that people know it by; unique among the sources."""
        ...

    @property
    def kind(self) -> str:
        """What it is: "folder"."""
        ...

    def listings(self) -> AsyncIterator[Listing | Problem]:
        """Everything that is there now, and what cannot be listed. A document that is not listed is gone.

        Raises SourceUnavailable where nothing can be said about the source as a whole.
        """
        ...

    async def read(self, listing: Listing) -> Reading:
        """The document. Raises DocumentUnreadable, or DocumentUnreachable where another try may help."""
        ...
