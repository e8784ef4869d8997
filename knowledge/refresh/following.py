"""Follows one document that a live event changed, without a refresh of its whole source."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from knowledge.errors import DocumentUnreachable
from knowledge.records import KnownProblem
from knowledge.refresh.reading import Broken, Reader
from knowledge.refresh.vectors import Vectors
from knowledge.refresh.writer import SourceWriter
from knowledge.sources.base import Listing, Source


@runtime_checkable
class Findable(Protocol):
    """A source that can tell of one document at once."""

    async def find(self, path: str) -> Listing | None:
        """The document as it is now; None where it is gone. Raises SourceUnavailable."""
        ...


async def follow(
    source: Source, found: Findable, path: str, writer: SourceWriter, reader: Reader, vectors: Vectors
) -> None:
    """Brings one document in line with its source.

    A refresh that runs meanwhile does not write what it read before. Raises SourceUnavailable, EmbeddingUnavailable
    and StoreUnavailable.
    """
    await writer.follow(path, source.kind)
    listing = await found.find(path)
    if listing is None:
        await writer.drop([path], live=True)
        await writer.note({}, [path], live=True)
        return
    writer.listed(path)
    outcome = await reader.read(source, listing)
    if isinstance(outcome, Broken):
        version = "" if isinstance(outcome.error, DocumentUnreachable) else listing.version
        await writer.drop([path], live=True)
        await writer.note({path: KnownProblem(version, str(outcome.error))}, [], live=True)
        return
    embedded = await vectors.of([outcome])
    try:
        await writer.put([outcome], embedded, live=True)
    finally:
        vectors.settle(embedded)
    await writer.note({}, [path], live=True)
