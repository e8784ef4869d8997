"""The agent view: what to ask first, and the stop button."""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from handlers.answering import Answering
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

TITLE = "What would you like to know?"
PROMPTS = (
    {"title": "What can you do?", "message": "What can you do, and how do I use it?"},
    {"title": "What do you know?", "message": "Which documents do you answer from?"},
    {"title": "How do you choose a model?", "message": "How do you choose the model and the strategy for a question?"},
    {"title": "What does it cost?", "message": "How are the costs of answers counted and reported?"},
)


class Agent:
    """Events of the agent view, of its newer and its older form."""

    def __init__(self, client: AsyncWebClient, answering: Answering) -> None:
        self._client = client
        self._answering = answering

    async def messages_opened(self, channel: str) -> None:
        """The person opened the conversation with the bot."""
        await self._suggest(channel, None)

    async def thread_started(self, reference: str, body: JSON) -> None:
        """The older form: a new thread in the assistant's pane."""
        thread: JSON = body["event"]["assistant_thread"]
        await self._suggest(thread["channel_id"], thread["thread_ts"])

    async def session_stopped(self, reference: str, body: JSON) -> None:
        """The person pressed stop: the model call is cancelled and the message closed."""
        event: JSON = body["event"]
        channel = event.get("channel") or event.get("channel_id")
        thread = event.get("thread_ts")
        stopped = await self._answering.stop(str(channel), thread)
        log.info("stopped", channel=channel, thread=thread, answers=stopped)
        if thread:
            await self._quietly_clear(str(channel), thread)

    async def context_changed(self, reference: str, body: JSON) -> None:
        """The person looks at something else now. Answers come from what they ask alone, so nothing follows."""
        log.debug("context_changed")

    async def _suggest(self, channel: str, thread: str | None) -> None:
        try:
            await self._client.assistant_threads_setSuggestedPrompts(
                channel_id=channel, thread_ts=thread, title=TITLE, prompts=list(PROMPTS)
            )
        except SlackApiError as error:  # a workspace without the agent view has no place for prompts
            log.info("prompts_refused", error=error.response.get("error"), channel=channel)

    async def _quietly_clear(self, channel: str, thread: str) -> None:
        try:
            await self._client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread, status="")
        except SlackApiError as error:
            log.info("status_refused", error=error.response.get("error"), channel=channel)
