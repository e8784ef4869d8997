"""Markdown as plain words: what is searched and counted, without links' addresses and other marks."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^\s*(?:```|~~~)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[([^\[\]]+)\](?:\([^)]*\)|\[[^\]]*\])")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_EMPHASIS = re.compile(r"\*\*|__|`+|~~")
_HEADING = re.compile(r"^#{1,6}\s+", re.MULTILINE)
_TABLE_RULE = re.compile(r"^(?=[^\n]*--)[ \t|:-]+$", re.MULTILINE)
_SPACES = re.compile(r"[ \t]{2,}")
_MARKED = re.compile(r"[<\[*_`~#|\n]|[ \t]{2}")
_EMPTY_LINES = re.compile(r"\n\s*\n+")


def plain(text: str) -> str:
    """The words of a piece of Markdown. Code stays as it is, without its fences."""
    parts: list[str] = []
    prose: list[str] = []
    in_code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            in_code = not in_code
            parts.append(_prose("\n".join(prose)))
            prose = []
        elif in_code:
            parts.append(line)
        else:
            prose.append(line)
    parts.append(_prose("\n".join(prose)))
    return "\n".join(part for part in parts if part.strip()).strip()


def without_comments(text: str) -> str:
    """The text without HTML comments, which no reader of the page sees."""
    return _COMMENT.sub("", text)


def _prose(text: str) -> str:
    if not _MARKED.search(text):
        return text.strip()
    text = _COMMENT.sub("", text)
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _EMPHASIS.sub("", _TAG.sub("", text))
    text = _TABLE_RULE.sub("", _HEADING.sub("", text)).replace("|", " ")
    return _EMPTY_LINES.sub("\n", _SPACES.sub(" ", text)).strip()
