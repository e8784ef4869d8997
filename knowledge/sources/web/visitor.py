"""Asks for one address and says what came of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Container
from dataclasses import replace
from pathlib import PurePosixPath

from yarl import URL

from knowledge.errors import DocumentUnreadable, SourceUnavailable
from knowledge.sources.base import Reading
from knowledge.sources.http import FetchFailed, PoliteClient, Reply, shown
from knowledge.sources.web.maintext import Page, understand
from knowledge.sources.web.memory import Visit
from knowledge.sources.web.robots import Robots
from knowledge.sources.web.sameness import ErrorPage, text_key, word_count
from knowledge.sources.web.scope import Scope

ACCEPT = "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.5"
_FEW_WORDS = 50  # of a page with a field for a password: a page to log in, not one that speaks of logging in
_REFUSED = frozenset({401, 402, 403, 407, 451})
_MISSING = frozenset({404, 410})
_NO_PAGE = frozenset(
    {".7z", ".avi", ".avif", ".bmp", ".bz2", ".css", ".deb", ".dmg", ".eot", ".exe", ".gif", ".gz", ".ico", ".iso"}
    | {".jar", ".jpeg", ".jpg", ".m4a", ".m4v", ".mkv", ".mov", ".mp3", ".mp4", ".mpeg", ".ogg", ".ogv", ".otf"}
    | {".png", ".rar", ".rpm", ".svg", ".tar", ".tgz", ".tif", ".tiff", ".ttf", ".wav", ".webm", ".webp", ".whl"}
    | {".wmv", ".woff", ".woff2", ".xz", ".zip", ".zst"}
)


class SiteMoved(Exception):
    """The start leads to another form of the same site, where the walk has to begin anew."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(str(scope.start))
        self.scope = scope


