"""Where a question was asked and who will be able to read its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import Audience, Place, PlaceKind, Question
from handlers.cache import Remembered
from handlers.errors import code
from handlers.roster import MINUTE, Roster, Standing
from handlers.shapes import ACCOUNTS, JSON
from knowledge import access

log = structlog.get_logger(__name__)

UNKNOWN = (
    "Slack did not tell me who reads this, so I looked only at what outsiders may read too. Ask again in a minute."
)
SILENT = (SlackApiError, aiohttp.ClientError, TimeoutError, OSError)
"""What a call to Slack raises where it tells nothing."""
_PAGE = 1000
_SECONDS_A_PAGE = 6.0  # a tenth of what Slack allows of conversations.members (100 a minute)
_CONVERTED = frozenset({"channel_convert_to_private", "channel_convert_to_public"})
_SHARED = ("is_shared", "is_ext_shared", "is_org_shared", "is_pending_ext_shared")


class Places:
    """What Slack tells of channels and their people, remembered for a minute and forgotten where an event tells of it.

    The members of a channel with more than 10,000 are remembered for 6 s a thousand. What Slack does not tell counts
    as the narrower.
    """

    def __init__(self, client: AsyncWebClient, *, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._roster = Roster(client, now=now)
        self._info = Remembered(self._load_info, MINUTE, now=now)
        self._members = Remembered(self._load_members, _members_seconds, now=now)
        self._channels = Remembered(self._load_channels, MINUTE, now=now)

    async def place(self, workspace: str, channel: str, thread: str | None = None) -> Place:
        """The place, with its kind."""
        return Place(workspace=workspace, channel=channel, kind=await self._kind(channel), thread=thread)

    async def audience(self, place: Place, person: str, *, private: bool = False) -> Audience:
        """Everyone who will read an answer in `place`, as things stand now; `private`: only the person will."""
        if private or place.kind is PlaceKind.DM:
            return await self.alone(person)
        try:
            if (await self._told_kind(place.channel)) is PlaceKind.GROUP_DM:
                people = [await self._alone(each) for each in await self._people_in(place.channel)]
                return Audience.of_all(people, place.channel)
            if await self._is_read_outside(place.channel):
                return Audience.outsiders(access.channel(place.channel))
            return Audience.of_channel(place.channel)
        except SILENT as error:
            log.warning("audience_unknown", channel=place.channel, error=code(error) or type(error).__name__)
            return Audience.outsiders(access.channel(place.channel), note=UNKNOWN)

    async def readers(self, channel: str) -> frozenset[str]:
        """The scopes that all have who read a channel, such as the one of the reports."""
        return (await self.audience(await self.place("", channel), "")).scopes

    async def alone(self, person: str) -> Audience:
        """What a person may read, whom nobody looks over the shoulder."""
        try:
            return await self._alone(person)
        except SILENT as error:
            log.warning("person_unknown", person=person, error=code(error) or type(error).__name__)
            return Audience.outsiders(access.user(person), note=UNKNOWN)

    async def audience_of(self, question: Question) -> Audience:
        """Who would read an answer to an earlier question now: everyone that then, where its channel is of the same
        kind and its asker is still in it, else people of whom nothing is known."""
        place = question.place
        if question.private or place.kind is PlaceKind.DM:
            return await self.alone(question.asker)
        if place.channel not in await self.channels_of(question.asker):
            return Audience.outsiders()
        if await self._kind(place.channel) is not place.kind:
            return Audience.outsiders()
        return await self.audience(place, question.asker)

    async def channels_of(self, person: str) -> tuple[str, ...]:
        """Ids of the channels that the person is in and the bot can see; none where Slack does not say."""
        try:
            return tuple(await self._channels.get(person))
        except SILENT as error:
            log.warning("channels_unknown", person=person, error=code(error) or type(error).__name__)
            return ()

    async def named(self, person: str, channel: str) -> tuple[str, str] | None:
        """Id and name of a channel that the person is in, by its id or by its #name; None where there is none such."""
        there = await self._channels.get(person)
        wanted = channel.removeprefix("#").casefold()
        return next(((i, name) for i, name in there.items() if channel == i or name.casefold() == wanted), None)

    async def may_read(self, person: str, question: Question) -> bool:
        """Whether the person can read the place of the question now, so may see what became of it."""
        place = question.place
        if question.private or place.kind in (PlaceKind.DM, PlaceKind.CONSOLE):
            return person == question.asker
        try:
            if place.channel in await self._channels.get(person):
                return True
            in_public = await self._told_kind(place.channel) is PlaceKind.CHANNEL
            return in_public and await self._roster.standing(person) is Standing.MEMBER
        except SILENT as error:
            log.warning("place_unknown", channel=place.channel, error=code(error) or type(error).__name__)
            return False

    async def told(self, body: JSON) -> None:
        """Forgets what an event says is otherwise now; to be called before anybody answers it."""
        event: JSON = body.get("event") or {}
        kind, told = str(event.get("type") or ""), event.get("channel")
        channel = str(told.get("id") if isinstance(told, dict) else told or "")
        if kind in ACCOUNTS:
            if await self._roster.told(event["user"]):
                self._members.forget_all()  # Slack names no closed account among them: it may be open again
            self._channels.forget(str(event["user"].get("id")))
        elif kind in ("member_joined_channel", "member_left_channel"):
            self._members.forget(channel)
            self._channels.forget(str(event.get("user")))
        elif kind.startswith(("channel_", "group_")) or event.get("subtype") in _CONVERTED:
            self._info.forget(channel)
            self._members.forget(channel)

    async def _alone(self, person: str) -> Audience:
        standing = await self._roster.standing(person)
        if standing is Standing.GONE:
            return Audience.nobody()
        channels = await self._channels.get(person)
        if standing is Standing.MEMBER:
            return Audience.of_person(person, channels)
        return Audience.of_guest(person, channels)

    async def _people_in(self, channel: str) -> list[str]:
        people = [(each, await self._roster.standing(each)) for each in (await self._members.get(channel))]
        return [each for each, standing in people if standing not in (Standing.BOT, Standing.GONE)]

    async def _is_read_outside(self, channel: str) -> bool:
        """Whether somebody who is no full member can read a channel."""
        info = await self._info.get(channel)
        if any(info.get(key) for key in _SHARED):
            return True
        return await self._roster.any_outsider(await self._members.get(channel))

    async def _kind(self, channel: str) -> PlaceKind:
        try:
            return await self._told_kind(channel)
        except SILENT as error:
            log.info("channel_unknown", channel=channel, error=code(error) or type(error).__name__)
            return PlaceKind.PRIVATE_CHANNEL  # that grants the least

    async def _told_kind(self, channel: str) -> PlaceKind:
        if channel.startswith("D"):
            return PlaceKind.DM
        info = await self._info.get(channel)
        if info.get("is_im"):
            return PlaceKind.DM
        if info.get("is_mpim"):
            return PlaceKind.GROUP_DM
        return PlaceKind.PRIVATE_CHANNEL if info.get("is_private", True) else PlaceKind.CHANNEL

    async def _load_info(self, channel: str) -> JSON:
        info: JSON = (await self._client.conversations_info(channel=channel))["channel"]
        return info

    async def _load_members(self, channel: str) -> Sequence[str]:
        found: list[str] = []
        cursor = ""
        while True:
            page = await self._client.conversations_members(channel=channel, limit=_PAGE, cursor=cursor)
            found += page["members"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return found

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


def _members_seconds(members: Sequence[str]) -> float:
    return max(MINUTE, _SECONDS_A_PAGE * len(members) / _PAGE)
