"""Which people are full members of the workspace, and which come from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from slack_sdk.web.async_client import AsyncWebClient

from handlers.cache import Remembered
from handlers.shapes import JSON

MINUTE = 60.0
_PAGE = 1000
_SECONDS_A_PAGE = 12.0  # a quarter of what Slack allows of users.list (20 a minute)
_ASKED_ONE_BY_ONE = 20


class Standing(Enum):
    """What somebody is to the workspace."""

    MEMBER = "member"
    OUTSIDER = "outsider"  # a guest, or a person of another company or workspace
    BOT = "bot"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class _Home:
    """The id that a full member's account names: the workspace's, or the organisation's where it is installed there."""

    ids: frozenset[str]

    def standing(self, user: JSON) -> Standing:
        """What Slack's description of a user says."""
        of = user.get("enterprise_user") or {}
        teams = {user.get("team_id"), user.get("enterprise_id"), of.get("enterprise_id"), *(of.get("teams") or ())}
        if user.get("deleted"):
            return Standing.GONE
        if user.get("is_bot"):
            return Standing.BOT
        guest = user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger")
        return Standing.OUTSIDER if guest or self.ids.isdisjoint(teams) else Standing.MEMBER


@dataclass(frozen=True, slots=True)
class _List:
    """Everybody at once. `since`: when it was asked for; `pages`: how many calls that took."""

    since: float
    pages: int
    standings: dict[str, Standing]


class Roster:
    """What Slack tells of people, remembered for a minute.

    The list of everybody in a workspace of more than 5,000 takes longer to ask for, and is remembered for 12 s a page
    of 1,000; what an event tells counts at once. A person of whom Slack says nothing is taken for an outsider.
    """

    def __init__(self, client: AsyncWebClient, *, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._now = now
        self._one = Remembered(self._load_one, MINUTE, now=now)
        self._all = Remembered(self._load_all, lambda all: max(MINUTE, _SECONDS_A_PAGE * all.pages), now=now)
        self._told: dict[str, tuple[float, Standing]] = {}
        self._home: _Home | None = None

    async def standing(self, person: str) -> Standing:
        """What one person is. Raises what the call to Slack raises."""
        return await self._one.get(person)

    async def any_outsider(self, people: Iterable[str]) -> bool:
        """Whether one of these people is no full member. Raises what the call to Slack raises."""
        everybody = await self._all.get("")
        unlisted = []
        for person in people:
            told = self._told.get(person)
            known = told[1] if told and told[0] >= everybody.since else everybody.standings.get(person)
            if known is Standing.OUTSIDER:
                return True
            if known is None:
                unlisted.append(person)
        if len(unlisted) > _ASKED_ONE_BY_ONE:
            return True
        # Whoever came after the list was made, and people of other companies, whom it does not name.
        return any([await self.standing(person) is Standing.OUTSIDER for person in unlisted])

    async def told(self, user: JSON) -> bool:
        """An event described a user as they are from now on; whether that may be another than before."""
        person = str(user.get("id") or "")
        self._one.forget(person)
        before, now = self._told.get(person), (await self._own()).standing(user)
        self._told[person] = (self._now(), now)
        return before is None or before[1] is not now

    async def _own(self) -> _Home:
        if self._home is None:
            me = await self._client.auth_test()
            home = me.get("enterprise_id") if me.get("is_enterprise_install") else me.get("team_id")
            self._home = _Home(frozenset({str(home)}))
        return self._home

    async def _load_one(self, person: str) -> Standing:
        return (await self._own()).standing((await self._client.users_info(user=person))["user"])

    async def _load_all(self, _: str) -> _List:
        own, since, pages, found, cursor = await self._own(), self._now(), 0, dict[str, Standing](), ""
        while True:
            page = await self._client.users_list(limit=_PAGE, cursor=cursor)
            found |= {str(user["id"]): own.standing(user) for user in page["members"]}
            pages += 1
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return _List(since, pages, found)
