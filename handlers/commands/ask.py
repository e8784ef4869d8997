"""/ask: a question whose answer only the asker sees."""

from __future__ import annotations

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from handlers.answering import Answering, Asked
from handlers.drawing import Drawings, to_draw
from handlers.identity import Identity
from handlers.markdown import shorten
from handlers.origin import Origin
from handlers.shapes import JSON
from handlers.text import has_words, said

log = structlog.get_logger(__name__)

USAGE = "Write your question after the command, for example: `/ask how do I reset my password?`"


class AskCommand:
    """The command; it is kept in the inbox like an event, so that a restart loses no question."""

    KIND = "ask"

    def __init__(self, client: AsyncWebClient, answering: Answering, identity: Identity, drawings: Drawings) -> None:
        self._client = client
        self._answering = answering
        self._identity = identity
        self._drawings = drawings

    @staticmethod
    def heard(payload: JSON) -> str:
        """What is said at once: Slack does not show the command itself."""
        asked = str(payload.get("text") or "").strip()
        return f"You asked: {shorten(asked, 300)}" if asked else ""

    async def run(self, reference: str, payload: JSON) -> None:
        """Answers, or says what is missing."""
        origin = Origin.of(payload)
        text = said(payload.get("text", ""), (await self._identity.bot()).user)
        line = origin.line(self._client)
        if not has_words(text):
            log.info("hint", person=origin.person, channel=origin.channel)
            await line.say(USAGE)
            return
        asked = Asked(
            reference=reference,
            text=text,
            person=origin.person,
            workspace=origin.workspace,
            channel=str(origin.channel),
            thread=origin.thread,
        )
        if what := to_draw(text):
            await self._drawings.privately(asked, what, line)
        else:
            await self._answering.privately(asked, line)
