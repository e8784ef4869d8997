"""The names behind ids: people and channels, each asked for once."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.sources.slack.api import JSON, NotThere, SlackApi
from knowledge.sources.slack.channel import is_closed

_MOST = 20_000
NOBODY = "somebody"
_CLOSED = "a private channel"


@dataclass(frozen=True, slots=True)
class Person:
    """An account: what it is called, and whether a program speaks through it."""

    name: str
    is_bot: bool


class Names:
    """Remembers names until `forget`; a person who renames themself is called by the new name after that."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api
        self._people: dict[str, Person] = {}
        self._channels: dict[str, str] = {}

    def forget(self) -> None:
        """Asks anew from now on."""
        self._people.clear()
        self._channels.clear()

    async def person(self, identifier: str) -> Person:
        """The account; one that Slack does not know is somebody. Raises SourceUnavailable."""
        known = self._people.get(identifier)
        if known is None:
            known = await self._load_person(identifier)
            if len(self._people) >= _MOST:
                self._people.clear()
            self._people[identifier] = known
        return known

    async def channel(self, identifier: str) -> str:
        """The channel's name with # in front; a closed one is not named: not everybody may know that it is there.

        Raises SourceUnavailable.
        """
        known = self._channels.get(identifier)
        if known is None:
            known = await self._load_channel(identifier)
            if len(self._channels) >= _MOST:
                self._channels.clear()
            self._channels[identifier] = known
        return known

    async def _load_person(self, identifier: str) -> Person:
        try:
            user: JSON = (await self._api.call("users.info", user=identifier))["user"]
        except NotThere:
            return Person(NOBODY, is_bot=False)
        profile: JSON = user.get("profile") or {}
        names = (user.get("real_name"), profile.get("real_name"), profile.get("display_name"), user.get("name"))
        name = next((" ".join(str(each).split()) for each in names if each), NOBODY)
        return Person(name, bool(user.get("is_bot")))

    async def _load_channel(self, identifier: str) -> str:
        try:
            info: JSON = (await self._api.call("conversations.info", channel=identifier))["channel"]
        except NotThere:
            return _CLOSED
        return _CLOSED if is_closed(info) else f"#{info['name']}"
