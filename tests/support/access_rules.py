"""Who can read what, written from Slack's rules in plain sets. Shares no code with the bot.

A token (“zq7x”) stands for something that only some may read: a document, or what somebody said. `readers` are written
as people write them in the configuration: “outsiders”, “everyone”, “channel:C1”, “user:U1”.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

TOKEN = re.compile(r"zq\d+x")
SOMEBODY = "somebody of another company"
"""Who reads a shared channel there, whose name nobody here need know."""


@dataclass
class Room:
    """A channel: who is in it, and who else can look into it."""

    members: set[str]
    public: bool = False
    shared: bool = False
    group: bool = False


@dataclass
class Rules:
    """`people`: what each is, “member”, “guest”, “stranger” or “gone”."""

    people: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    readers: dict[str, set[str]] = field(default_factory=dict)

    def full_members(self) -> set[str]:
        """Those with a full account."""
        return {person for person, kind in self.people.items() if kind == "member"}

    def can_see(self, channel: str) -> set[str]:
        """Everybody who can read what is posted in a channel."""
        room = self.rooms[channel]
        there = {person for person in room.members if self.people[person] != "gone"}
        if room.public:
            there |= self.full_members()
        return there | {SOMEBODY} if room.shared else there

    def can_read(self, token: str, person: str) -> bool:
        """Whether somebody may read what a token stands for."""
        if self.people.get(person) == "gone":
            return False
        for reader in self.readers[token]:
            kind, _, name = reader.partition(":")
            if kind == "outsiders" or (kind == "everyone" and person in self.full_members()):
                return True
            if (kind == "channel" and person in self.can_see(name)) or (kind == "user" and person == name):
                return True
        return False

    def leaked(self, text: str, viewers: Iterable[str]) -> list[str]:
        """Each token of a text that one of its viewers may not read, or that nobody of this workspace has."""
        people, found = sorted(viewers), sorted(set(TOKEN.findall(text)))
        return [f"{token}, which is not of here" for token in found if token not in self.readers] + [
            f"{token} (for {sorted(self.readers[token])}) shown to {person}"
            for token in found
            for person in people
            if token in self.readers and not self.can_read(token, person)
        ]

    def owed(self, viewers: set[str], channel: str | None) -> set[str]:
        """What must be found by whoever asks: all that these viewers share by the rules for the place.

        `channel` is None for one person alone.
        """
        members = viewers <= self.full_members()
        common = {"outsiders"} | ({"everyone"} if members else set())
        if channel is None:
            (person,) = viewers
            common |= {f"user:{person}"} | {f"channel:{c}" for c, room in self.rooms.items() if person in room.members}
        else:
            common.add(f"channel:{channel}")
            if self.rooms[channel].group:
                common |= {f"channel:{c}" for c, room in self.rooms.items() if viewers <= room.members}
        return {token for token, readers in self.readers.items() if readers & common}
