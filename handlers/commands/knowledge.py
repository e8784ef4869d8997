"""/knowledge: what the bot knows."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.domain import Audience
from handlers.audience import Places
from handlers.blocks import knowledge as knowledge_blocks
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Roles

USAGE = "You can write `/knowledge status`, `/knowledge search TEXT` or `/knowledge refresh` (admins)."
FOUND = 5


class KnowledgeCommand:
    """The command. A search shows what the person alone may read."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles, places: Places) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._places = places

    async def run(self, origin: Origin, text: str) -> None:
        """What follows `/knowledge`."""
        verb, _, rest = text.strip().partition(" ")
        line = origin.line(self._client)
        match verb.lower():
            case "" | "status":
                statuses = await self._core.knowledge.status()
                await line.say("What I know", knowledge_blocks.status(statuses, self._core.clock()))
            case "search" if rest.strip():
                audience = Audience.of_person(origin.person, await self._places.channels_of(origin.person))
                found = await self._core.knowledge.search(rest.strip(), scopes=audience.scopes, k=FOUND)
                now = self._core.clock()
                await line.say("What I found", knowledge_blocks.found(rest.strip(), found.passages, now))
            case "search":
                await line.say("Write what to look for after it: `/knowledge search TEXT`.")
            case "refresh":
                await self._roles.need_admin(origin.person, "refresh the knowledge")
                await line.say("I am looking through the sources for changes. I will tell you when I am done.")
                report = await self._core.knowledge.refresh()
                await line.say("The knowledge is up to date.", knowledge_blocks.refreshed(report))
            case _:
                await line.say(f"I do not know “/knowledge {escape(text.strip())}”. {USAGE}")
