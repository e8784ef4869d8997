"""A web site as a source: every page below a prefix that its robots.txt lets a program read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from knowledge import access
from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.base import Listed, Listing, Past, Reading
from knowledge.sources.http import NAME, FetchFailed, Manners, PoliteClient, shown
from knowledge.sources.web.crawl import Crawl, Limits
from knowledge.sources.web.maintext import understand
from knowledge.sources.web.memory import Memory
from knowledge.sources.web.robots import read_robots
from knowledge.sources.web.scope import Scope
from knowledge.sources.web.sitemap import read_sitemaps
from knowledge.sources.web.spool import Spool
from knowledge.sources.web.visitor import ACCEPT, SiteMoved, Visitor

_MOST_MOVES = 3  # to https, to "www." or away from it, and one for the unforeseen


class WebSource:
    """The pages of one site.

    `headers` go with every request to the host that the site starts at, and to no other: a token belongs there.
    """

    kind = "web"

    def __init__(
        self,
        name: str,
        scope: Scope,
        cache_dir: Path,
        readers: frozenset[str] = access.PUBLIC,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.name = name
        self._scope = scope
        self._cache_dir = cache_dir
        self._readers = access.parse_scopes(readers)
        self._limits = limits or Limits()
        self._has_token = bool(headers)
        self._manners = manners or Manners()
        self._client = PoliteClient(scope.start, headers, self._manners)
        self._spool = Spool(cache_dir / "spool")

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """Every page, by the hash of its text. Raises SourceUnavailable."""
        self._spool.clear()
        scope = self._scope
        for _ in range(_MOST_MOVES):
            try:
                async for listed in self._walk(scope, past):
                    yield listed
                return
            except SiteMoved as moved:
                scope = moved.scope
            except (sqlite3.Error, OSError) as error:
                raise SourceUnavailable(
                    f"The folder {self._cache_dir} of the source “{self.name}” cannot be written ({error}). Free some "
                    "space, or let the user who runs this program write there; what is known is kept."
                ) from error
        raise SourceUnavailable(
            f"{shown(self._scope.start)} leads from one form of its address to another and never to a page. Name the "
            "address that a browser ends at; what is known is kept."
        )

    async def read(self, listing: Listing) -> Reading:
        """A page that was fetched for the listing, or is fetched now. Raises DocumentUnreadable."""
        spooled = await asyncio.to_thread(self._spool.take, listing.handle)
        return spooled or await self._fetch(listing)

    async def close(self) -> None:
        """Closes its connections."""
        await self._client.close()

    async def _walk(self, scope: Scope, past: Past) -> AsyncIterator[Listed]:
        robots = await read_robots(self._client, scope.origin)
        if not robots.permits(scope.start):
            raise SourceUnavailable(
                f"robots.txt of {scope.origin.host} forbids to read {shown(scope.start)}. Ask its owner to allow the "
                f"user agent “{NAME}”, or forget the source; what is known is kept."
            )
        self._client.pause(scope.start, max(self._manners.pause, robots.delay))
        sitemap = await read_sitemaps(self._client, scope, robots, 2 * self._limits.pages)
        memory = Memory(self._cache_dir, f"{scope.origin}{scope.prefix}")
        try:
            memory.begin()
            visitor = Visitor(
                scope,
                self._client,
                robots,
                past.versions,
                is_start_alone=not sitemap.urls,
                has_token=self._has_token,
            )
            crawl = Crawl(
                scope,
                visitor,
                robots,
                sitemap,
                memory,
                self._spool,
                readers=self._readers,
                limits=self._limits,
                past=past,
            )
            async for listed in crawl.run():
                yield listed
            memory.finish()
        finally:
            memory.close()

    async def _fetch(self, listing: Listing) -> Reading:
        url = self._scope.normal(listing.url or "")
        if url is None:
            raise DocumentUnreachable(f"{listing.path} has no address any more.")
        try:
            reply = await self._client.get(url, accept=ACCEPT)
        except FetchFailed as error:
            raise DocumentUnreachable(str(error)) from error
        page = await asyncio.to_thread(understand, reply, listing.path) if reply.status == 200 else None
        if page is None or page.reading is None:
            raise DocumentUnreachable(f"{listing.path} went away between its listing and its reading ({reply.status}).")
        return page.reading
