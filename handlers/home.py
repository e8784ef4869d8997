"""The Home tab, and the first look at the conversation with the bot."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.costs.periods import Period
from bot.costs.summary import cost_summary, sentence
from handlers.agent import Agent
from handlers.blocks.home import home_view
from handlers.commands.model import pinned_model
from handlers.permissions import Roles
from handlers.shapes import JSON


class Home:
    """Published anew each time that somebody opens it."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles, agent: Agent) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._agent = agent

    async def opened(self, reference: str, body: JSON) -> None:
        """Somebody opened the Home tab, or the messages beside it."""
        event: JSON = body["event"]
        if event.get("tab") == "messages":
            await self._agent.messages_opened(event["channel"])
        else:
            await self.publish(event["user"])

    async def publish(self, person: str) -> None:
        """Shows the person their Home tab. Raises SlackApiError."""
        model = await pinned_model(self._core, "person", person, "")
        cost = await self._cost() if await self._roles.is_admin(person) else None
        statuses = await self._core.knowledge.status()
        view = home_view(model, statuses, cost, self._core.clock())
        await self._client.views_publish(user_id=person, view=view)

    async def _cost(self) -> str:
        period = Period.of("week", self._core.clock(), self._core.settings.report.zone)
        return sentence(await cost_summary(self._core.ledger, period))
