"""A real web server on this machine that a test fills with pages, and somebody who keeps what a source tells."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from knowledge.errors import DocumentUnreadable, SourceUnavailable
from knowledge.sources.base import Checkpoint, Complete, Gone, Listing, Past, Reading, Source
from knowledge.sources.http import Manners
from knowledge.sources.web.crawl import Limits
from knowledge.sources.web.scope import Scope
from knowledge.sources.web.source import WebSource

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
QUICK = Manners(pause=0.0, backoff=0.001, tries=2, seconds=20.0)


@dataclass(frozen=True)
class Answer:
    """What the server sends for an address; an ETag is made of the body."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Site:
    """A server with pages, which remembers what it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, Answer | Handler] = {}
        self.asked: list[str] = []
        self.sent: list[tuple[str, int]] = []
        self.requests: list[web.BaseRequest] = []
        self.everything_else: Handler | None = None
        self.url = URL()

    def page(self, path: str, text: str = "", *links: str, head: str = "", status: int = 200, **headers: str) -> None:
        """A page of some words, with links."""
        anchors = "".join(f'<p><a href="{link}">go to {link}</a></p>' for link in links)
        words = f"<h1>{text.split('.')[0]}</h1><p>{text}</p>" if text else ""
        html = f"<html><head>{head}</head><body><main>{words}</main><nav>{anchors}</nav></body></html>"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.send(path, html.encode(), status, {"Content-Type": "text/html; charset=utf-8", **named})

    def send(self, path: str, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Any answer."""
        self.pages[path] = Answer(body, status, headers or {})

    def redirect(self, path: str, to: str) -> None:
        """A redirect."""
        self.send(path, b"", 302, {"Location": to})

    def count(self, path: str) -> int:
        """How often an address was asked for."""
        return self.asked.count(path)

    def forget_requests(self) -> None:
        """Counts anew."""
        self.asked.clear()
        self.sent.clear()
        self.requests.clear()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        self.requests.append(request)
        found = self.pages.get(request.path_qs, self.everything_else or Answer(b"not here", 404))
        response = self._answer(request, found) if isinstance(found, Answer) else await found(request)  # type: ignore[arg-type]
        self.sent.append((request.path_qs, response.status))
        return response

    @staticmethod
    def _answer(request: web.BaseRequest, answer: Answer) -> web.Response:
        headers = dict(answer.headers)
        if answer.status == 200:
            etag = f'"{hashlib.sha256(answer.body).hexdigest()}"'
            if request.headers.get("If-None-Match") == etag:
                return web.Response(status=304, headers={"ETag": etag})
            headers["ETag"] = etag
        return web.Response(body=answer.body, status=answer.status, headers=headers)


class Shelf:
    """Keeps what a source tells, as a refresh does, and reads what is new."""

    def __init__(self) -> None:
        self.state: str | None = None
        self.listings: dict[str, Listing] = {}
        self.readings: dict[str, Reading] = {}
        self.problems: dict[str, str] = {}
        self.read: list[str] = []
        self.unavailable = ""
        self.gone: list[str] = []

    @property
    def titles(self) -> dict[str, str]:
        return {path: reading.title for path, reading in sorted(self.readings.items())}

    def text(self, path: str) -> str:
        return "\n\n".join(block.text for block in self.readings[path].content.blocks)

    async def refresh(self, source: Source, *, stop_after: int | None = None) -> None:
        """One refresh. `stop_after`: how many documents are written before it is killed."""
        self.read, self.problems, self.unavailable, self.gone = [], {}, "", []
        listed: set[str] = set()
        past = Past(self.state, {path: listing.version for path, listing in self.listings.items()})
        told = source.listings(past)
        try:
            async for found in told:
                if isinstance(found, Listing):
                    assert found.path not in listed, f"{found.path} was listed twice"
                    listed.add(found.path)
                    await self._take(source, found)
                elif isinstance(found, Gone):
                    self.gone.append(found.path)
                    self._drop(found.path)
                elif isinstance(found, Checkpoint):
                    self.state = found.state
                elif isinstance(found, Complete):
                    for path in self.listings.keys() - listed:
                        self._drop(path)
                else:
                    self.problems[found.path] = found.sentence
                if stop_after is not None and len(listed) >= stop_after:
                    return
        except SourceUnavailable as error:
            self.unavailable = str(error)
        finally:
            await told.aclose()  # type: ignore[attr-defined]

    async def _take(self, source: Source, listing: Listing) -> None:
        known = self.listings.get(listing.path)
        if known is None or known.version != listing.version:
            try:
                self.readings[listing.path] = await source.read(listing)
            except DocumentUnreadable as error:
                self.problems[listing.path] = str(error)
                self._drop(listing.path)
                return
            self.read.append(listing.path)
        self.listings[listing.path] = listing

    def _drop(self, path: str) -> None:
        self.listings.pop(path, None)
        self.readings.pop(path, None)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """An empty site on 127.0.0.1."""
    async for one in served():
        yield one


@pytest.fixture
async def other_site() -> AsyncIterator[Site]:
    """Another one, on another port."""
    async for one in served():
        yield one


async def served() -> AsyncIterator[Site]:
    site = Site()
    runner = web.ServerRunner(web.Server(site.handle))
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.url = URL(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    yield site
    await runner.cleanup()


@pytest.fixture
def shelf() -> Shelf:
    """Nothing is known yet."""
    return Shelf()


OpenWeb = Callable[..., WebSource]


@pytest.fixture
async def open_web(site: Site, tmp_path: Path) -> AsyncIterator[OpenWeb]:
    """Opens the site as a source; several times, as a program that is started again."""
    opened: list[WebSource] = []

    def open_source(
        start: str = "/",
        prefix: str | None = None,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        manners: Manners = QUICK,
    ) -> WebSource:
        scope = Scope(site.url.join(URL(start)), prefix)
        source = WebSource("handbook", scope, tmp_path / "cache", limits=limits, headers=headers, manners=manners)
        opened.append(source)
        return source

    yield open_source
    for source in opened:
        await source.close()
