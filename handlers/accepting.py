"""The button under a proven saving: an admin accepts it, and the channel's model changes."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bot.core import Core
from bot.errors import NotAllowed
from handlers.markdown import escape
from handlers.origin import Origin
from handlers.permissions import Deed, Roles
from handlers.shapes import JSON, parsed, pressed


class Accepting:
    """Pins the proposed model for the channel, as `/model use NAME here` does, and says so under the report."""

    def __init__(self, client: AsyncWebClient, core: Core, roles: Roles) -> None:
        self._client = client
        self._core = core
        self._roles = roles

    async def pressed(self, payload: JSON) -> None:
        """Somebody accepts a proposal. Raises NotAllowed, UnknownModel, or the ModelError that says why it cannot
        be."""
        origin = Origin.of(payload)
        channel, model, why = _read(payload)
        await self._roles.need(origin.person, Deed.ACCEPT_SAVING)
        card = self._core.models.model(model).card
        await self._core.data_rules.check(channel, card)
        pin = await self._core.pins.get("channel", channel)
        if pin is not None and pin.model == card.name:
            await origin.line(self._client).say(f"*{escape(card.name)}* answers in <#{channel}> already.")
            return
        await self._core.pins.set(
            "channel", channel, model=card.name, by=origin.person, reason=f"accepted saving: {why}"
        )
        message: JSON = payload.get("message") or {}
        await self._client.chat_postMessage(
            channel=str(origin.channel),
            thread_ts=message.get("thread_ts") or message.get("ts"),
            text=f"<@{origin.person}> accepted it: from now on *{escape(card.name)}* answers in <#{channel}> "
            f"({escape(why)}). `/model auto here`, typed there, undoes it.",
            unfurl_links=False,
            unfurl_media=False,
        )


def _read(payload: JSON) -> tuple[str, str, str]:
    value = parsed(pressed(payload))
    try:
        return str(value["channel"]), str(value["model"]), str(value["why"])
    except (KeyError, TypeError) as error:
        raise NotAllowed("I do not understand this button any more. `/model use NAME here` does the same.") from error
