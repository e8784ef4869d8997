"""What becomes of channels: private or public, shared with another company, archived, renamed, deleted."""

from __future__ import annotations

from deploy.workspace.app_link import AppLink
from deploy.workspace.membership import Membership
from deploy.workspace.messages import Messages
from deploy.workspace.state import BOT_USER, JSON, Channel, State

_ANOTHER_TEAM = "T0OTHER"


class Changes:
    """Changes to channels by an admin, seen by the page and told to the app where it is in the channel."""

    def __init__(self, state: State, messages: Messages, membership: Membership, app: AppLink) -> None:
        self._state = state
        self._messages = messages
        self._membership = membership
        self._app = app

    def is_now(self, channel: Channel, what: str) -> bool:
        """Whether the channel is `what`: private, shared, org_shared or archived."""
        return {
            "private": channel.is_private,
            "shared": channel.is_ext_shared,
            "org_shared": channel.is_org_shared,
            "archived": channel.is_archived,
        }[what]

    def convert(self, channel: Channel, private: bool) -> None:
        """Make a channel private or public; Slack tells it by a message in the channel."""
        channel.is_private = private
        kind = "private" if private else "public"
        self._messages.post(channel, self._admin(), f"made this channel {kind}", subtype=f"channel_convert_to_{kind}")
        self._membership.show(channel)

    def share(self, channel: Channel, shared: bool) -> None:
        """Share a channel with another company, or no more."""
        channel.is_ext_shared = shared
        self._tell_shared(channel, shared)

    def share_in_organisation(self, channel: Channel, shared: bool) -> None:
        """Share a channel with another workspace of the same organisation, or no more."""
        channel.is_org_shared = shared
        self._tell_shared(channel, shared)

    def _tell_shared(self, channel: Channel, shared: bool) -> None:
        if shared:
            self._tell(channel, {"type": "channel_shared", "connected_team_id": _ANOTHER_TEAM})
        else:
            gone = {"type": "channel_unshared", "previously_connected_team_id": _ANOTHER_TEAM, "is_ext_shared": False}
            self._tell(channel, gone)

    def archive(self, channel: Channel, archived: bool) -> None:
        channel.is_archived = archived
        verb = "archive" if archived else "unarchive"
        self._tell(channel, {"type": f"{self._family(channel)}_{verb}", "user": self._admin()})
        self._membership.show(channel)

    def rename(self, channel: Channel, name: str) -> None:
        channel.name = name
        described: JSON = {"id": channel.id, "name": name, "created": 1700000000}
        if BOT_USER in channel.members:
            self._app.event({"type": f"{self._family(channel)}_rename", "channel": described})
        self._membership.show(channel)

    def delete(self, channel: Channel) -> None:
        self._tell(channel, {"type": f"{self._family(channel)}_deleted"})
        del self._state.channels[channel.id]
        for file in self._state.files.values():
            if channel.id in file.channels:
                file.channels.remove(channel.id)

    def _tell(self, channel: Channel, event: JSON) -> None:
        if BOT_USER in channel.members:
            self._app.event({**event, "channel": channel.id})

    def _admin(self) -> str:
        return next(person.id for person in self._state.people.values() if person.is_admin)

    @staticmethod
    def _family(channel: Channel) -> str:
        return "group" if channel.is_private else "channel"
