"""Files and canvases that were shared in a channel, each a document of its own."""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import UTC, datetime

from knowledge.documents import Content
from knowledge.errors import DocumentUnreachable, DocumentUnreadable
from knowledge.sources.base import Listing, Reading
from knowledge.sources.names import printable, title_of
from knowledge.sources.parsers import html, markdown, text
from knowledge.sources.parsers.base import Parser
from knowledge.sources.parsers.registry import parser_for
from knowledge.sources.slack.api import JSON, NotThere, SlackApi, too_large
from knowledge.sources.slack.channel import Channel
from knowledge.sources.slack.names import Names

MOST_BYTES = 50_000_000
_ELSEWHERE = frozenset({"external", "tombstone", "hidden_by_limit"})


class Files:
    """Makes documents of files. Larger ones than `most_bytes` are named as problems and not fetched."""

    def __init__(self, api: SlackApi, names: Names, most_bytes: int = MOST_BYTES) -> None:
        self._api = api
        self._names = names
        self._most_bytes = most_bytes

    async def info(self, identifier: str) -> JSON | None:
        """What Slack tells of a file; None where it is gone or hidden from the bot. Raises SourceUnavailable."""
        try:
            file: JSON = (await self._api.call("files.info", file=identifier))["file"]
        except NotThere:
            return None
        return file

    def listing(self, channel: Channel, file: JSON, *, path: str) -> Listing | None:
        """The document; None for what is not in the channel, lies elsewhere or is read by no parser."""
        if channel.id not in _places(file) and file["id"] not in channel.canvases:
            return None
        address = file.get("url_private_download") or file.get("url_private")
        if file.get("mode") in _ELSEWHERE or file.get("is_external") or not address or _parser(file) is None:
            return None
        kept = {key: file.get(key) for key in ("id", "name", "title", "mode", "filetype", "mimetype", "size", "user")}
        kept |= {"url": address, "changed": _changed(file)}
        url = file.get("permalink")
        version = f"{kept['changed']}:{file.get('size')}:{_short(str(file.get('title')))} {url or ''}"
        return Listing(path, version, channel.readers, url, json.dumps(kept))

    async def reading(self, channel: Channel, listing: Listing) -> Reading:
        """The file, parsed. Raises DocumentUnreadable, DocumentUnreachable and SourceUnavailable."""
        try:
            file: JSON = json.loads(listing.handle)
        except ValueError:
            raise DocumentUnreachable("A file has to be looked for once more.") from None
        name = _shown_name(file)
        parser = _parser(file)
        if parser is None:
            raise DocumentUnreadable(f"{name} is of a kind that is not read.")
        if int(file.get("size") or 0) > self._most_bytes:
            raise DocumentUnreadable(too_large(name, self._most_bytes))
        data = await self._api.download(str(file["url"]), name, self._most_bytes)
        content = await asyncio.to_thread(parser, data, name)
        if not any(block.text.strip() for block in content.blocks):
            raise DocumentUnreadable(f"{name} holds no text.")
        author = (await self._names.person(str(file["user"]))).name if file.get("user") else None
        changed = datetime.fromtimestamp(int(file["changed"] or 0), UTC)
        return Reading(
            title=_title(file, content, name),
            content=content,
            digest=hashlib.sha256(data).hexdigest(),
            updated=changed,
            author=author or content.author,
            tags=frozenset({channel.name}),
        )


def url_of(version: str) -> str | None:
    """The link of a file that is known by its version alone."""
    return version.partition(" ")[2] or None


def _places(file: JSON) -> set[str]:
    """The conversations that a file is shared in."""
    shares: JSON = file.get("shares") or {}
    places = {str(each) for kind in ("channels", "groups", "ims") for each in file.get(kind) or ()}
    return places | {str(each) for kind in ("public", "private") for each in shares.get(kind) or ()}


def _parser(file: JSON) -> Parser | None:
    if _is_canvas(file):
        return _canvas
    named = parser_for(str(file.get("name") or ""))
    return text.parse if named is None and file.get("mode") == "snippet" else named


def _is_canvas(file: JSON) -> bool:
    return file.get("filetype") in ("quip", "canvas") or file.get("mimetype") == "application/vnd.slack-docs"


def _canvas(data: bytes, name: str) -> Content:
    """Slack gives a canvas as HTML; one written by an app may come as Markdown."""
    return html.parse(data, name) if data.lstrip()[:1] == b"<" else markdown.parse(data, name)


def _changed(file: JSON) -> int:
    times = (file.get("updated"), file.get("edit_timestamp"), file.get("timestamp"), file.get("created"))
    return max(int(each) for each in times if each) if any(times) else 0


def _shown_name(file: JSON) -> str:
    return printable(str(file.get("name") or file.get("title") or file.get("id")))


def _title(file: JSON, content: Content, name: str) -> str:
    """The title that a person gave it; Slack puts the file's name there where nobody did."""
    given = " ".join(str(file.get("title") or "").split())
    if given and (given != file.get("name") or _is_canvas(file)):
        return given
    return content.title or title_of(name)


def _short(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:8]
