"""Names of files as they can be stored, printed and shown."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# Control characters, those that turn the direction of writing, and halves of characters.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_WORD_JOINTS = re.compile(r"[-_\s]+")


def printable(name: bytes | str) -> str:
    """The name with bytes that are no text, and characters that break a terminal, written out."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    if text.isascii() and text.isprintable():  # as nearly all are
        return text
    return _CONTROL.sub(lambda match: _code(ord(match.group())), text)


def _code(character: int) -> str:
    return f"\\x{character:02x}" if character < 0x100 else f"\\u{character:04x}"


def title_of(path: str) -> str:
    """A title for a file that has none of its own: its name without the ending, in words."""
    return _WORD_JOINTS.sub(" ", PurePosixPath(path).stem).strip() or path
