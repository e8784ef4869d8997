"""Messages that grow while people read them, and the status that a thread shows meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.workspace.errors import ApiError
from deploy.workspace.feed import Feed
from deploy.workspace.limits import MAX_BLOCKS_LENGTH, MAX_MARKDOWN, blocks_length, check_message_blocks
from deploy.workspace.messages import Messages
from deploy.workspace.state import BOT_USER, JSON, Channel, State

STREAM_SECONDS = 300.0
STATUS_SECONDS = 120.0
MAX_LOADING_MESSAGES = 10
TASK_STATUSES = ("pending", "in_progress", "complete", "error")


@dataclass
class Stream:
    """An open stream: blocks in the order in which they came, tasks by their id."""

    channel: Channel
    ts: str
    thread_ts: str
    timer: asyncio.TimerHandle
    blocks: list[JSON] = field(default_factory=list)
    tasks: dict[str, JSON] = field(default_factory=dict)
    plan: str = ""

    @property
    def text(self) -> str:
        return "\n".join(block["text"] for block in self.blocks if block["type"] == "markdown")

    def page_fields(self, *, streaming: bool) -> JSON:
        fields: JSON = {"streaming": True} if streaming else {}
        if self.tasks:
            fields["tasks"] = list(self.tasks.values())
        if self.plan:
            fields["plan"] = self.plan
        return fields


class Streams:
    """Open streams by channel and ts; each ends by `stop`, by the person, or by itself after `lifetime` seconds."""

    def __init__(self, state: State, feed: Feed, messages: Messages, lifetime: float = STREAM_SECONDS) -> None:
        self._state = state
        self._feed = feed
        self._messages = messages
        self._lifetime = lifetime
        self._open: dict[tuple[str, str], Stream] = {}
        self._status_timers: dict[tuple[str, str], asyncio.TimerHandle] = {}

    def start(self, channel: Channel, thread_ts: str, chunks: Sequence[JSON]) -> JSON:
        """Post the message that will grow; chunks as in `chat.appendStream`."""
        check_chunks(chunks)
        self.set_status(channel, thread_ts, "")
        message = self._messages.post(channel, BOT_USER, "", thread_ts=thread_ts, page_fields={"streaming": True})
        ts = message["ts"]
        timer = asyncio.get_running_loop().call_later(self._lifetime, self.expire, channel.id, ts)
        stream = Stream(channel, ts, thread_ts, timer)
        self._open[channel.id, ts] = stream
        if chunks:
            self._take(stream, chunks)
            self._show(stream)
        return message

    def append(self, channel: Channel, ts: str, chunks: Sequence[JSON]) -> None:
        check_chunks(chunks)
        stream = self._stream(channel, ts)
        self._take(stream, chunks)
        self._show(stream)

    def stop(
        self, channel: Channel, ts: str, chunks: Sequence[JSON], blocks: Sequence[JSON], metadata: JSON | None
    ) -> JSON:
        """Finish the message with last chunks and with blocks below them."""
        check_chunks(chunks)
        check_message_blocks(blocks)
        stream = self._stream(channel, ts)
        self._take(stream, chunks, blocks)
        stream.blocks.extend(blocks)
        self._close(stream, {"metadata": metadata} if metadata else {})
        return channel.messages[ts]

    def is_open(self, channel: Channel, ts: str) -> bool:
        return (channel.id, ts) in self._open

    def expire(self, channel_id: str, ts: str) -> bool:
        """End a stream as Slack does after five minutes: what was written stays. False where it was not open."""
        stream = self._open.get((channel_id, ts))
        if stream is None:
            return False
        self._close(stream, {})
        return True

    def stop_thread(self, channel: Channel, thread_ts: str) -> list[str]:
        """End every stream in a thread, because the person pressed stop; returns their ts."""
        stopped = [
            stream.ts for stream in self._open.values() if stream.channel is channel and stream.thread_ts == thread_ts
        ]
        for ts in stopped:
            self.expire(channel.id, ts)
        return stopped

    def set_status(self, channel: Channel, thread_ts: str, status: str, loading_messages: Sequence[str] = ()) -> None:
        """Show what the app is doing in a thread; "" takes it away, and so do two minutes."""
        key = (channel.id, thread_ts)
        timer = self._status_timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if status:
            loop = asyncio.get_running_loop()
            self._status_timers[key] = loop.call_later(STATUS_SECONDS, self.set_status, channel, thread_ts, "")
        elif timer is None:
            return
        event = {
            "type": "thread_status",
            "channel": channel.id,
            "thread_ts": thread_ts,
            "status": status,
            "loading_messages": list(loading_messages),
        }
        self._feed.publish(self._state.audience(channel), event)

    def close(self) -> None:
        for stream in self._open.values():
            stream.timer.cancel()
        for timer in self._status_timers.values():
            timer.cancel()
        self._open.clear()
        self._status_timers.clear()

    def _stream(self, channel: Channel, ts: str) -> Stream:
        if ts not in channel.messages:
            raise ApiError("message_not_found")
        stream = self._open.get((channel.id, ts))
        if stream is None:
            raise ApiError("message_not_in_streaming_state")
        return stream

    def _take(self, stream: Stream, chunks: Sequence[JSON], last: Sequence[JSON] = ()) -> None:
        if blocks_length([*stream.blocks, *chunks, *last]) > MAX_BLOCKS_LENGTH:
            raise ApiError("msg_blocks_too_long")
        for chunk in chunks:
            match chunk["type"]:
                case "markdown_text":
                    if stream.blocks and stream.blocks[-1]["type"] == "markdown":
                        stream.blocks[-1]["text"] += chunk["text"]
                    else:
                        stream.blocks.append(
                            {"type": "markdown", "text": chunk["text"], "block_id": self._state.next_id("b")}
                        )
                case "task_update":
                    known = stream.tasks.setdefault(chunk["id"], {})
                    known |= {key: value for key, value in chunk.items() if key != "type" and value is not None}
                case "plan_update":
                    stream.plan = chunk["title"]
                case "blocks":
                    stream.blocks.extend(dict(block) for block in chunk["blocks"])

    def _show(self, stream: Stream, *, streaming: bool = True, **more: Any) -> None:
        self._messages.page_fields[stream.channel.id, stream.ts] = stream.page_fields(streaming=streaming)
        self._messages.update(
            stream.channel,
            stream.ts,
            text=stream.text,
            blocks=[dict(block) for block in stream.blocks],
            quiet=streaming,
            **more,
        )

    def _close(self, stream: Stream, more: JSON) -> None:
        stream.timer.cancel()
        del self._open[stream.channel.id, stream.ts]
        if stream.ts in stream.channel.messages:
            self._show(stream, streaming=False, **more)


def check_chunks(chunks: Sequence[JSON]) -> None:
    """Refuse chunks that Slack would refuse."""
    for chunk in chunks:
        kind = chunk.get("type") if isinstance(chunk, dict) else None
        match kind:
            case "markdown_text":
                text = chunk.get("text")
                fine = isinstance(text, str)
                if fine and len(str(text)) > MAX_MARKDOWN:
                    raise ApiError("msg_too_long")
            case "task_update":
                named = isinstance(chunk.get("id"), str) and isinstance(chunk.get("title"), str)
                fine = named and chunk.get("status") in TASK_STATUSES
            case "plan_update":
                fine = isinstance(chunk.get("title"), str)
            case "blocks":
                fine = isinstance(chunk.get("blocks"), list)
                if fine:
                    check_message_blocks(chunk["blocks"])
            case _:
                fine = False
        if not fine:
            raise ApiError("invalid_chunks")
