"""A channel as it is now: who may read it, whether the bot is in it, which canvases it has."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge import access
from knowledge.errors import SourceUnavailable
from knowledge.sources.slack.api import JSON, SlackApi

_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Channel:
    """`readers` are those of whatever is said there; `canvases` the ids of its canvas and of those on its tabs."""

    id: str
    name: str
    readers: frozenset[str]
    is_member: bool
    is_archived: bool
    canvases: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether what was read there may still be found: the bot is in it, or it was archived."""
        return self.is_member or self.is_archived


async def load(api: SlackApi, identifier: str, public: frozenset[str]) -> Channel:
    """The channel as Slack tells of it now; `public` may read a public one.

    Raises NotThere where it is deleted or hidden from the bot, and SourceUnavailable.
    """
    info: JSON = (await api.call("conversations.info", channel=identifier))["channel"]
    if info.get("is_im"):
        readers = frozenset({access.user(str(info["user"]))})
    elif is_closed(info):
        readers = frozenset({access.channel(str(info["id"]))})
    elif access.EVERYONE in public:  # guests read the public channels that they are in
        readers = public | {access.channel(str(info["id"]))}
    else:
        readers = public
    return Channel(
        id=str(info["id"]),
        name=str(info.get("name") or "direct messages"),
        readers=readers,
        is_member=bool(info.get("is_im") or info.get("is_mpim") or info.get("is_member")),
        is_archived=bool(info.get("is_archived")),
        canvases=_canvases(info.get("properties") or {}),
    )


def is_closed(info: JSON) -> bool:
    """Whether a channel is for its members alone. One that another company shares is taken for closed."""
    told = ("is_private", "is_mpim", "is_im", "is_ext_shared", "is_pending_ext_shared")
    return any(info.get(key) for key in told) or bool(info.get("is_shared") and not info.get("is_org_shared"))


async def find(api: SlackApi, name: str) -> str:
    """The id of the channel called `name`. Raises SourceUnavailable where the bot sees none of that name."""
    wanted, cursor = name.removeprefix("#").lower(), ""
    while True:
        page = await api.call(
            "conversations.list", types="public_channel,private_channel", limit=_AT_ONCE, cursor=cursor
        )
        for info in page["channels"]:
            if info.get("name") == wanted:
                return str(info["id"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            raise SourceUnavailable(
                f"There is no channel #{wanted} that the bot can see. Check the name; into a private channel it has "
                "to be invited first, with /invite."
            )


def _canvases(properties: JSON) -> tuple[str, ...]:
    tabs = [tab for tab in properties.get("tabs") or () if tab.get("type") in ("canvas", "channel_canvas")]
    found = [(each or {}).get("file_id") for each in (properties.get("canvas"), *(tab.get("data") for tab in tabs))]
    return tuple(dict.fromkeys(str(each) for each in found if each))
