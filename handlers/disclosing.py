"""An answer said what somebody should not know: those who look after its sources hear of it at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Citation, Question, Receipt
from handlers.audience import Places
from handlers.begun import Begun
from handlers.blocks import disclosed
from handlers.errors import code
from knowledge import access

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Disclosing:
    """Tells the people in `slack.admins` and whoever added a source that was cited, each once and alone; where there is
    none of them, the channel of the reports. Nobody is shown the title of a document that they may not read."""

    client: AsyncWebClient
    core: Core
    places: Places
    begun: Begun

    async def tell(self, question: Question, receipt: Receipt | None, person: str) -> None:
        """Said again, it is not told again."""
        cited = receipt.citations if receipt is not None else ()
        told = 0
        for recipient in await self._recipients(cited):
            told += await self._told(recipient, question, cited, person)
        channel = self.core.settings.report.channel
        if not told and channel:
            text = disclosed.text(person, question, (), cited)
            await self.begun.once(_id(question, person), "channel", channel=channel, thread=None, text=text)

    async def _told(self, recipient: str, question: Question, cited: tuple[Citation, ...], person: str) -> bool:
        scopes = (await self.places.alone(recipient)).scopes
        readers = await self.core.knowledge.readers_of(sorted({each.document for each in cited}))
        open_to = {id for id, who in readers.items() if access.readable(who, scopes)}
        seen = tuple(each for each in cited if each.document in open_to)
        hidden = tuple(each for each in cited if each.document not in open_to)
        try:
            opened = await self.client.conversations_open(users=recipient)
            await self.begun.once(
                _id(question, person),
                _part(recipient),
                channel=str(opened["channel"]["id"]),
                thread=None,
                text=disclosed.text(person, question, seen, hidden),
            )
        except SlackApiError as error:
            log.warning("disclosure_not_told", person=recipient, error=code(error))
            return False
        return True

    async def _recipients(self, cited: tuple[Citation, ...]) -> list[str]:
        sources = {each.source for each in cited}
        added = [one for one in await self.core.sources.all() if one.spec.name in sources]
        owners = [one.origin for one in added if not one.is_configured]
        return sorted({*self.core.settings.slack.admins, *(owner for owner in owners if owner[:1] in ("U", "W"))})


def _id(question: Question, person: str) -> str:
    """What the telling is known by, whichever process does it."""
    return hashlib.sha256(f"disclosed {question.id} {person}".encode()).hexdigest()[:32]


def _part(recipient: str) -> str:
    return f"to-{hashlib.sha256(recipient.encode()).hexdigest()[:8]}"
