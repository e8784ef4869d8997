"""Tells admins of models that end, and moves to the successor what they press."""

from __future__ import annotations

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.evaluation.ends import Ending
from bot.evaluation.succession import Succession
from handlers.blocks import retirement
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.shapes import JSON, pressed

log = structlog.get_logger(__name__)


async def post_ending(
    client: AsyncWebClient, core: Core, channel: str, ending: Ending, replay: Succession | None
) -> None:
    """Posts the end of a model to a channel. Raises SlackApiError."""
    text, blocks = retirement.told(ending, replay, core.clock().date())
    await client.chat_postMessage(channel=channel, text=text, blocks=blocks, unfurl_links=False, unfurl_media=False)


class Retiring:
    """The button under it, for admins."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles) -> None:
        self._client = client
        self._core = core
        self._roles = roles

    async def switch(self, payload: JSON) -> None:
        """Moves every pin on the one model to the other. Raises NotAllowed, or what says why that cannot answer."""
        origin = Origin.of(payload)
        await self._roles.need(origin.person, Deed.MOVE_PINS)
        old, _, new = pressed(payload).partition(" ")
        model = self._core.models.model(new).card
        count = await self._core.pins.move(old, model.name, by=origin.person, reason=f"{old} is shut down")
        log.info("pins_moved", old=old, new=new, count=count)
        await origin.replace(self._client, payload, *retirement.switched(count, old, model.name, origin.person))
