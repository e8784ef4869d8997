"""What was begun to be said because of a question: noted, found again, written into once more, or taken away."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.replies import Part, Replies
from bot.worker import is_fresh
from handlers.errors import code
from handlers.identity import Identity
from handlers.shapes import JSON
from knowledge.secrets import masking
from knowledge.uninterrupted import uninterrupted

log = structlog.get_logger(__name__)

EVENT = "switchboard_part"
"""The type of the metadata that a message carries which is said once."""
EARLIER = 86_400.0
"""Seconds by which this machine's clock may be ahead of Slack's: hours where its time zone is wrong."""
UNANSWERABLE = "_The question that was answered here is gone._"


def mark(id: str) -> JSON:
    """The metadata that a message is found again by, whoever posted it."""
    return {"event_type": EVENT, "event_payload": {"id": id}}


def just_before() -> str:
    """A moment of Slack's before now, for what belongs to no message."""
    return f"{time.time() - EARLIER:.6f}"


class Begun:
    """The parts of replies in Slack. Every method raises SlackApiError where Slack does not do what is needed."""

    def __init__(self, client: AsyncWebClient, replies: Replies, identity: Identity) -> None:
        self._client = client
        self._replies = replies
        self._identity = identity

    def reply(self, question_id: str, after: str) -> Messages:
        """The messages of the answer to a question that stands behind a moment."""
        return Messages(self, self._replies, question_id, after)

    async def once(
        self,
        question_id: str,
        name: str,
        *,
        channel: str,
        thread: str | None,
        text: str,
        is_begun: bool = False,
        **shown: Any,
    ) -> str:
        """Posts a part that must not come twice, whoever posted it before, without secrets in its text; gives its
        ts. `is_begun`: it may stand there from other work than this."""
        if (ts := await self.stands(question_id, name, is_begun=is_begun)) is not None:
            return ts
        await self._replies.intend(question_id, name, channel, thread, just_before())

        async def posted() -> str:
            response = await self._client.chat_postMessage(
                channel=channel,
                thread_ts=thread,
                text=masking().text(text),
                metadata=mark(f"{question_id}:{name}"),
                unfurl_links=False,
                unfurl_media=False,
                **shown,
            )
            await self._replies.note(question_id, name, str(response["ts"]))
            return str(response["ts"])

        return await uninterrupted(posted())

    async def stands(self, question_id: str, name: str, *, is_begun: bool = False) -> str | None:
        """Where an earlier attempt's part stands; None where there is none."""
        for part in [] if is_fresh() and not is_begun else await self._replies.of(question_id):
            if part.name == name and (ts := await self.where(part)):
                return ts
        return None

    async def intend(self, question_id: str, name: str, channel: str, thread: str | None) -> str:
        """A file is about to be uploaded as a part; gives the name, without an ending, that it is found again by."""
        await self._replies.intend(question_id, name, channel, thread, just_before())
        return _file_name(question_id, name)

    async def where(self, part: Part) -> str | None:
        """Where a part stands; None where it never came to Slack. What nobody noted is looked for and noted."""
        if part.ts is not None:
            return part.ts
        owned = await self._replies.owned(part.channel, part.after) if part.is_answer else frozenset()
        bot = (await self._identity.bot()).user
        async for message in self._messages(part):
            metadata = message.get("metadata") or {}
            known_as = (metadata.get("event_payload") or {}).get("id") if metadata.get("event_type") == EVENT else None
            files = [str(file.get("name")).partition(".")[0] for file in message.get("files") or ()]
            # A stream takes no metadata, and is opened in threads alone.
            stray = part.is_answer and part.thread and not metadata and not files and message["ts"] not in owned
            if message.get("user") != bot or message["ts"] <= part.after:
                continue
            is_it = known_as == part.id or _file_name(part.question_id, part.name) in files
            if stray or is_it:
                log.info("part_found", part=part.id, channel=part.channel, ts=message["ts"])
                await self._replies.note(part.question_id, part.name, message["ts"])
                return str(message["ts"])
        return None

    async def stop_stream(self, channel: str, ts: str, text: str | None = None) -> bool:
        """Closes the stream that a dead process left open there, with last words; False where there is none."""
        try:
            await self._client.chat_stopStream(channel=channel, ts=ts, markdown_text=text)
        except SlackApiError as error:
            log.debug("no_open_stream", channel=channel, ts=ts, error=code(error))
            return False
        return True

    async def conclude(self, reference: str, sentence: str) -> bool:
        """Ends what was begun with a sentence, and leaves alone what is whole; False where nothing was begun."""
        parts = [part for part in await self._replies.begun_by(reference) if part.is_answer]
        if parts and all(part.settled for part in parts):
            return True  # the answer stands; only the note of that was lost
        for part in reversed(parts):
            if (ts := await self.where(part)) is None:
                continue
            if not await self.stop_stream(part.channel, ts, f"\n\n{sentence}"):
                await self._client.chat_update(channel=part.channel, ts=ts, text=sentence, blocks=[])
            return True
        return False

    async def withdraw(self, reference: str, *, settled: bool) -> None:
        """Takes away what was said because of a question that is no more; also what is `settled`, or nothing but what
        was left unfinished."""
        for part in await self._replies.begun_by(reference):
            if part.settled and not settled:
                continue
            ts = await self.where(part)
            if ts is not None:
                await self.stop_stream(part.channel, ts)
                await self.remove(part.channel, ts)
            await self._replies.forget(part.question_id, part.name)

    async def remove(self, channel: str, ts: str) -> None:
        """Deletes a message of the bot's; where that cannot be, one sentence stands there instead."""
        try:
            await self._client.chat_delete(channel=channel, ts=ts)
        except SlackApiError as error:
            if code(error) == "message_not_found":
                return
            log.info("not_deleted", channel=channel, ts=ts, error=code(error))
            await self._client.chat_update(channel=channel, ts=ts, text=UNANSWERABLE, blocks=[])

    async def _messages(self, part: Part) -> AsyncIterator[JSON]:
        cursor = ""
        while True:
            more: dict[str, Any] = {"cursor": cursor} if cursor else {}
            more |= {"channel": part.channel, "oldest": part.after, "include_all_metadata": True, "limit": 200}
            try:
                if part.thread is None:
                    found: Any = await self._client.conversations_history(**more)
                else:
                    found = await self._client.conversations_replies(ts=part.thread, **more)
            except SlackApiError as error:
                if code(error) not in ("thread_not_found", "channel_not_found", "not_in_channel"):
                    raise
                return
            for message in found["messages"]:
                yield message
            cursor = (found.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return


def _file_name(question_id: str, name: str) -> str:
    return f"{name}-{question_id}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A message of an earlier attempt."""

    number: int
    channel: str
    thread: str | None
    ts: str


class Messages:
    """The messages of one answer, by their number."""

    def __init__(self, begun: Begun, replies: Replies, question_id: str, after: str) -> None:
        self._begun = begun
        self._replies = replies
        self._question_id = question_id
        self._after = after
        self._numbers: dict[str, str] = {}  # where a message stands, and its number

    async def standing(self) -> list[Standing]:
        """Those that an earlier attempt left, in their order, with no stream open any more."""
        found = []
        for part in await self._replies.of(self._question_id):
            if not part.is_answer:
                continue
            ts = await self._begun.where(part)
            if ts is None:
                await self._replies.forget(self._question_id, part.name)
                continue
            await self._begun.stop_stream(part.channel, ts)
            self._numbers[ts] = part.name
            found.append(Standing(int(part.name), part.channel, part.thread, ts))
        return found

    async def stray(self, number: int) -> str | None:
        """Where a message stands that Slack took without saying so; None where it did not take it."""
        for part in await self._replies.of(self._question_id):
            if part.name == str(number):
                return await self._begun.where(part)
        return None

    async def intend(self, number: int, channel: str, thread: str | None) -> JSON:
        """It is about to be posted; gives the metadata that it is found again by."""
        await self._replies.intend(self._question_id, str(number), channel, thread, self._after)
        return mark(f"{self._question_id}:{number}")

    async def note(self, number: int, ts: str) -> None:
        """It stands there."""
        self._numbers[ts] = str(number)
        await self._replies.note(self._question_id, str(number), ts)

    async def gone(self, ts: str) -> None:
        """It was taken away, or is out of reach."""
        if (name := self._numbers.pop(ts, None)) is not None:
            await self._replies.forget(self._question_id, name)
