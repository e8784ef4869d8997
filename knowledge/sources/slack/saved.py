"""Threads and files that people saved from Slack one by one, wherever they were.

What was saved is the list of the documents themselves: the path of one names its channel and its message, so nothing
else has to be kept. Each refresh looks whether it is still there and who may read it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from knowledge import access
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.sources.base import Complete, Gone, Listed, Listing, Past, Reading
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

    def save(self, paths: Iterable[str]) -> None:
        """From now on these are there; have them followed to read them."""
        self._saved.update(paths)

    def remove(self, paths: Iterable[str]) -> None:
        """From now on these are not there; have them followed to drop them."""
        self._saved.difference_update(paths)

    def of_channel(self, channel: str) -> list[str]:
        """What was saved from a channel."""
        return [path for path in self._saved if path.startswith(f"{channel}/")]

    def has(self, path: str) -> bool:
        """Whether something is saved under a path."""
        return path in self._saved

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """What was saved and is still there. Raises SourceUnavailable."""
        await self._threads.begin()
        self._channels.clear()
        self._saved.update(past.versions)
        for path in sorted(self._saved):
            listing = await self._find(path, past.versions.get(path))
            yield listing or Gone(path)
            if listing is None:
                self._saved.discard(path)
        yield Complete()

    async def find(self, path: str) -> Listing | None:
        """One thread or file as it is now; None where it is gone or was removed. Raises SourceUnavailable."""
        self._channels.pop(path.partition("/")[0], None)
        if path not in self._saved:
            return None
        listing = await self._find(path, None)
        if listing is None:
            self._saved.discard(path)
        return listing

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
        identifier, _, rest = path.partition("/")
        try:
            channel = await self._load(identifier)
            if not (channel.is_member or channel.is_archived):
                return None
            if rest.startswith(_FILES):
                file = await self._files.info(rest.removeprefix(_FILES))
                return self._files.listing(channel, file, path=path) if file else None
            return await self._threads.saved(channel, rest, path=path, known=known)
        except NotThere:
            return None

    async def _load(self, identifier: str) -> Channel:
        if identifier not in self._channels:
            self._channels[identifier] = await channels.load(self._api, identifier, access.PUBLIC)
        return self._channels[identifier]
