"""Threads and files that people saved from Slack one by one, wherever they were.

The path of a document names its channel and its message, so a list of paths is all that has to be kept. The database
has it, one for all processes, so that what cannot be read for a while stays on it. Each refresh looks whether they are
still there and who may read them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge import access
from knowledge.database import Database, parts
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.schema import saved
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

    def __init__(self, name: str, api: SlackApi, cache_dir: Path, database: Database) -> None:
        self.name = name
        self._api = api
        self._database = database
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

    async def save(self, paths: Iterable[str]) -> list[str]:
        """From now on these are there; have them followed to read them. Returns those that were not there before."""
        async with self._database.writing() as connection:
            return await _put(connection, self._database, self.name, paths)

    async def remove(self, paths: Iterable[str]) -> None:
        """From now on these are not there; have them followed to drop them."""
        async with self._database.writing() as connection:
            for some in parts(sorted(paths)):
                await connection.execute(sa.delete(saved).where(saved.c.source == self.name, saved.c.path.in_(some)))

    async def saved(self, channel: str | None = None) -> frozenset[str]:
        """The paths of all that was saved, or of what was saved from one channel."""
        query = sa.select(saved.c.path).where(saved.c.source == self.name)
        if channel is not None:
            query = query.where(saved.c.channel == channel)
        async with self._database.reading() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """What was saved and is still there. Raises SourceUnavailable."""
        await self._threads.begin(anew=True)
        self._channels.clear()
        for path in sorted(await self.saved()):
            listing = await self._find(path, past.versions.get(path))
            if listing is not None:
                yield listing
        yield Complete()

    async def find(self, path: str) -> Listing | None:
        """One thread or file as it is now; None where it is gone or was removed. Raises SourceUnavailable."""
        channel = _channel_of(path)
        self._channels.pop(channel, None)
        return await self._find(path, None) if path in await self.saved(channel) else None

    async def read(self, listing: Listing) -> Reading:
        """One document. Raises DocumentUnreadable and DocumentUnreachable."""
        try:
            channel = await self._load(_channel_of(listing.path))
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
            await self.remove([path])
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

    async def _load(self, identifier: str) -> Channel:
        if identifier not in self._channels:
            self._channels[identifier] = await channels.load(self._api, identifier, access.PUBLIC)
        return self._channels[identifier]


async def take_in_saved(database: Database, source: str, file: Path) -> int:
    """Adds the paths of a list that a version before this one kept in a file, and returns how many were new.

    Raises OSError and ValueError where the list cannot be read.
    """
    paths = {str(path) for path in json.loads(file.read_text(encoding="utf-8"))}
    async with database.writing() as connection:
        return len(await _put(connection, database, source, paths))


async def _put(connection: AsyncConnection, database: Database, source: str, paths: Iterable[str]) -> list[str]:
    new: list[str] = []
    for some in parts(sorted(paths)):
        rows = [{"source": source, "path": path, "channel": _channel_of(path)} for path in some]
        adding = database.insert(saved).values(rows).on_conflict_do_nothing().returning(saved.c.path)
        new += (await connection.execute(adding)).scalars()
    return new


def _channel_of(path: str) -> str:
    return path.partition("/")[0]
