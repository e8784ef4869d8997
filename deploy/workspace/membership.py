"""Who is in which channel: joining, leaving, inviting."""

from __future__ import annotations

from deploy.workspace.app_link import AppLink
from deploy.workspace.feed import Feed
from deploy.workspace.messages import Messages
from deploy.workspace.state import BOT_USER, JSON, Channel, State


def channel_for_page(channel: Channel, user: str) -> JSON:
    """A channel as the page shows it to `user`."""
    shown = {
        "id": channel.id,
        "name": channel.name,
        "is_private": channel.is_private,
        "is_im": channel.is_im,
        "is_member": user in channel.members,
        "members": list(channel.members),
        "topic": channel.topic,
    }
    if channel.is_im:
        shown["user"] = next((member for member in channel.members if member != user), channel.user)
    return shown


class Membership:
    """Changes to the members of channels, seen by the page and told to the app."""

    def __init__(self, state: State, feed: Feed, messages: Messages, app: AppLink) -> None:
        self._state = state
        self._feed = feed
        self._messages = messages
        self._app = app

    def join(self, channel: Channel, user: str, inviter: str | None = None) -> bool:
        """Make `user` a member; false where they are one already."""
        if user in channel.members:
            return False
        channel.members.append(user)
        self._messages.post(
            channel, user, f"<@{user}> has joined the channel", subtype="channel_join", inviter=inviter or user
        )
        self._tell("member_joined_channel", channel, user, inviter)
        self.show(channel)
        return True

    def leave(self, channel: Channel, user: str) -> bool:
        """Take `user` out; false where they are no member. An app hears of its own leaving too."""
        if user not in channel.members:
            return False
        self._tell("member_left_channel", channel, user, None)
        channel.members.remove(user)
        self._messages.post(channel, user, f"<@{user}> has left the channel", subtype="channel_leave")
        self.show(channel)
        return True

    def opened(self, channel: Channel, user: str) -> None:
        self._feed.publish([user], {"type": "channel_joined", "channel": channel_for_page(channel, user)})

    def _tell(self, event: str, channel: Channel, user: str, inviter: str | None) -> None:
        if BOT_USER not in channel.members:
            return
        told = {
            "type": event,
            "user": user,
            "channel": channel.id,
            "channel_type": "G" if channel.is_private else "C",
            "team": self._state.team_id,
        }
        if inviter:
            told["inviter"] = inviter
        self._app.event(told)

    def show(self, channel: Channel) -> None:
        for user in self._state.audience(channel):
            self.opened(channel, user)
