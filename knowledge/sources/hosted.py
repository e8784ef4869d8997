"""What all hosted services have in common: their client libraries block, list by time of change, and tell no deletions.

So a service is asked in a worker thread, for what changed since the last time; and once a day for everything, which
shows what is gone. A document whose version is known is not read again.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from knowledge.documents import Content
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.reports import Problem
from knowledge.sources.base import Checkpoint, Complete, Gone, Listed, Listing, Past, Reading

WHOLE_EVERY = timedelta(hours=24)
OVERLAP = timedelta(minutes=10)  # clocks differ, and services list a change a little late
_AT_ONCE = 50
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Item:
    """A document as the service's lists name it. `handle` is what it is asked for by."""

    path: str
    version: str
    url: str | None
    handle: str


@dataclass(frozen=True, slots=True)
class Page:
    """A document as the service gave it."""

    title: str
    content: Content
    updated: datetime | None
    author: str | None
    tags: frozenset[str] = frozenset()


class Service(Protocol):
    """One place at a hosted service, asked by blocking calls, one at a time, in one thread.

    Any method may raise errors of its library; `explain` tells what they mean.
    """

    def items(self, since: datetime | None) -> Iterator[Item | Gone | Problem]:
        """What changed since then, or everything; each page of the list is asked for when it is needed."""
        ...

    def page(self, handle: str) -> Page | None:
        """The document, or None where it has gone since."""
        ...

    def explain(self, error: Exception) -> SourceUnavailable | DocumentUnreachable | None:
        """What an error of the library means, in words for a person; None where it is not the service's fault."""
        ...

    def close(self) -> None:
        """Lets go of the connection."""
        ...


class HostedSource:
    """The `Source` port over a service, which is asked for everything when `whole_every` has passed since the last."""

    def __init__(
        self,
        name: str,
        kind: str,
        readers: frozenset[str],
        service: Service,
        *,
        whole_every: timedelta = WHOLE_EVERY,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self.kind = kind
        self._readers = readers
        self._service = service
        self._whole_every = whole_every
        self._clock = clock
        # The libraries' sessions are not made for several threads.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"source-{kind}")

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """What changed, or everything once a day. Raises SourceUnavailable."""
        now = self._clock()
        since, whole = _times(past.state)
        if since is None or whole is None or now - whole >= self._whole_every:
            since, whole = None, now
        items = await self._ask(lambda: iter(self._service.items(since - OVERLAP if since else None)))
        while some := await self._ask(lambda: list(itertools.islice(items, _AT_ONCE))):
            for item in some:
                yield item if not isinstance(item, Item) else self._listing(item)
        yield Checkpoint(json.dumps({"since": now.isoformat(), "whole": whole.isoformat()}))
        if since is None:
            yield Complete()

    async def read(self, listing: Listing) -> Reading:
        """One document. Raises DocumentUnreadable, DocumentUnreachable and SourceUnavailable."""
        page = await self._ask(lambda: self._service.page(listing.handle))
        if page is None:
            raise DocumentUnreachable(f"{listing.path} has gone since it was listed.")
        if not page.content.blocks:
            raise DocumentUnreadable(f"{listing.path} holds no text.")
        said = "\n".join(block.text for block in page.content.blocks)
        digest = hashlib.sha256(f"{page.title}\0{said}".encode()).hexdigest()
        return Reading(page.title, page.content, digest, page.updated, page.author, page.tags)

    async def close(self) -> None:
        """Closes the connection, after the call that is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._service.close)
        self._thread.shutdown()

    def _listing(self, item: Item) -> Listing:
        return Listing(item.path, item.version, self._readers, item.url, item.handle)

    async def _ask(self, call: Callable[[], _Result]) -> _Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except Exception as error:  # each library has its own errors; those that are not the service's go on
            explained = self._service.explain(error)
            if explained is None:
                raise
            raise explained from None  # the library's own text may hold the token


def _times(state: str | None) -> tuple[datetime | None, datetime | None]:
    try:
        kept = json.loads(state or "{}")
        return datetime.fromisoformat(kept["since"]), datetime.fromisoformat(kept["whole"])
    except (ValueError, KeyError, TypeError):
        return None, None
