"""A conversation as a document: who said what, when. Each turn begins with its speaker, so that it can stand alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from knowledge.documents import Block, BlockKind
from knowledge.sources.parsers.markdown import parse_text


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person said, as Markdown."""

    speaker: str
    said: datetime | None
    text: str


def blocks_of(turns: Iterable[Turn]) -> tuple[Block, ...]:
    """The turns as blocks, each with its speaker and the day in front; turns without words are left out."""
    return tuple(block for turn in turns for block in _turn(turn))


def _turn(turn: Turn) -> Iterator[Block]:
    blocks = [_plain(block) for block in parse_text(turn.text).blocks if block.text.strip()]
    if not blocks:
        return
    when = f" ({turn.said:%Y-%m-%d})" if turn.said else ""
    name = f"**{turn.speaker}**{when}:"
    first = blocks[0]
    if first.kind is BlockKind.PARAGRAPH:
        yield Block(BlockKind.PARAGRAPH, f"{name} {first.text}")
    else:
        yield Block(BlockKind.PARAGRAPH, name)
        yield first
    yield from blocks[1:]


def _plain(block: Block) -> Block:
    """A heading that somebody wrote inside a message is no heading of the document."""
    return Block(BlockKind.PARAGRAPH, f"**{block.text}**") if block.kind is BlockKind.HEADING else block
