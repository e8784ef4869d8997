"""Where a text that is still growing goes on in a new message."""

from __future__ import annotations

import re

from handlers import markdown

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)(.*)$", re.MULTILINE)


def take(shown: str, coming: str, limit: int) -> tuple[str, str]:
    """What of `coming` still belongs under `shown` in one message of `limit` characters, and what begins the next one.

    Cut at the end of a paragraph. A code block that is open at the cut is closed and opened again.
    """
    room = limit - len(shown)
    if len(coming) <= room:
        return coming, ""
    for cut in _paragraph_ends(coming, room):
        if not open_fence(shown + coming[:cut]):
            return coming[:cut].rstrip("\n"), coming[cut:].lstrip("\n")
    fence = open_fence(shown)
    if fence:
        cut = max(coming.rfind("\n", 0, max(room - 4, 0)), 0)
        return f"{coming[:cut]}\n{fence.split()[0][:3]}", f"{fence}\n{coming[cut:].lstrip(chr(10))}"
    if shown:
        return "", coming.lstrip("\n")
    first, *rest = markdown.split(coming, limit)
    return first, "\n\n".join(rest)


def open_fence(text: str) -> str:
    """The line that opened the code block in which `text` ends, "" where it ends in none."""
    opened = ""
    for mark, rest in _FENCE.findall(text):
        if not opened:
            opened = mark + rest
        elif opened.startswith(mark) and not rest.strip():
            opened = ""
    return opened


def _paragraph_ends(text: str, room: int) -> list[int]:
    ends = [match.end() for match in re.finditer(r"\n[ \t]*\n+", text[: max(room, 0)])]
    return ends[::-1]
