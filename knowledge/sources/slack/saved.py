"""Threads and files that people saved from Slack one by one, wherever they were.

The path of a document names its channel and its message, so a list of paths is all that has to be kept. It is kept in
a file, so that what cannot be read for a while stays on it; where the file was lost, the documents that are known are
the list. Each refresh looks whether they are still there and who may read them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from knowledge import access
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.sources.base import Complete, Listed, Listing, Past, Reading
from knowledge.sources.slack import channel as channels
from knowledge.sources.slack.api import JSON, NotThere, SlackApi
from knowledge.sources.slack.channel import Channel
from knowledge.sources.slack.files import Files
from knowledge.sources.slack.names import Names
from knowledge.sources.slack.threads import Threads

_FILES = "files/"


def paths_of(channel: str, message: JSON) -> list[str]:
    """What a message is saved under: its thread, and its files."""
    thread = str(message.get("thread_ts") or message["ts"])
    files = [f"{channel}/{_FILES}{file['id']}" for file in message.get("files") or () if file.get("id")]
    return [f"{channel}/{thread}", *files]


class SavedSource:
    """The `Source` port over what was saved. A path is "C…/ts" for a thread, "C…/files/F…" for a file."""

    kind = "slack"

    def __init__(self, name: str, api: SlackApi, cache_dir: Path) -> None:
        self.name = name
        self._api = api
        self._saved: set[str] = set()
        self._file = cache_dir / "saved.json"
        self._loaded = False
        self._writing = asyncio.Lock()
        names = Names(api)
        self._threads = Threads(api, names, cache_dir / "threads")
        self._files = Files(api, names)
        self._channels: dict[str, Channel] = {}

    async def channel(self, identifier: str) -> Channel:
        """The channel as it is now. Raises DocumentUnreadable where the bot may not read there, SourceUnavailable."""
        self._channels.pop(identifier, None)
        try:
            there = await self._load(identifier)
        except NotThere:
            there = None
        if there is None or not there.is_member:
            raise DocumentUnreadable(
                "I cannot read there, so I cannot keep it. Invite me with `/invite @Switchboard`, then add it again."
            )
        return there

    async def save(self, paths: Iterable[str]) -> None:
        """From now on these are there; have them followed to read them."""
        await self._change(await self._list() | set(paths))

    async def remove(self, paths: Iterable[str]) -> None:
        """From now on these are not there; have them followed to drop them."""
        await self._change(await self._list() - set(paths))

    async def saved(self) -> frozenset[str]:
        """The paths of all that was saved."""
        return frozenset(await self._list())

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """What was saved and is still there. Raises SourceUnavailable."""
        await self._threads.begin(anew=True)
        self._channels.clear()
        if not await asyncio.to_thread(self._file.exists):
            await self._change(await self._list() | set(past.versions))
        for path in sorted(await self._list()):
            listing = await self._find(path, past.versions.get(path))
            if listing is not None:
                yield listing
        yield Complete()

    async def find(self, path: str) -> Listing | None:
        """One thread or file as it is now; None where it is gone or was removed. Raises SourceUnavailable."""
        self._channels.pop(path.partition("/")[0], None)
        return await self._find(path, None) if path in await self._list() else None

    async def read(self, listing: Listing) -> Reading:
        """One document. Raises DocumentUnreadable and DocumentUnreachable."""
        try:
            channel = await self._load(listing.path.partition("/")[0])
            if f"/{_FILES}" in listing.path:
                return await self._files.reading(channel, listing)
            return await self._threads.reading(channel, listing)
        except NotThere:
            raise DocumentUnreachable("The channel is not there any more.") from None
        except SourceUnavailable as error:
            raise DocumentUnreachable(str(error)) from None

    async def close(self) -> None:
        """Holds nothing: the connection is the bot's."""

    async def _find(self, path: str, known: str | None) -> Listing | None:
        listing = await self._look(path, known)
        if listing is None:
            await self._change(await self._list() - {path})
        return listing

    async def _look(self, path: str, known: str | None) -> Listing | None:
        identifier, _, rest = path.partition("/")
        try:
            channel = await self._load(identifier)
            if not channel.is_open:
                return None
            if rest.startswith(_FILES):
                file = await self._files.info(rest.removeprefix(_FILES))
                return self._files.listing(channel, file, path=path) if file else None
            return await self._threads.saved(channel, rest, path=path, known=known)
        except NotThere:
            return None

    async def _list(self) -> set[str]:
        if not self._loaded:
            self._saved |= await asyncio.to_thread(_read, self._file)
            self._loaded = True
        return set(self._saved)

    async def _change(self, saved: set[str]) -> None:
        if saved == self._saved and self._file.exists():
            return
        self._saved = saved
        async with self._writing:
            await asyncio.to_thread(_write, self._file, sorted(self._saved))

    async def _load(self, identifier: str) -> Channel:
        if identifier not in self._channels:
            self._channels[identifier] = await channels.load(self._api, identifier, access.PUBLIC)
        return self._channels[identifier]


def _read(file: Path) -> set[str]:
    try:
        return {str(path) for path in json.loads(file.read_text(encoding="utf-8"))}
    except (OSError, ValueError):
        return set()


def _write(file: Path, paths: list[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(paths), encoding="utf-8")
    part.replace(file)
