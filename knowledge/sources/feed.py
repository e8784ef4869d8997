"""A feed (RSS or Atom) as a source: each entry is a document, and stays one for a while after it has left the feed."""

from __future__ import annotations

import asyncio
import calendar
import hashlib
import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator
from yarl import URL

from knowledge import access
from knowledge.documents import Content
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.sources.base import Checkpoint, Gone, Listed, Listing, Past, Reading
from knowledge.sources.http import FetchFailed, Manners, PoliteClient, Reply, shown
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.parsers import html, text
from knowledge.sources.parsers.base import clean
from knowledge.sources.web import checked_address, secret_headers
from knowledge.sources.web.markup import as_page
from knowledge.sources.web.spool import Spool

_ACCEPT = "application/atom+xml,application/rss+xml,application/xml;q=0.9,text/xml;q=0.9,*/*;q=0.5"
_MOST_BYTES = 10_000_000
_LONGEST = 300  # characters of a path or a title
_DAY = 86_400
_FEED = re.compile(
    r"https?://[^\s/]+/(?:\S*(?:\.rss|\.atom|(?<!sitemap)\.xml)|(?:\S*/)?feed/?)(?:\?\S*)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed."""

    path: str
    url: str | None
    reading: Reading

    @property
    def version(self) -> str:
        """Changes with what the entry says."""
        return self.reading.digest


@dataclass(slots=True)
class _State:
    """What is gone on from: the feed's validators, and when each entry that is known left it, in days from 1970."""

    etag: str
    modified: str
    left: dict[str, int]

    @classmethod
    def of(cls, past: Past) -> _State:
        """The state of the last refresh."""
        try:
            kept = json.loads(past.state or "{}")
        except ValueError:
            kept = {}
        left = {path: day for path, day in kept.get("left", {}).items() if path in past.versions}
        # Without its entries, a feed that has not changed would say nothing.
        return cls(kept.get("etag", ""), kept.get("modified", ""), left) if past.versions else cls("", "", {})

    def text(self) -> str:
        return json.dumps({"etag": self.etag, "modified": self.modified, "left": self.left})


class FeedSource:
    """The entries of one feed. `days`: how long an entry stays after it has left the feed."""

    kind = "feed"

    def __init__(
        self,
        name: str,
        url: str,
        cache_dir: Path,
        readers: frozenset[str] = access.PUBLIC,
        days: int = 365,
        headers: Mapping[str, str] | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.name = name
        self._url = URL(url)
        self._readers = access.parse_scopes(readers)
        self._days = days
        self._client = PoliteClient(self._url, headers, manners)
        self._spool = Spool(cache_dir / "spool")

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """The entries that are in the feed now, and those that left it too long ago. Raises SourceUnavailable."""
        today = int(datetime.now(UTC).timestamp()) // _DAY
        state = _State.of(past)
        reply = await self._ask(state.etag, state.modified)
        if reply.status != 304:
            entries = await self._entries(reply)
            await asyncio.to_thread(self._spool.clear)
            for entry in entries:
                new = past.versions.get(entry.path) != entry.version
                handle = await asyncio.to_thread(self._spool.put, entry.path, entry.reading) if new else ""
                yield Listing(entry.path, entry.version, self._readers, entry.url, handle)
            here = {entry.path for entry in entries}
            left = {path: state.left.get(path, today) for path in past.versions if path not in here}
            state = _State(reply.headers.get("ETag", ""), reply.headers.get("Last-Modified", ""), left)
        for path in [path for path, day in state.left.items() if today - day > self._days]:
            del state.left[path]
            yield Gone(path)
        yield Checkpoint(state.text())

    async def read(self, listing: Listing) -> Reading:
        """One entry, which was fetched for the listing or is looked for now. Raises DocumentUnreachable."""
        spooled = await asyncio.to_thread(self._spool.take, listing.handle)
        if spooled is not None:
            return spooled
        try:
            entries = await self._entries(await self._ask("", ""))
        except SourceUnavailable as error:
            raise DocumentUnreachable(str(error)) from error
        for entry in entries:
            if entry.path == listing.path:
                return entry.reading
        raise DocumentUnreachable(f"{listing.path} left the feed between its listing and its reading.")

    async def close(self) -> None:
        """Closes its connections."""
        await self._client.close()

    async def _ask(self, etag: str, modified: str) -> Reply:
        try:
            reply = await self._client.follow(
                self._url, etag=etag, modified=modified, accept=_ACCEPT, most_bytes=_MOST_BYTES
            )
        except FetchFailed as error:
            raise SourceUnavailable(f"{error} What is known is kept; the next refresh tries again.") from error
        if reply.status in (401, 403):
            raise SourceUnavailable(
                f"The feed {shown(self._url)} may not be read ({reply.status}). Name a valid secret by token_env; what "
                "is known is kept."
            )
        if reply.status not in (200, 304):
            raise SourceUnavailable(
                f"There is no feed at {shown(self._url)} ({reply.status}). Correct the address; what is known is kept."
            )
        return reply

    async def _entries(self, reply: Reply) -> list[Entry]:
        try:
            return await asyncio.to_thread(parse_feed, reply)
        except DocumentUnreadable as error:
            raise SourceUnavailable(f"{error} What is known is kept.") from error


def parse_feed(reply: Reply) -> list[Entry]:
    """The entries of a feed, each once, those without any text left out. Raises DocumentUnreadable for no feed."""
    import feedparser

    # As a file: a text would be taken for an address or a path.
    parsed = feedparser.parse(
        io.BytesIO(reply.body),
        response_headers={
            "content-type": reply.headers.get("Content-Type", "application/xml"),
            "content-location": str(reply.url),
        },
    )
    if not parsed.get("version") and not parsed.entries:
        raise DocumentUnreadable(
            f"{shown(reply.url)} is no feed that can be read. Name the address of an RSS or Atom feed; a page is "
            "added as a source of the kind “web”."
        )
    by_path: dict[str, Entry] = {}
    for raw in parsed.entries:
        entry = _entry(raw, parsed.feed)
        if entry is not None:
            by_path.setdefault(entry.path, entry)
    return list(by_path.values())


def _entry(raw: Any, feed: Any) -> Entry | None:
    title = _plain(raw.get("title", ""))
    url = _web_address(raw.get("link"))
    content = _content(raw)
    if not content.blocks:
        if not title:
            return None
        content = Content(text.paragraphs(title))
    named = clean(raw.get("id") or url or title)
    said = [title, url, [[block.kind, block.level, block.text] for block in content.blocks]]
    updated, author = _moment(raw), _plain(raw.get("author") or feed.get("author") or "") or None
    tags = frozenset(_plain(tag.get("term") or "") for tag in raw.get("tags", [])[:20]) - {""}
    reading = Reading(
        title=title or content.blocks[0].text.splitlines()[0][:_LONGEST],
        content=content,
        digest=hashlib.sha256(json.dumps([said, str(updated), author, sorted(tags)]).encode()).hexdigest(),
        updated=updated,
        author=author,
        tags=tags,
    )
    return Entry(_path(named), url, reading)


def _content(raw: Any) -> Content:
    """The whole text where the feed has it, else the summary."""
    parts = raw.get("content") or ([raw["summary_detail"]] if "summary_detail" in raw else [])
    for part in parts:
        value = clean(part.get("value") or "")
        if not value.strip():
            continue
        if part.get("type") == "text/plain":
            return Content(text.paragraphs(value))
        return html.parse(as_page(value), "entry")
    return Content(())


def _path(named: str) -> str:
    """The entry's own name, without the way that an address begins; a long one is cut and stays different."""
    path = re.sub(r"\Ahttps?://", "", " ".join(named.split()))
    if len(path) <= _LONGEST:
        return path
    return f"{path[:_LONGEST]}~{hashlib.sha256(named.encode()).hexdigest()[:12]}"


def _plain(markup: str) -> str:
    """A title or a name without the tags that feeds put in."""
    words = markup
    if "<" in markup:
        try:
            blocks = html.parse(as_page(markup), "title").blocks
            words = " ".join(block.text for block in blocks)
        except DocumentUnreadable:
            words = ""
    return " ".join(clean(words).split())[:_LONGEST]


def _web_address(link: str | None) -> str | None:
    try:
        url = URL(link or "")
        return str(url.with_user(None)) if url.scheme in ("http", "https") and url.host else None
    except ValueError:
        return None


def _moment(raw: Any) -> datetime | None:
    # Asked for by `in` first: the library gives one date for the other, with a warning.
    key = "updated_parsed" if "updated_parsed" in raw else "published_parsed"
    parsed = raw.get(key)
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC) if parsed else None
    except (ValueError, OverflowError):
        return None


class FeedOptions(SourceOptions):
    """Where a feed is, and how long its entries stay."""

    url: str
    """The address of the feed."""
    days: int = Field(default=365, ge=1)
    """Days that an entry stays after it has left the feed."""
    token_env: str | None = None
    """Name of the environment variable (or of a file: NAME_FILE) with the token of a private feed."""
    token_header: str = "Authorization"  # noqa: S105 (the name of a header)
    """Header that the token is sent in, to the feed's host alone; in Authorization as "Bearer …"."""

    _url = field_validator("url")(checked_address)


class FeedKind:
    """Feeds, as a kind of source."""

    name = "feed"
    options = FeedOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """An address that ends as feeds do: in .rss, .atom, .xml or /feed."""
        return {"url": text} if _FEED.fullmatch(text) else None

    def open(self, name: str, readers: frozenset[str], options: FeedOptions, context: SourceContext) -> FeedSource:
        """The feed. Raises SourceUnavailable where its secret is missing."""
        headers = secret_headers(name, options.token_env, options.token_header, context)
        return FeedSource(name, options.url, context.cache_dir, readers, options.days, headers)


KIND = FeedKind()
