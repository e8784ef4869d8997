"""A source that cannot be opened: a missing package, a missing secret. What is known of it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.base import Listed, Listing, Past, Reading


class UnavailableSource:
    """Stands in for a source, and says why it is not there. `reason` is a sentence with the way out."""

    def __init__(self, name: str, kind: str, reason: str) -> None:
        self.name = name
        self.kind = kind
        self._reason = reason

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """Raises SourceUnavailable with the reason."""
        raise SourceUnavailable(self._reason)
        yield  # what makes this an iterator

    async def read(self, listing: Listing) -> Reading:
        """Raises DocumentUnreachable with the reason."""
        raise DocumentUnreachable(self._reason)

    async def close(self) -> None:
        """Holds nothing."""
