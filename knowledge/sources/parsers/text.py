"""Plain text: paragraphs between empty lines."""

from __future__ import annotations

import re

from knowledge.documents import Block, BlockKind, Content
from knowledge.sources.parsers.base import decode

_EMPTY_LINES = re.compile(r"\n[ \t]*\n\s*")


def parse(data: bytes, name: str) -> Content:
    """The content of a text file. Raises DocumentUnreadable for binary data."""
    return Content(paragraphs(decode(data, name)))


def paragraphs(text: str) -> tuple[Block, ...]:
    """The paragraphs of a text as blocks."""
    parts = (part.strip() for part in _EMPTY_LINES.split(text))
    return tuple(Block(BlockKind.PARAGRAPH, part) for part in parts if part)
