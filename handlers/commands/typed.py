"""The words that the parts of `/model` share: for whom something is, and why."""

from __future__ import annotations

import re
from datetime import datetime

from bot.domain import Audience, Place, PlaceKind, Question
from bot.errors import NotAllowed, UnusableWords
from bot.selection.pins import Scope
from handlers.markdown import shorten
from handlers.origin import Origin

REASON_SIZE = 300
SCOPES: dict[str, Scope] = {
    "for me": "person",
    "me": "person",
    "here": "channel",
    "for this channel": "channel",
    "channel": "channel",
    "thread": "thread",
    "this thread": "thread",
    "for this thread": "thread",
    "workspace": "workspace",
    "the workspace": "workspace",
    "for the workspace": "workspace",
    "everyone": "workspace",
    "for everyone": "workspace",
}
_BECAUSE = re.compile(r"(?:^|\s)because\b[:,]?\s*", re.IGNORECASE)


def with_reason(text: str) -> tuple[str, str]:
    """The words, and the reason that follows "because"; "" where none does."""
    words, *reason = _BECAUSE.split(" ".join(text.split()), maxsplit=1)
    return words.strip(), shorten(" ".join(reason).strip(), REASON_SIZE)


def with_scope(words: str) -> tuple[str, Scope | None]:
    """The words, and for whom they say it is at their end; None where they say nothing of it."""
    lowered = words.lower()
    for said, scope in sorted(SCOPES.items(), key=lambda each: -len(each[0])):
        if lowered == said or lowered.endswith(f" {said}"):
            return words[: len(words) - len(said)].strip(), scope
    return words, None


def channel_of(origin: Origin) -> str:
    """Raises NotAllowed where Slack did not say."""
    if origin.channel is None:
        raise NotAllowed("I do not know which channel you mean. Type the command in the channel itself.")
    return origin.channel


def whole_channel(origin: Origin, what: str) -> str:
    """The same, where it is no direct message. `what` begins the sentence otherwise, for example "A trial"."""
    channel = channel_of(origin)
    if channel.startswith("D"):
        raise UnusableWords(f"{what} is for a channel. Type the command there.")
    return channel


def about_to_ask(origin: Origin, now: datetime) -> Question:
    """A question that the person might ask there, to tell what would hold for it."""
    place = Place(
        workspace=origin.workspace, channel=origin.channel or "", kind=PlaceKind.CHANNEL, thread=origin.thread
    )
    return Question(id="", text="", asker=origin.person, place=place, audience=Audience.everyone(), asked_at=now)
