"""The room in which questions wait while all hands are full: whoever waits there is told how long about."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.errors import code
from handlers.origin import Origin
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

FEW_SECONDS = 5.0
"""Whoever waits no longer than this is not told."""
USUAL_SECONDS = 10.0
"""What an answer is taken to need until it is known."""
STATUS_SECONDS = 100.0
"""How long a status is left alone: Slack takes it away after two minutes."""
CALLS = 8
"""Statuses that are set at once; Slack takes ten a second of an app."""
ENOUGH = 10
"""So many answers tell how fast it goes."""


class WaitingRoom:
    """Who waits here, in the order in which they came. `asks` tells whether a payload asks the bot something."""

    def __init__(
        self,
        at_once: int,
        client: AsyncWebClient | None = None,
        asks: Callable[[JSON], Awaitable[bool]] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once = at_once
        self._client = client
        self._asks = asks
        self._now = now
        self._waiting: dict[str, JSON] = {}
        self._told: dict[str, float] = {}
        self._served = 0
        self._since = now()
        self._calls = asyncio.Semaphore(CALLS)

    def enter(self, identity: str, payload: JSON) -> bool:
        """Somebody waits from now on; whether that is for longer than a few seconds."""
        if not self._waiting:
            self._served, self._since = 0, self._now()
        self._waiting[identity] = payload
        return self.seconds(identity) > FEW_SECONDS

    def leave(self, identity: str) -> None:
        """Their turn has come."""
        self._waiting.pop(identity, None)
        self._told.pop(identity, None)

    def served(self) -> None:
        """One more is through."""
        self._served += 1

    def seconds(self, identity: str) -> float:
        """How long about somebody will wait from now on; 0 for who does not wait here."""
        if identity not in self._waiting:
            return 0.0
        ahead = next(place for place, one in enumerate(self._waiting, 1) if one == identity)
        return ahead / self._speed()

    def words(self, identity: str) -> str:
        """A sentence on how long somebody waits, "" where that is not worth one."""
        seconds = self.seconds(identity)
        return f"Many are asking just now: it will take {about(seconds)}." if seconds > FEW_SECONDS else ""

    async def tell(self, identity: str, payload: JSON) -> None:
        """Shows in the thread of a question how long it will take, where it is one and waits still."""
        if self._client is None or self._asks is None or not await self._asks(payload):
            return
        async with self._calls:
            origin, seconds = Origin.of(payload), self.seconds(identity)
            if not seconds or origin.channel is None or origin.thread is None:
                return
            self._told[identity] = self._now()
            try:
                await self._client.assistant_threads_setStatus(
                    channel_id=origin.channel,
                    thread_ts=origin.thread,
                    status=f"answers others first: yours comes in {about(seconds)} …",
                )
            except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
                log.info("waiting_not_told", error=code(error) or type(error).__name__)

    async def remind(self, queued: Callable[[Sequence[str]], Awaitable[Sequence[str]]]) -> None:
        """Tells those again who were told long ago and wait still; `queued` knows who of them does."""
        late = [one for one, at in self._told.items() if self._now() - at > STATUS_SECONDS]
        if not late:
            return
        still = set(await queued(late))
        for gone in (one for one in late if one not in still):  # another process has begun on it
            self.leave(gone)
        await asyncio.gather(*(self.tell(one, self._waiting[one]) for one in late if one in self._waiting))

    def _speed(self) -> float:
        """Answers a second."""
        if self._served < ENOUGH:
            return self._at_once / USUAL_SECONDS
        return self._served / max(self._now() - self._since, 1.0)


def about(seconds: float) -> str:
    """A length of time as people say it."""
    if seconds < 55:
        return f"about {max(10, math.ceil(seconds / 10) * 10)} seconds"
    minutes = math.ceil(seconds / 60)
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"
