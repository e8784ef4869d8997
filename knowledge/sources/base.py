"""The port that every source stands behind: a cheap list of what is there, and the reading of one document.

A source is incremental: a document that did not change costs no more than its place in the list. Implementations stand
in the modules beside this one; the kinds that can be configured are in `knowledge.sources.kinds`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from knowledge.documents import Content
from knowledge.reports import Problem


@dataclass(frozen=True, slots=True)
class Listing:
    """One document as a listing sees it, without reading it.

    `path` names it inside the source and stays the same. `version` changes whenever the document may have changed (a
    modification time, an ETag, a revision). `handle` is what the source finds it by; it is not stored. `anchor` is
    what a link to one line adds to `url`, with `{line}` for its number; None where links go to the whole document.
    """

    path: str
    version: str
    readers: frozenset[str]
    url: str | None
    handle: str = ""
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A document that was there and is no more, or that nobody may read any more."""

    path: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the source can go on from. It is kept as soon as everything listed before it has been written."""

    state: str


@dataclass(frozen=True, slots=True)
class Complete:
    """All that exists has been listed in this run: what was not is gone."""


Listed = Listing | Gone | Problem | Checkpoint | Complete


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a source: the state of its last checkpoint, and the version of each document by its path."""

    state: str | None
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """One document as it was read. `title` is never empty; `digest` is the SHA-256 of what was read."""

    title: str
    content: Content
    digest: str
    updated: datetime | None
    author: str | None
    tags: frozenset[str] = frozenset()


class Source(Protocol):
    """Something that documents come from."""

    @property
    def name(self) -> str:
        """The name that people know it by; unique among the sources."""
        ...

    @property
    def kind(self) -> str:
        """What it is: "folder", "git", "web" …"""
        ...

    def listings(self, past: Past) -> AsyncIterator[Listed]:
        """What is there now, and what cannot be listed.

        Either everything, with `Complete` at the end, or what changed since `past.state`, with `Gone` for what went.
        A listing whose version is the known one is not read. Raises SourceUnavailable where nothing can be said about
        the source as a whole: what is known of it is kept.
        """
        ...

    async def read(self, listing: Listing) -> Reading:
        """The document. Raises DocumentUnreadable, or DocumentUnreachable where another try may help."""
        ...

    async def close(self) -> None:
        """Lets go of what it holds; nothing is read afterwards."""
        ...
