"""Where a payload came from: who pressed, typed or said it, and how to speak to them there."""

from __future__ import annotations

import json
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.exc import SQLAlchemyError

from handlers.begun import Begun
from handlers.errors import code
from handlers.private_line import PrivateLine
from handlers.shapes import JSON, parsed

TOLD = "told"
"""What is said once of what went wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A person and a place; `response_url` and `trigger_id` are None where the payload has none."""

    person: str
    workspace: str
    channel: str | None = None
    thread: str | None = None
    response_url: str | None = None
    trigger_id: str | None = None

    @classmethod
    def of(cls, payload: JSON) -> Origin:
        """Of an event's body, a slash command, a click, a shortcut or a submitted modal."""
        if "event" in payload:
            return cls._of_event(payload)
        if "command" in payload:
            return cls(
                person=payload["user_id"],
                workspace=payload.get("team_id", ""),
                channel=payload.get("channel_id"),
                thread=payload.get("thread_ts"),
                response_url=payload.get("response_url"),
                trigger_id=payload.get("trigger_id"),
            )
        return cls._of_interaction(payload)

    @classmethod
    def _of_event(cls, payload: JSON) -> Origin:
        event: JSON = payload["event"]
        return cls(
            person=str(event.get("user") or ""),
            workspace=str(payload.get("team_id") or ""),
            channel=event.get("channel"),
            thread=event.get("thread_ts") or event.get("ts"),
        )

    @classmethod
    def _of_interaction(cls, payload: JSON) -> Origin:
        container: JSON = payload.get("container") or {}
        message: JSON = payload.get("message") or {}
        kept = metadata(payload)
        channel = (payload.get("channel") or {}).get("id") or container.get("channel_id")
        return cls(
            person=payload["user"]["id"],
            workspace=str((payload.get("team") or {}).get("id") or ""),
            channel=channel or kept.get("channel"),
            thread=container.get("thread_ts") or message.get("thread_ts") or kept.get("thread"),
            response_url=payload.get("response_url") or kept.get("response_url"),
            trigger_id=payload.get("trigger_id"),
        )

    def line(self, client: AsyncWebClient) -> PrivateLine:
        """A way to speak to the person alone."""
        return PrivateLine(
            client, self.person, channel=self.channel, thread=self.thread, response_url=self.response_url
        )

    async def replace(self, client: AsyncWebClient, payload: JSON, text: str, blocks: list[JSON]) -> None:
        """Puts something else in place of the bot's message that was clicked. Raises SlackApiError."""
        container: JSON = payload.get("container") or {}
        ts = container.get("message_ts")
        if container.get("is_ephemeral") or ts is None or self.channel is None:
            await self.line(client).replace(text, blocks)
        else:
            await client.chat_update(channel=self.channel, ts=ts, text=text, blocks=blocks)

    def metadata(self, **more: str) -> str:
        """For a modal's `private_metadata`, so that its submission knows where it was opened from."""
        place = {"channel": self.channel, "thread": self.thread, "response_url": self.response_url}
        return json.dumps({**{key: value for key, value in place.items() if value}, **more})


def metadata(payload: JSON) -> dict[str, str]:
    """What `Origin.metadata` put into a modal; empty where there is none or it is not ours."""
    kept = parsed((payload.get("view") or {}).get("private_metadata") or "{}")
    return {str(key): str(value) for key, value in kept.items()} if isinstance(kept, dict) else {}


async def tell(client: AsyncWebClient, begun: Begun, payload: JSON, text: str, reference: str) -> None:
    """Brings a sentence to the person: once in the thread for what they said, else to them alone.

    Raises SlackApiError where no way is left.
    """
    origin = Origin.of(payload)
    if "event" not in payload or origin.thread is None or origin.channel is None:
        if origin.person:
            await origin.line(client).say(text)
        return
    channel, thread = origin.channel, origin.thread
    try:
        try:
            await begun.once(reference, TOLD, channel=channel, thread=thread, text=text)
        except SQLAlchemyError:  # rather twice than never
            await client.chat_postMessage(
                channel=channel, thread_ts=thread, text=text, unfurl_links=False, unfurl_media=False
            )
    except SlackApiError as error:
        await origin.line(client).direct(f"In <#{origin.channel}> I could not write ({code(error)}). {text}")