class Visitor:
    """Visits addresses of `scope`. `known` are the paths of documents that were read before.

    `is_start_alone`: nothing but the start leads into the site, so that it has to be a page. `has_token`: a secret is
    sent along.
    """

    def __init__(
        self,
        scope: Scope,
        client: PoliteClient,
        robots: Robots,
        known: Container[str],
        *,
        is_start_alone: bool,
        has_token: bool,
    ) -> None:
        self.start = scope.path(scope.start)
        self._scope = scope
        self._client = client
        self._robots = robots
        self._known = known
        self._is_start_alone = is_start_alone
        self._has_token = has_token
        self._error_page: ErrorPage | None = None

    async def probe(self) -> None:
        """Learns what the site answers, as if it were a page, for an address that cannot exist."""
        name = secrets.token_hex(8)
        url = self._scope.origin.join(URL(f"{self._scope.prefix.rstrip('/')}/{name}", encoded=True))
        if not self._robots.permits(url):
            return
        try:
            reply = await self._client.get(url, accept=ACCEPT)
            page = await asyncio.to_thread(understand, reply, name) if reply.status == 200 else None
        except (FetchFailed, DocumentUnreadable):
            return
        self._error_page = ErrorPage(page.reading, self._scope.path(url)) if page and page.reading else None

    async def visit(self, path: str, before: Visit | None) -> tuple[Visit, Reading | None]:
        """What came of an address, and its text where it was sent.

        Raises FetchFailed where another try may help, SourceUnavailable where the whole site cannot be read, and
        SiteMoved.
        """
        etag, modified = (before.etag, before.modified) if before else ("", "")
        reply = await self._client.get(self._scope.address(path), etag=etag, modified=modified, accept=ACCEPT)
        if reply.status == 304 and before is not None:
            return replace(before, failing_since=None), None
        if reply.location is not None:
            return self._redirected(path, reply.location), None
        if reply.status in _REFUSED:
            return self._refused(path, reply), None
        if reply.status in _MISSING:
            return self._missing(path, reply), None
        if reply.status not in (200, 203):
            raise FetchFailed(f"{path} answers {reply.status}, which is no page.")
        blank = Visit(path, reply.headers.get("ETag", ""), reply.headers.get("Last-Modified", ""))
        try:
            page = await asyncio.to_thread(understand, reply, path)
        except DocumentUnreadable as error:
            return replace(blank, problem=str(error), listed=False), None
        return self._understood(blank, page), page.reading

    def _understood(self, blank: Visit, page: Page) -> Visit:
        markup, reading = page.markup, page.reading
        here = self._scope.address(blank.path)
        base = (self._scope.normal(markup.base, here) if markup.base else None) or here
        if markup.refresh and (to := self._scope.normal(markup.refresh, base)) is not None and to != here:
            return self._redirected(blank.path, to)
        words = word_count(reading) if reading else 0
        if markup.asks_login and words < _FEW_WORDS:
            return self._asked_login(blank)
        if blank.path == self.start and self._is_start_alone and not words and not markup.links:
            raise SourceUnavailable(
                f"{shown(here)} holds no text and no links; pages that scripts build in a browser cannot be read. "
                "Name an address that is a plain page, or a site with a sitemap."
            )
        links = (self._scope.normal(link, base) for link in markup.links)
        own = self._scope.normal(markup.canonical, base) if markup.canonical else None
        is_error = reading is not None and blank.path != self.start and self._is_error(blank.path, reading)
        return replace(
            blank,
            version=_version(reading) if reading else "",
            text=text_key(reading) if reading else "",
            leads_to=self._scope.path(own) if own is not None and own != here and self._scope.holds(own) else "",
            links=tuple(dict.fromkeys(self._scope.path(link) for link in links if link and self._may_hold_page(link))),
            listed=markup.indexed and not is_error,
            is_error=is_error,
        )

    def _is_error(self, path: str, reading: Reading) -> bool:
        return self._error_page is not None and self._error_page.looks_like(reading, path)

    def _may_hold_page(self, url: URL) -> bool:
        return self._scope.holds(url) and PurePosixPath(url.path).suffix.lower() not in _NO_PAGE

    def _redirected(self, path: str, location: URL) -> Visit:
        to = self._scope.normal(location)
        if to is not None and self._scope.holds(to):
            return Visit(path, leads_to=self._scope.path(to), listed=False)
        if path == self.start:
            moved = self._scope.moved(to) if to is not None and to.origin() != self._scope.origin else None
            if moved is not None:
                raise SiteMoved(moved)
            raise SourceUnavailable(
                f"{shown(self._scope.start)} leads to {shown(location)}, outside of what this source reads. Name that "
                "address instead, or a wider prefix; what is known is kept."
            )
        return self._taken_out(Visit(path), f"leads to {shown(location)} now, outside of this source")

    def _refused(self, path: str, reply: Reply) -> Visit:
        if self._has_token and (reply.status == 401 or path == self.start):
            raise SourceUnavailable(
                f"{shown(reply.url)} does not take the token ({reply.status}). Put a valid one where token_env says; "
                "what is known is kept, and the next refresh goes on from there."
            )
        if path == self.start:
            raise SourceUnavailable(
                f"{shown(reply.url)} may not be read ({reply.status}). Name the secret to read it with by token_env, "
                "or ask its owner; what is known is kept."
            )
        return self._taken_out(Visit(path), f"may not be read any more ({reply.status})")

    def _missing(self, path: str, reply: Reply) -> Visit:
        if path == self.start and self._is_start_alone:
            raise SourceUnavailable(
                f"There is no page at {shown(reply.url)} ({reply.status}). Correct the address of the source; what is "
                "known is kept."
            )
        return Visit(path, listed=False)

    def _asked_login(self, blank: Visit) -> Visit:
        if blank.path == self.start:
            raise SourceUnavailable(
                f"{shown(self._scope.start)} asks for a login. Name the secret to read it with by token_env; what is "
                "known is kept."
            )
        return self._taken_out(blank, "asks for a login now")

    def _taken_out(self, visit: Visit, what: str) -> Visit:
        """A page that may not be read; a person hears of it where it could be read before."""
        problem = f"{visit.path} {what}; its text was taken out." if visit.path in self._known else ""
        return replace(visit, listed=False, problem=problem)


def _version(reading: Reading) -> str:
    """Changes with what is kept of a document, and with nothing else on its page."""
    said: list[object] = [reading.title, reading.author, str(reading.updated), sorted(reading.tags)]
    said += [[block.kind, block.level, block.text] for block in reading.content.blocks]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
