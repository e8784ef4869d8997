"""Slack's side of a measurement: the local workspace, with every delivery and every call that comes back timed.

All times are of this process's clock, so what this process itself takes is in them; the echo app pays the same.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from deploy.workspace.app_link import Kind
from deploy.workspace.calls import CallLog
from deploy.workspace.errors import NotDelivered
from deploy.workspace.http_delivery import signature
from deploy.workspace.server import SIGNING_SECRET, Workspace
from deploy.workspace.state import JSON

CHANNEL = "C0HELP"
PERSON = "U0MAYA"
_LATE = 60.0  # what has not come by then is not waited for


@dataclass(slots=True)
class Asked:
    """One question and when what became of it was seen, in seconds after it was sent."""

    sent: float
    first_text: float | None = None
    finished: float | None = None
    showing: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class TimedDelivery:
    """Brings events by signed HTTP, each once, and notes how long its acknowledgement took."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.acks: list[float] = []  # of the events that carry a question
        self.failures: list[str] = []
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=_LATE)
        )

    async def event(self, payload: JSON) -> None:
        """Posts it, as soon as it is there."""
        body = json.dumps(payload).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(SIGNING_SECRET, timestamp, body),
        }
        started = time.perf_counter()
        try:
            async with self._session.post(self.url, data=body, headers=headers) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failures.append(type(error).__name__)
            raise NotDelivered("connection_failed") from error
        if payload["event"]["type"] == "app_mention":
            self.acks.append(time.perf_counter() - started)
        if answer.status != 200:
            self.failures.append(f"status {answer.status}")

    async def interaction(self, kind: Kind, payload: JSON) -> JSON | None:
        """Nobody clicks here."""
        raise NotDelivered("dispatch_failed")

    async def close(self) -> None:
        """Closes its connections."""
        await self._session.close()


class TimedCalls(CallLog):
    """Notes which question a Web API call belongs to, whether it shows text of the answer, and whether it ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[str, Asked] = {}
        self._threads: dict[str, str] = {}

    async def add(self, method: str, args: JSON, answer: JSON) -> None:
        """As the workspace tells it, right after the call was answered."""
        if not answer.get("ok") or not method.startswith("chat."):
            return
        now = time.perf_counter()
        ts, thread = str(answer.get("ts", "")), str(args.get("thread_ts") or "")
        if thread:
            self._threads[ts] = thread
        asked = self.asked.get(self._threads.get(ts, ""))
        if asked is None:
            return
        if asked.first_text is None and _shows_text(method, args):
            asked.first_text = now - asked.sent
            asked.showing.set()
        if method == "chat.stopStream":
            asked.finished = now - asked.sent
            asked.done.set()


def _shows_text(method: str, args: JSON) -> bool:
    if method in ("chat.postMessage", "chat.update"):
        return bool(args.get("blocks"))  # without blocks it says what is being done
    chunks = args.get("chunks") or []
    listed = json.loads(chunks) if isinstance(chunks, str) else chunks
    return bool(args.get("markdown_text")) or any(chunk.get("text") for chunk in listed)


class SlackSide:
    """The workspace, connected to one app."""

    def __init__(self, workspace: Workspace) -> None:
        self.api_url = workspace.api_url
        self._core = workspace.core
        self._calls = TimedCalls()
        self._core.calls = self._calls

    @property
    def delivery(self) -> TimedDelivery:
        """The way to the app."""
        assert isinstance(self._core.app.delivery, TimedDelivery)
        return self._core.app.delivery

    def reach(self, url: str) -> None:
        """From now on events go here."""
        self._core.app.delivery = TimedDelivery(url)

    def ask(self, text: str) -> Asked:
        """Somebody mentions the bot in a channel."""
        asked = Asked(time.perf_counter())
        message = self._core.messages.post(self._core.state.channels[CHANNEL], PERSON, f"<@U0SWITCH> {text}")
        self._calls.asked[message["ts"]] = asked
        return asked

    async def at_once(self, texts: Sequence[str], width: int) -> list[Asked]:
        """Asks `width` questions at a time and the next ones when all of them are answered."""
        answered: list[Asked] = []
        for start in range(0, len(texts), width):
            together = [self.ask(text) for text in texts[start : start + width]]
            await self._all_done(together)
            answered += together
        return answered

    async def steadily(self, texts: Sequence[str], a_second: int) -> list[Asked]:
        """Asks at a steady pace, whether the last one was answered or not."""
        began = time.perf_counter()
        asked = []
        for number, text in enumerate(texts):
            await asyncio.sleep(max(0.0, began + number / a_second - time.perf_counter()))
            asked.append(self.ask(text))
        await self._all_done(asked)
        return asked

    async def _all_done(self, asked: Sequence[Asked]) -> None:
        async with asyncio.timeout(_LATE):
            for one in asked:
                await one.done.wait()
            await self._core.app.quiet()


@asynccontextmanager
async def slack_side() -> AsyncIterator[SlackSide]:
    """Starts a workspace that nobody is connected to yet."""
    async with Workspace(port=0) as workspace:
        yield SlackSide(workspace)
