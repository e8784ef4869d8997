"""Names of files as they can be stored, printed and shown."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_WORD_JOINTS = re.compile(r"[-_\s]+")


def printable(name: bytes | str) -> str:
    """The name with bytes that are no text, and control characters, written out."""
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def title_of(path: str) -> str:
    """A title for a file that has none of its own: its name without the ending, in words."""
    return _WORD_JOINTS.sub(" ", PurePosixPath(path).stem).strip() or path
