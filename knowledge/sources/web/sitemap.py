"""Sitemaps: the addresses that a site itself names, from XML, an index of several, or plain text, also compressed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from lxml import etree  # type: ignore[import-untyped]
from yarl import URL

from knowledge.sources.http import FetchFailed, PoliteClient, shown
from knowledge.sources.web.robots import Robots
from knowledge.sources.web.scope import Scope

_MOST_BYTES = 52_428_800  # of the sitemaps protocol, for one file unpacked
_MOST_FILES = 100


@dataclass(slots=True)
class Sitemap:
    """What a site's sitemaps name: `urls` inside its scope, in order. `failed`: sentences of what was not read."""

    urls: list[URL] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def read_sitemaps(client: PoliteClient, scope: Scope, robots: Robots, most: int) -> Sitemap:
    """The sitemaps that robots.txt names, and /sitemap.xml; no more than `most` addresses.

    A file of another host is passed over: a site speaks for itself alone.
    """
    sitemap = Sitemap()
    named = [*robots.sitemaps, str(scope.origin / "sitemap.xml")]
    waiting = [url for url in (scope.normal(text) for text in named) if url is not None]
    seen: set[URL] = set()
    found: dict[URL, None] = {}
    while waiting and len(seen) < _MOST_FILES and len(found) < most:
        url = waiting.pop(0)
        if url in seen or url.origin() != scope.origin:
            continue
        seen.add(url)
        try:
            pages, files = await _read(client, url)
        except FetchFailed as error:
            sitemap.failed.append(str(error))
            continue
        waiting += [url for url in (scope.normal(text) for text in files) if url is not None]
        inside = (url for url in (scope.normal(text) for text in pages) if url is not None and scope.holds(url))
        for one in inside:
            if len(found) >= most:
                break
            found.setdefault(one)
    sitemap.urls = list(found)
    return sitemap


async def _read(client: PoliteClient, url: URL) -> tuple[list[str], list[str]]:
    reply = await client.follow(url, most_bytes=_MOST_BYTES)
    if reply.status != 200 or reply.url.origin() != url.origin():
        return [], []
    return parse_sitemap(_unpacked(reply.body, url))


def parse_sitemap(data: bytes) -> tuple[list[str], list[str]]:
    """The pages and the further sitemaps that a sitemap names. What is none names nothing."""
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"<"):
        lines = text.decode("utf-8", "replace").split()
        return [line for line in lines if line.startswith(("http://", "https://"))], []
    # No entity is expanded and nothing is loaded: a sitemap comes from strangers.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, huge_tree=False)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        return [], []
    if root is None or etree.QName(root).localname not in ("urlset", "sitemapindex"):
        return [], []
    places = [(place.text or "").strip() for place in root.iterfind("{*}*/{*}loc")]
    return ([], places) if etree.QName(root).localname == "sitemapindex" else (places, [])


def _unpacked(data: bytes, url: URL) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(data, _MOST_BYTES)
    except zlib.error as error:
        raise FetchFailed(f"{shown(url)} is not a readable gzip file.") from error
    if unpacker.unconsumed_tail:
        raise FetchFailed(f"{shown(url)} unpacks to more than {_MOST_BYTES / 1e6:,.0f} MB, which is not read.")
    return text
