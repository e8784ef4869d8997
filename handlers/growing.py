"""One message that grows in Slack: as a stream, or, where streams are refused or have ended, by being updated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_chat_stream import AsyncChatStream
from slack_sdk.web.async_client import AsyncWebClient

from handlers import markdown
from handlers.errors import REFUSED_BLOCKS, code
from handlers.shapes import JSON
from knowledge.uninterrupted import uninterrupted

SUMMARY = 3000
"""Characters of the text beside the blocks, which only notifications show; chat.update refuses a long one."""


class Growing(Protocol):
    """A message and the Markdown that it shows. All methods raise SlackApiError."""

    text: str
    number: int

    @property
    def ts(self) -> str | None:
        """Slack's id of the message, None before it is there."""
        ...

    async def append(self, text: str, tasks: Sequence[JSON]) -> None:
        """Adds text and shows how far each task is."""
        ...

    async def finish(self, text: str, blocks: Sequence[JSON]) -> None:
        """Adds the last text and puts blocks below it; nothing can be appended after."""
        ...


class Notes(Protocol):
    """Whoever notes where a message stands, before and after it is posted."""

    async def intend(self, number: int, channel: str, thread: str | None) -> JSON:
        """It is about to be posted; gives the metadata that it is found again by."""
        ...

    async def note(self, number: int, ts: str) -> None:
        """It stands there."""
        ...


class Streamed:
    """A message that Slack shows as it is written. `number`: which of the reply's messages it is, for `notes`."""

    def __init__(
        self,
        client: AsyncWebClient,
        channel: str,
        thread: str,
        *,
        team: str,
        person: str,
        number: int = 0,
        notes: Notes | None = None,
    ) -> None:
        self.text = ""
        self.number = number
        self._notes = notes
        self._place = (channel, thread)
        self._started = asyncio.get_running_loop().time()
        self._stream: AsyncChatStream | None = None
        self._begin = partial(
            client.chat_stream,
            channel=channel,
            thread_ts=thread,
            recipient_team_id=team,
            recipient_user_id=person,
            buffer_size=1,
        )

    @property
    def ts(self) -> str | None:
        """Slack's id of the message, None before the stream is open."""
        return self._stream.ts if self._stream else None

    @property
    def age(self) -> float:
        """Seconds since it was begun."""
        return asyncio.get_running_loop().time() - self._started

    async def append(self, text: str, tasks: Sequence[JSON]) -> None:
        """Adds text and task updates with one call."""
        chunks: list[JSON] = [{"type": "markdown_text", "text": text}] if text else []
        await self._noted(lambda stream: stream.append(chunks=[*chunks, *tasks]))
        self.text += text

    async def finish(self, text: str, blocks: Sequence[JSON]) -> None:
        """Closes the stream."""
        await self._noted(lambda stream: stream.stop(markdown_text=text or None, blocks=list(blocks) or None))
        self.text += text

    async def _noted(self, call: Callable[[AsyncChatStream], Awaitable[object]]) -> None:
        if self.ts is not None:
            assert self._stream is not None
            await call(self._stream)
        else:  # nobody may leave between Slack's taking it and the note of where it stands
            await uninterrupted(self._first(call))

    async def _first(self, call: Callable[[AsyncChatStream], Awaitable[object]]) -> None:
        if self._notes is not None:
            await self._notes.intend(self.number, *self._place)
        if self._stream is None:
            self._stream = await self._begin()
        try:
            await call(self._stream)
        finally:
            if self._notes is not None and self.ts is not None:
                await self._notes.note(self.number, self.ts)


class Updated:
    """A message that is posted and then replaced, whole, each time that there is more."""

    def __init__(
        self,
        client: AsyncWebClient,
        channel: str,
        thread: str | None,
        *,
        ts: str | None = None,
        text: str = "",
        number: int = 0,
        notes: Notes | None = None,
    ) -> None:
        self.text = text
        self.number = number
        self._notes = notes
        self._client = client
        self._channel = channel
        self._thread = thread
        self._ts = ts
        self._doing = ""

    @property
    def ts(self) -> str | None:
        """Slack's id of the message, None before it is posted."""
        return self._ts

    async def append(self, text: str, tasks: Sequence[JSON]) -> None:
        """Shows the text so far; before there is any, what is being done."""
        self._doing = next((task["title"] for task in tasks if task["status"] == "in_progress"), self._doing)
        whole = self.text + text
        await self._put(whole or f"_{self._doing or 'Working on it'} …_", markdown.blocks(whole) if whole else None)
        self.text = whole

    async def finish(self, text: str, blocks: Sequence[JSON]) -> None:
        """Shows the whole text with the blocks below it."""
        await self.rewrite(self.text + text, blocks)

    async def rewrite(self, text: str, blocks: Sequence[JSON]) -> None:
        """Shows this text instead; without the blocks below where Slack refuses those."""
        try:
            await self._put(text, [*markdown.blocks(text), *blocks])
        except SlackApiError as error:
            if code(error) not in REFUSED_BLOCKS:
                raise
            await self._put(text, [])
        self.text = text

    async def delete(self) -> None:
        """Takes the message away."""
        if self._ts is not None:
            await self._client.chat_delete(channel=self._channel, ts=self._ts)
            self._ts = None

    async def _put(self, text: str, blocks: list[JSON] | None) -> None:
        summary = markdown.shorten(text, SUMMARY) if blocks else text
        shown: dict[str, Any] = {"channel": self._channel, "text": summary, "blocks": blocks}
        for _ in range(2):
            if self._ts is None:
                break
            try:
                await self._client.chat_update(ts=self._ts, **shown)
            except SlackApiError as error:
                if code(error) not in ("message_not_found", "streaming_state_conflict"):
                    raise
                if not await self._stopped(error):
                    self._ts = None  # somebody deleted it, or its stream cannot be closed; the answer is still owed
            else:
                return
        await uninterrupted(self._post(shown))

    async def _stopped(self, error: SlackApiError) -> bool:
        """Whether the stream that is still open there could be closed."""
        if code(error) != "streaming_state_conflict":
            return False
        try:
            await self._client.chat_stopStream(channel=self._channel, ts=str(self._ts))
        except SlackApiError:
            return False
        return True

    async def _post(self, shown: dict[str, Any]) -> None:
        if self._notes is not None:
            shown = {**shown, "metadata": await self._notes.intend(self.number, self._channel, self._thread)}
        response = await self._client.chat_postMessage(
            thread_ts=self._thread, unfurl_links=False, unfurl_media=False, **shown
        )
        self._ts = str(response["ts"])
        if self._notes is not None:
            await self._notes.note(self.number, self._ts)
