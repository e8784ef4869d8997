"""The message of a training run: posted once, then edited."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.replies import Replies
from handlers.begun import Begun
from handlers.identity import Identity
from handlers.markdown import escape

_PART = "progress"


class TrainingNews:
    """One message a run in `channel`, whichever process posted it."""

    def __init__(self, client: AsyncWebClient, replies: Replies, channel: str) -> None:
        self._client = client
        self._replies = replies
        self._begun = Begun(client, replies, Identity(client))
        self._channel = channel

    async def show(self, run: str, line: str) -> None:
        """Makes the line what stands there. Raises SlackApiError."""
        known, text = f"training-{run}", escape(line)
        for part in await self._replies.of(known):
            if (ts := await self._begun.where(part)) is not None:
                await self._client.chat_update(channel=part.channel, ts=ts, text=text)
                return
        await self._begun.once(known, _PART, channel=self._channel, thread=None, text=text)
