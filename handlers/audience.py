"""Where a question was asked and who will be able to read its answer."""

from __future__ import annotations

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import Audience, Place, PlaceKind, Question
from handlers.cache import Remembered
from handlers.errors import code
from handlers.shapes import JSON

log = structlog.get_logger(__name__)

MINUTE = 60.0


class Places:
    """What Slack tells of channels and their people, remembered for a minute (a channel's kind for an hour)."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._info = Remembered(self._load_info, 60 * MINUTE)
        self._channels = Remembered(self._load_channels, MINUTE)

    async def place(self, workspace: str, channel: str, thread: str | None = None) -> Place:
        """The place, with its kind."""
        return Place(workspace=workspace, channel=channel, kind=await self._kind(channel), thread=thread)

    async def audience(self, place: Place, person: str, *, private: bool = False) -> Audience:
        """Everyone who will read an answer in `place`; `private`: only the person will."""
        if private or place.kind is PlaceKind.DM:
            return Audience.of_person(person, await self.channels_of(person))
        return Audience.of_channel(place.channel)

    async def audience_of(self, question: Question) -> Audience:
        """Who would read an answer to an earlier question now: everyone that then, where its channel is of the same
        kind and its asker is still in it, else people of whom nothing is known."""
        place, there = question.place, await self.channels_of(question.asker)
        if question.private or place.kind is PlaceKind.DM:
            return Audience.of_person(question.asker, there)
        if place.channel not in there or await self._kind(place.channel) is not place.kind:
            return Audience.everyone()
        return Audience.of_channel(place.channel)

    async def channels_of(self, person: str) -> tuple[str, ...]:
        """Ids of the channels that the person is in and the bot can see; none where Slack does not say."""
        try:
            return tuple(await self._channels.get(person))
        except SlackApiError as error:
            log.warning("channels_unknown", person=person, error=code(error))
            return ()

    async def named(self, person: str, channel: str) -> tuple[str, str] | None:
        """Id and name of a channel that the person is in, by its id or by its #name; None where there is none such."""
        there = await self._channels.get(person)
        wanted = channel.removeprefix("#").casefold()
        return next(((i, name) for i, name in there.items() if channel == i or name.casefold() == wanted), None)

    async def may_read(self, person: str, question: Question) -> bool:
        """Whether the person can read the place of the question, so may see what became of it."""
        if person == question.asker:
            return True
        if question.private or question.place.kind in (PlaceKind.DM, PlaceKind.CONSOLE):
            return False
        if question.place.channel in await self.channels_of(person):
            return True
        return await self._kind(question.place.channel) is PlaceKind.CHANNEL

    async def _kind(self, channel: str) -> PlaceKind:
        if channel.startswith("D"):
            return PlaceKind.DM
        try:
            info = await self._info.get(channel)
        except SlackApiError as error:
            log.info("channel_unknown", channel=channel, error=code(error))
            info = {}
        if info.get("is_im"):
            return PlaceKind.DM
        if info.get("is_mpim"):
            return PlaceKind.GROUP_DM
        # A channel that Slack does not show is taken for a private one: that grants the least.
        return PlaceKind.PRIVATE_CHANNEL if info.get("is_private", True) else PlaceKind.CHANNEL

    async def _load_info(self, channel: str) -> JSON:
        info: JSON = (await self._client.conversations_info(channel=channel))["channel"]
        return info

    async def _load_channels(self, person: str) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = ""
        while True:
            page = await self._client.users_conversations(
                user=person,
                types="public_channel,private_channel,mpim",
                exclude_archived=True,
                limit=200,
                cursor=cursor,
            )
            found |= {channel["id"]: str(channel.get("name") or "") for channel in page["channels"]}
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found
