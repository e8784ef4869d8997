"""What a parser is, and the bytes that all text formats share."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from knowledge.documents import Block, Content
from knowledge.errors import DocumentUnreadable

# From the bytes of a file and its name to its content. Raises DocumentUnreadable.
Parser = Callable[[bytes, str], Content]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT = 8192
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def decode(data: bytes, name: str) -> str:
    """The text of a file: by its byte order mark, as UTF-8, or else as Windows-1252, what does not fit replaced.

    Control characters go: PostgreSQL refuses NUL, and the others would reach terminals. Raises DocumentUnreadable for
    what is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return clean(data.decode(encoding, "replace"))
    if b"\0" in data[:_LOOKED_AT]:
        raise DocumentUnreadable(f"{name} holds binary data, not text.")
    try:
        return clean(data.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(data.decode("cp1252", "replace"))


def clean(text: str) -> str:
    """The text with plain line ends, without control characters and lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n")
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def without_lines(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Blocks of a file that has no lines to link to."""
    return tuple(replace(block, line=0) for block in blocks)
