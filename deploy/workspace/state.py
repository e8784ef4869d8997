"""The workspace's truth: people, channels, messages and files, all in memory."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]

CANVAS = "application/vnd.slack-docs"
BOT_ID = "B0SWITCH"
BOT_USER = "U0SWITCH"
APP_ID = "A0SWITCH"


@dataclass
class Person:
    """Somebody with an account: a human, or the bot's user.

    `is_restricted`: a guest, `is_ultra_restricted`: one of a single channel; `deleted`: the account was closed;
    `team_id`: another company's where they come from there.
    """

    id: str
    name: str
    real_name: str
    is_bot: bool = False
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    team_id: str = ""
    color: str = "4a154b"

    @property
    def is_outside(self) -> bool:
        """Whether they see only the channels that they are in."""
        return self.is_restricted or bool(self.team_id)

    def for_page(self) -> JSON:
        initials = "".join(word[0] for word in self.real_name.split()[:2]).upper()
        return {
            "id": self.id,
            "name": self.name,
            "real_name": self.real_name,
            "is_bot": self.is_bot,
            "is_admin": self.is_admin,
            "color": self.color,
            "initials": initials,
        }


@dataclass
class Ephemeral:
    """A message that only `to` can see."""

    to: str
    message: JSON


@dataclass
class Channel:
    """A public or private channel, a group's direct messages (`is_mpim`), or those of one person with the bot (`user`
    is that person).

    `is_ext_shared`: people of another company are in it; `is_org_shared`: those of another workspace of this one.
    `canvas` is the id of the file that is its canvas.
    """

    id: str
    name: str
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    user: str = ""
    topic: str = ""
    is_archived: bool = False
    is_ext_shared: bool = False
    is_org_shared: bool = False
    is_mpim: bool = False
    canvas: str = ""
    messages: dict[str, JSON] = field(default_factory=dict)
    replies: dict[str, list[str]] = field(default_factory=dict)
    ephemerals: list[Ephemeral] = field(default_factory=list)

    @property
    def is_im(self) -> bool:
        return bool(self.user)

    @property
    def kind(self) -> str:
        """Slack's `channel_type`: im, mpim, group (private) or channel."""
        return "im" if self.is_im else "mpim" if self.is_mpim else "group" if self.is_private else "channel"

    def thread(self, ts: str) -> list[JSON]:
        """A thread's parent, where it is still there, and its replies, oldest first."""
        return [self.messages[each] for each in [ts, *self.replies.get(ts, [])] if each in self.messages]

    def top_level(self) -> list[JSON]:
        return [
            message
            for message in self.messages.values()
            if message.get("thread_ts", message["ts"]) == message["ts"] or message.get("subtype") == "thread_broadcast"
        ]


@dataclass
class File:
    """An uploaded file, or a canvas; `shared` says whether its upload was completed.

    `created` and `updated` are Unix times in seconds; `updated` is 0 until somebody changes it. `alt` says in words
    what a picture shows; `duration_ms` is that of a voice message. `given`: it was handed to the app in a modal.
    """

    id: str
    name: str
    title: str
    mimetype: str
    user: str
    content: bytes = b""
    size: int = 0
    shared: bool = False
    channels: list[str] = field(default_factory=list)
    alt: str = ""
    duration_ms: int = 0
    given: bool = False
    created: int = field(default_factory=lambda: int(time.time()))
    updated: int = 0

    @property
    def is_canvas(self) -> bool:
        return self.mimetype == CANVAS


class State:
    """Everything that the workspace knows. `url` is its own address, known once it listens."""

    def __init__(self, team_id: str, team_name: str, people: list[Person], channels: list[Channel]) -> None:
        self.team_id = team_id
        self.team_name = team_name
        self.enterprise_id: str | None = None
        self.installed_by_org = False  # whether the app's token is that of the organisation
        self.url = ""
        self.people = {person.id: person for person in people}
        self.channels = {channel.id: channel for channel in channels}
        self.files: dict[str, File] = {}
        self.prompts: dict[str, JSON] = {}
        self.titles: dict[tuple[str, str], str] = {}
        self.homes: dict[str, JSON] = {}
        self.last_read: dict[tuple[str, str], str] = {}
        self.commands: list[JSON] = []
        self.shortcuts: list[JSON] = []
        self.most_messages = 1000  # on one page of a channel's history, however many are asked for
        self._last_micros = 0
        self._numbers = itertools.count(1)

    @property
    def domain(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.team_name.lower()).strip("-")

    def next_ts(self) -> str:
        """A message's id: the time in seconds with six digits, never the same twice and always growing."""
        self._last_micros = max(self._last_micros + 1, time.time_ns() // 1000)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    def next_id(self, prefix: str) -> str:
        return f"{prefix}0{next(self._numbers):04d}{secrets.token_hex(2).upper()}"

    def channel_named(self, name: str) -> Channel | None:
        wanted = name.removeprefix("#").lower()
        return next((each for each in self.channels.values() if not each.is_im and each.name == wanted), None)

    def direct_messages(self, user: str) -> Channel:
        """The person's direct messages with the bot, opened when they are not there yet."""
        for channel in self.channels.values():
            if channel.user == user:
                return channel
        channel = Channel(f"D{user[1:]}", "directmessage", [user, BOT_USER], user=user)
        self.channels[channel.id] = channel
        return channel

    def channels_of(self, user: str) -> list[Channel]:
        return [channel for channel in self.channels.values() if self.sees(user, channel)]

    def sees(self, user: str, channel: Channel) -> bool:
        """Whether somebody can look into a channel: members into theirs, and all but guests into public ones."""
        person = self.people.get(user)
        if person is None or person.deleted:
            return False
        return user in channel.members or (channel.kind == "channel" and not person.is_outside)

    def audience(self, channel: Channel) -> list[str]:
        """The people whose page may show the channel."""
        return [each.id for each in self.people.values() if not each.is_bot and self.sees(each.id, channel)]

    def add(self, channel: Channel, message: JSON) -> None:
        """Keep a message, and count it in its thread."""
        channel.messages[message["ts"]] = message
        parent_ts = message.get("thread_ts")
        if parent_ts and parent_ts != message["ts"]:
            channel.replies.setdefault(parent_ts, []).append(message["ts"])

    def with_thread(self, channel: Channel, message: JSON) -> JSON:
        """The message with what Slack adds to the parent of a thread."""
        replies = [channel.messages[ts] for ts in channel.replies.get(message["ts"], []) if ts in channel.messages]
        if not replies:
            return message
        users = list(dict.fromkeys(reply["user"] for reply in replies))
        return {
            **message,
            "thread_ts": message["ts"],
            "reply_count": len(replies),
            "reply_users": users,
            "reply_users_count": len(users),
            "latest_reply": replies[-1]["ts"],
        }

    def unread(self, user: str) -> dict[str, int]:
        """How many messages by others each channel got since the person last looked."""
        counts = {}
        for channel in self.channels_of(user):
            read = self.last_read.get((user, channel.id), "")
            count = sum(1 for each in channel.top_level() if each["ts"] > read and each["user"] != user)
            if count:
                counts[channel.id] = count
        return counts
