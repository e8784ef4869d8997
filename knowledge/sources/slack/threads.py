"""A thread, or a message that says something, as one document."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import shutil
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from knowledge.documents import Content
from knowledge.errors import DocumentUnreachable
from knowledge.sources.base import Listing, Reading
from knowledge.sources.slack import noise, text
from knowledge.sources.slack.api import JSON, NotThere, SlackApi
from knowledge.sources.slack.channel import Channel
from knowledge.sources.slack.names import NOBODY, Names
from knowledge.sources.turns import Turn, blocks_of

_LIVELY = timedelta(days=7)
_TURNS = 30
_KEPT = ("ts", "user", "text", "subtype", "files", "attachments", "bot_id")
_KEPT_OF_FILES = ("id", "name", "title")


class Threads:
    """Makes documents of what was said. Threads that have to be read wait in `spool`, a folder of its own."""

    def __init__(self, api: SlackApi, names: Names, spool: Path) -> None:
        self._api = api
        self._names = names
        self._spool = spool
        self._numbers = itertools.count(1)
        self._is_clear = False

    async def begin(self, *, anew: bool) -> None:
        """The first time, clears away what a process before left behind; `anew`: asks for names again."""
        if anew:
            self._names.forget()
        if not self._is_clear:
            self._is_clear = True
            await asyncio.to_thread(shutil.rmtree, self._spool, ignore_errors=True)

    async def listing(
        self, channel: Channel, message: JSON, *, path: str, walk: int, known: str | None = None
    ) -> Listing | None:
        """The document that begins with a message of the channel's history; None where there is nothing to find.

        `walk` is the number of the walk through the whole history (see `_version`), `known` the version that is known:
        of a thread that did not change nothing more is asked. Raises SourceUnavailable.
        """
        ts = str(message["ts"])
        if message.get("thread_ts", ts) != ts:
            return None  # an answer that was sent to the channel too belongs to its thread
        if not await self._is_discussed(message):
            return await self._alone(channel, message, path)
        version = _version(message, walk)
        if version == known:
            return Listing(path, version, channel.readers, await self.link(channel.id, ts))
        try:
            said = [each for each in await self._api.thread(channel.id, ts) if noise.is_spoken(each)]
        except NotThere:
            return None
        if len(said) == 1 and said[0]["ts"] == ts:
            return await self._alone(channel, message, path)
        if not said or await self._asks_the_bot(said):
            return None
        handle = await asyncio.to_thread(self._keep, said)
        return Listing(path, version, channel.readers, await self.link(channel.id, ts), handle)

    async def saved(self, channel: Channel, ts: str, *, path: str, known: str | None = None) -> Listing | None:
        """The document of a thread that somebody chose; None where people say nothing there.

        `known`: the version that is known. Raises NotThere and SourceUnavailable.
        """
        said = [each for each in await self._api.thread(channel.id, ts) if noise.is_spoken(each)]
        if not any(each.get("text") for each in said) or await self._asks_the_bot(said):
            return None
        version = hashlib.sha256(" ".join(_fingerprint(each) for each in said).encode()).hexdigest()[:16]
        handle = await asyncio.to_thread(self._keep, said) if version != known else ""
        return Listing(path, version, channel.readers, await self.link(channel.id, ts), handle)

    async def reading(self, channel: Channel, listing: Listing) -> Reading:
        """The document. Raises DocumentUnreachable and SourceUnavailable."""
        said = await asyncio.to_thread(_taken, listing.handle)
        if said is None:
            raise DocumentUnreachable(f"What was said in #{channel.name} has to be fetched once more.")
        turns = [await self._turn(each) for each in said]
        content = Content(blocks_of(turns))
        title = next((found for turn in turns if (found := text.title(turn.text))), f"#{channel.name}")
        whole = "\n".join([title, *(block.text for block in content.blocks)])
        digest = hashlib.sha256(whole.encode()).hexdigest()
        tags = frozenset({channel.name})
        return Reading(title, content, digest, turns[-1].said, turns[0].speaker, tags)

    async def link(self, channel: str, ts: str) -> str:
        """Where a person opens the message. Raises SourceUnavailable."""
        return f"{(await self._api.me())[1]}archives/{channel}/p{ts.replace('.', '')}"

    async def _alone(self, channel: Channel, message: JSON, path: str) -> Listing | None:
        bot, _ = await self._api.me()
        if not noise.is_spoken(message) or noise.addresses(message, bot) or not noise.says_something(message):
            return None
        handle = json.dumps([_kept(message)])
        return Listing(path, _fingerprint(message), channel.readers, await self.link(channel.id, message["ts"]), handle)

    async def _is_discussed(self, message: JSON) -> bool:
        """Whether people answered, as far as the message itself tells."""
        if not message.get("reply_count"):
            return False
        repliers = message.get("reply_users") or ()
        if len(repliers) < int(message.get("reply_users_count") or 0):
            return True
        return any([not (await self._names.person(str(user))).is_bot for user in repliers])

    async def _asks_the_bot(self, said: Sequence[JSON]) -> bool:
        """Whether a person is alone with the bot in a thread."""
        bot, _ = await self._api.me()
        return len({each["user"] for each in said}) == 1 and noise.addresses(said[0], bot)

    async def _turn(self, message: JSON) -> Turn:
        user = message.get("user")
        speaker = (await self._names.person(str(user))).name if user else NOBODY
        return Turn(speaker, when(message["ts"]), await text.markdown(message, self._names))

    def _keep(self, said: Sequence[JSON]) -> str:
        self._spool.mkdir(parents=True, exist_ok=True)
        file = self._spool / f"{next(self._numbers)}.json"
        file.write_text(json.dumps([_kept(each) for each in said]), encoding="utf-8")
        return str(file)


def when(ts: str) -> datetime:
    """The time that Slack's id of a message stands for."""
    return datetime.fromtimestamp(float(ts), UTC)


def _taken(handle: str) -> list[JSON] | None:
    """What a listing kept of its messages; it is there once."""
    if handle.startswith("["):
        messages: list[JSON] = json.loads(handle)
        return messages
    if not handle:
        return None
    file = Path(handle)
    try:
        messages = json.loads(file.read_text(encoding="utf-8"))
        file.unlink(missing_ok=True)
    except (OSError, ValueError):
        return None  # the folder may be emptied at any time
    return messages


def _kept(message: JSON) -> JSON:
    kept = {key: message[key] for key in _KEPT if key in message}
    if "files" in kept:
        kept["files"] = [{key: file.get(key) for key in _KEPT_OF_FILES} for file in kept["files"]]
    return kept


def _fingerprint(message: JSON) -> str:
    """What changes with the words of a message, and with its files."""
    said = [message.get("text"), [file.get("id") for file in message.get("files") or ()], message.get("attachments")]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _version(message: JSON, walk: int) -> str:
    """What changes with a thread, as far as its first message tells.

    It does not tell of edited answers. So each walk through the whole history reads threads with an answer in the last
    seven days once more, and a thirtieth of the others.
    """
    ts, latest = str(message["ts"]), str(message.get("latest_reply") or message["ts"])
    if datetime.now(UTC) - when(latest) < _LIVELY:
        turn = f"w{walk}"
    else:
        turn = f"t{(walk + zlib.crc32(ts.encode()) % _TURNS) // _TURNS}"
    return f"{_fingerprint(message)}:{message.get('reply_count', 0)}:{latest}:{turn}"
