"""Tells whoever asks too much when to ask again, where they are and to them alone."""

from __future__ import annotations

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.limits import Full, Limits
from handlers.private_line import PrivateLine

log = structlog.get_logger(__name__)


class Limiting:
    """Stands before everything that a model may be paid for."""

    def __init__(self, client: AsyncWebClient, limits: Limits) -> None:
        self._client = client
        self._limits = limits

    async def admits(
        self, person: str, channel: str, thread: str | None, reference: str, line: PrivateLine | None = None
    ) -> bool:
        """Whether a question is to be begun with. Where it is not, the person hears why, once a minute.

        `line`: the way to them, where there is a better one than an ephemeral message.
        """
        # The event's id: what is begun again after a crash was admitted before.
        known = str(structlog.contextvars.get_contextvars().get("event_id") or reference)
        full = await self._limits.admit(person, channel, known)
        if full is None:
            return True
        log.warning("limit_reached", person=person, channel=channel, limit=full.limit, whose=full.whose)
        if full.is_news:
            line = line or PrivateLine(self._client, person, channel=channel, thread=thread)
            await line.say(sentence(full))
        return False


def sentence(full: Full) -> str:
    """What the person is told."""
    who = "You asked" if full.whose == "person" else "In this channel people asked"
    what = f"{full.limit} question{'' if full.limit == 1 else 's'} within a minute, which is as many as I take"
    rest = "" if full.whose == "person" else " there"
    seconds = f"{full.seconds} second{'' if full.seconds == 1 else 's'}"
    return f"{who} {what}{rest}. I have not begun with this one: please ask it again in {seconds}."
