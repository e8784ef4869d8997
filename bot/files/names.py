"""Names of files that strangers gave: as they can be shown in any message, and never a path."""

from __future__ import annotations

import re
import unicodedata

MOST_CHARACTERS = 60
_ENDING = re.compile(r"\.\w{1,8}\Z")
# What Slack's mrkdwn and Markdown read as links, mentions, code and styles. "_" inside a word styles nothing.
_MARKUP = str.maketrans({"<": "‹", ">": "›", "`": "'", "*": "·", "~": "-", "|": "¦", "[": "(", "]": ")", "&": "+"})
_CALL = re.compile(r"[@!#](?=\w)")


def shown_name(name: str) -> str:
    """The last part of the name, in one line of at most 60 characters, its ending kept.

    Control characters and those that turn the direction of writing are left out; what would call people, style the
    message or open a link is made harmless. "a file" where nothing is left.
    """
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    seen = "".join(" " if one.isspace() else one for one in last if one.isspace() or not _is_hidden(one))
    text = " ".join(seen.translate(_MARKUP).split()).strip("_ ")
    text = _CALL.sub("", text)
    if not text.strip("."):
        return "a file"
    if len(text) <= MOST_CHARACTERS:
        return text
    ending = _ENDING.search(text)
    tail = ending[0] if ending else ""
    return text[: MOST_CHARACTERS - len(tail) - 1].rstrip() + "…" + tail


def _is_hidden(character: str) -> bool:
    """Control characters, marks of direction, halves of characters, and places that nobody assigned."""
    return unicodedata.category(character)[0] == "C"
