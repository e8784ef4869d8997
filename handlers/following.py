"""Follows live what happens in channels that are sources of knowledge, within seconds.

What was missed while the bot was away is found by the walk through the channel that follows every start.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import structlog

from bot.core import Core
from handlers.identity import Identity
from handlers.shapes import JSON
from knowledge import access
from knowledge.errors import KnowledgeError
from knowledge.sources.slack import SavedSource, SlackSource
from knowledge.sources.slack.noise import addresses, is_spoken, says_something

log = structlog.get_logger(__name__)

_CONVERTED = frozenset({"channel_convert_to_private", "channel_convert_to_public"})
_CLOSING = frozenset({"channel_convert_to_private", "channel_shared"})
CHANNEL_EVENTS = (
    "channel_archive",
    "channel_deleted",
    "channel_left",
    "channel_shared",
    "channel_unarchive",
    "channel_unshared",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_unarchive",
    "member_joined_channel",
    "member_left_channel",
)
FILE_EVENTS = ("file_change", "file_deleted", "file_shared", "file_unshared")

Run = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Following:
    """Brings knowledge in line with what Slack tells. `run` starts work that the bot waits for before it ends."""

    def __init__(self, core: Core, identity: Identity, run: Run) -> None:
        self._knowledge = core.knowledge
        self._identity = identity
        self._run = run
        self._waiting: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def message(self, reference: str, body: JSON) -> None:
        """Something was said, changed or deleted. Returns at once; the work goes on beside the answer."""
        self._run(self._guarded(self._message(body["event"])))

    async def channel(self, reference: str, body: JSON) -> None:
        """A channel changed: who may read it, whether the bot is in it, whether it is there at all."""
        event: JSON = body["event"]
        if event["type"].startswith("member_") and event["user"] != (await self._identity.bot()).user:
            return  # who is in a channel is asked with every question
        channel = event.get("channel")
        identifier = str(channel["id"] if isinstance(channel, dict) else channel)
        self._run(self._guarded(self._channel(identifier, closing=event["type"] in _CLOSING)))

    async def file(self, reference: str, body: JSON) -> None:
        """A file was shared, changed or deleted."""
        event: JSON = body["event"]
        identifier = str(event.get("file_id") or (event.get("file") or {}).get("id") or "")
        self._run(self._guarded(self._file(identifier, event.get("channel_id"))))

    async def _message(self, event: JSON) -> None:
        channel, subtype = str(event["channel"]), event.get("subtype")
        if subtype in _CONVERTED:
            await self._channel(channel, closing=subtype in _CLOSING)
            return
        message: JSON = event.get("message") or {}
        before: JSON = event.get("previous_message") or {}
        said = event if subtype not in ("message_changed", "message_deleted") else message or before
        if said is event and not await self._is_news(event):
            return
        if said is not event and (before or said).get("bot_id"):
            return
        ts = str(event.get("deleted_ts") or said["ts"])
        thread = str(said.get("thread_ts") or before.get("thread_ts") or ts)
        files = {str(file["id"]) for each in (said, before) for file in each.get("files") or () if file.get("id")}
        await self._all(channel, [thread, *(f"files/{identifier}" for identifier in sorted(files))])

    async def _is_news(self, event: JSON) -> bool:
        """Whether a new message changes what is known: small talk begins no document."""
        if not is_spoken(event):
            return False
        if event.get("thread_ts"):
            return True
        return says_something(event) and not addresses(event, (await self._identity.bot()).user)

    async def _all(self, channel: str, paths: list[str]) -> None:
        """The same paths in the sources that read the channel, and in what was saved from it."""
        for source in self._sources():
            if source.channel_id == channel:
                for path in paths:
                    await self._follow(source.name, path)
        for shelf in self._shelves():
            saved = await shelf.saved(channel)
            for path in (f"{channel}/{path}" for path in paths):
                if path in saved:
                    await self._follow(shelf.name, path)

    async def _file(self, identifier: str, channel: str | None) -> None:
        for source in self._sources():
            if source.has_file(identifier) or (channel and source.channel_id == channel):
                await self._follow(source.name, f"files/{identifier}")
        for shelf in self._shelves():
            for path in sorted(await shelf.saved()):
                if path.endswith(f"/files/{identifier}"):
                    await self._follow(shelf.name, path)

    async def _channel(self, channel: str, *, closing: bool) -> None:
        for source in self._sources():
            if source.channel_id == channel:
                if closing:  # first what is sure without asking
                    await self._knowledge.restrict(source.name, frozenset({access.channel(channel)}))
                await self._stand(source)
            elif source.channel_id is None:  # a name that no channel had: it may be this one's
                await self._read(source)
        for shelf in self._shelves():
            for path in sorted(await shelf.saved(channel)):
                await self._follow(shelf.name, path)

    async def _stand(self, source: SlackSource) -> None:
        """Gives the documents of a channel to those who may read it now, or drops them."""
        # A document that is followed now may still be written for the readers of before: it comes first.
        async with self._turns[source.name]:
            channel = await source.channel()
            if channel is None or not channel.is_open:
                await self._knowledge.forget(source.name)
            else:
                await self._knowledge.restrict(source.name, channel.readers)
        log.info("channel_changed", source=source.name, readers=sorted(channel.readers) if channel else None)
        await self._read(source)

    async def _read(self, source: SlackSource) -> None:
        if not self._knowledge.is_refreshing:  # else the next one tells how the source stands
            await self._knowledge.refresh([source.name])

    async def _follow(self, source: str, path: str) -> None:
        """One document. An event that comes while another of the same document waits is told by that one too."""
        key = (source, path)
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = self._run(self._bring(source, path))
        await asyncio.shield(waiting)

    async def _bring(self, source: str, path: str) -> None:
        async with self._turns[source]:
            del self._waiting[source, path]
            try:
                await self._knowledge.follow(source, path)
            except KnowledgeError as error:
                log.warning("not_followed", source=source, path=path, reason=str(error))

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except KnowledgeError as error:
            log.warning("not_followed", reason=str(error))
        except Exception:  # the outermost door of this work; the next refresh brings what was missed
            log.exception("not_followed")

    def _sources(self) -> Iterator[SlackSource]:
        return (source for source in self._knowledge.sources if isinstance(source, SlackSource))

    def _shelves(self) -> Iterator[SavedSource]:
        return (source for source in self._knowledge.sources if isinstance(source, SavedSource))
