"""The Home tab, and the first look at the conversation with the bot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.costs.periods import Period
from bot.costs.summary import cost_summary, sentence
from handlers.agent import Agent
from handlers.blocks import knowledge as knowledge_blocks
from handlers.blocks.home import home_view
from handlers.commands.typed import about_to_ask
from handlers.known import Known
from handlers.origin import Origin
from handlers.permissions import Roles
from handlers.refreshing import embedding_cost, note_refresh
from handlers.shapes import JSON, pressed


class Home:
    """Published anew each time that somebody opens it."""

    def __init__(
        self,
        client: AsyncWebClient,
        core: Core,
        roles: Roles,
        agent: Agent,
        known: Known,
        next_refresh: Callable[[datetime], datetime | None],
    ) -> None:
        self._client = client
        self._core = core
        self._roles = roles
        self._agent = agent
        self._known = known
        self._next_refresh = next_refresh

    async def opened(self, reference: str, body: JSON) -> None:
        """Somebody opened the Home tab, or the messages beside it."""
        event: JSON = body["event"]
        if event.get("tab") == "messages":
            if "channel" in event:
                await self._agent.messages_opened(event["channel"])
        else:
            await self.publish(event["user"])

    async def publish(self, person: str) -> None:
        """Shows the person their Home tab. Raises SlackApiError."""
        now = self._core.clock()
        held = (await self._core.switches.of(about_to_ask(Origin(person=person, workspace=""), now))).holding
        model = held.pin.model if held is not None else None
        is_admin = await self._roles.is_admin(person)
        cost = await self._cost(person, is_admin=is_admin)
        choosing = (await self._core.learning.standing()).sentence if is_admin else None
        knowledge = knowledge_blocks.status(
            await self._known.sources(person),
            now,
            upcoming=self._next_refresh(now),
            embedding=await embedding_cost(self._core) if is_admin else "",
            is_refreshing=self._core.knowledge.is_refreshing,
        )
        await self._client.views_publish(user_id=person, view=home_view(model, cost, knowledge, choosing))

    async def refresh_pressed(self, payload: JSON) -> None:
        """The button "Refresh" beside a source: the tab says that it is read, and then how it stands."""
        person = str(payload["user"]["id"])
        source = await self._known.changeable(pressed(payload), person, "refresh")
        await note_refresh(self._core, [source.status.name], person)
        refresh = asyncio.create_task(self._core.knowledge.refresh([source.status.name]))
        try:
            await asyncio.sleep(0)  # so that it has begun
            await self.publish(person)
            await refresh
        finally:
            refresh.cancel()
        await self.publish(person)
        await self._core.checking_examples.run()

    async def _cost(self, person: str, *, is_admin: bool) -> str:
        """What one's own questions cost this month; for an admin, before that, what everybody's did this week."""
        now, zone = self._core.clock(), self._core.settings.report.zone
        own = sentence(await cost_summary(self._core.ledger, Period.of("month", now, zone), zone, person=person))
        if not is_admin:
            return own
        return f"{sentence(await cost_summary(self._core.ledger, Period.of('week', now, zone), zone))} {own}"
