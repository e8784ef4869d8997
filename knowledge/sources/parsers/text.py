"""Plain text: paragraphs between empty lines."""

from __future__ import annotations

from knowledge.documents import Block, BlockKind, Content
from knowledge.sources.parsers.base import decode


def parse(data: bytes, name: str) -> Content:
    """The content of a text file. Raises DocumentUnreadable for binary data."""
    return Content(paragraphs(decode(data, name)))


def paragraphs(text: str) -> tuple[Block, ...]:
    """The paragraphs of a text as blocks, each with its line."""
    blocks: list[Block] = []
    lines: list[str] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if line.strip():
            lines.append(line)
        elif lines:
            blocks.append(Block(BlockKind.PARAGRAPH, "\n".join(lines).strip(), line=number - len(lines)))
            lines = []
    return tuple(blocks)
