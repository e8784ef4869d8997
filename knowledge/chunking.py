"""Splits a document into chunks along its structure.

Measured on a handbook of 887 pages (nDCG@10): by structure with the whole heading trail in front .675, with the last
heading alone .632, without .541. So every chunk is searched with its trail, bounded by the embedding model's own
tokens. The path is searched by its words alone: embedding it too took 14 of 100 tokens, kept the same text at two
paths from sharing a vector, and found no more (72 questions over 688 design documents: .897 with it, .900 without).
Lists, tables and code stay whole where they fit; small sections that belong together are merged; what one person says
in a conversation never loses their name.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from knowledge.documents import Block, BlockKind, Chunk, Content
from knowledge.markdown import plain
from knowledge.splitting import split_block, turn_of

CountTokens = Callable[[Sequence[str]], list[int]]
_MARKS = 2  # the model sets one token before a text and one after it
_HEADER_SHARE = 4  # the trail may take one in four of the tokens
_SMALL = 64  # sections below this many tokens are merged with a neighbour that belongs to them
_CHARACTERS_A_TOKEN = 12  # a run of characters without word ends is one token to the model, but not to a reader
_NEARLY_FULL = 0.75  # of the budget: from here on a chunk is counted again as a whole


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stays together. `speaker`: whose words they are, as it stands in front of them; "" outside conversations."""

    text: str
    tokens: int
    line: int = 0
    speaker: str = ""


@dataclass(slots=True)
class _Section:
    trail: tuple[str, ...]
    pieces: list[_Piece] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)


class Chunker:
    """Splits documents for one embedding model. Blocks: call it in a worker thread."""

    def __init__(self, count_tokens: CountTokens, max_tokens: int) -> None:
        self._count = count_tokens
        self._max_tokens = max_tokens

    def split(self, title: str, content: Content) -> list[Chunk]:
        """The chunks of a document in their order; none where it holds no text."""
        blocks = [block for block in content.blocks if block.text.strip()]
        budget = self._max_tokens - _MARKS - self._max_tokens // _HEADER_SHARE
        sections = self._sections(blocks, budget)
        if not sections:
            sections = self._headings_alone(blocks, budget)
        chunks: list[Chunk] = []
        for section in _merge_small(sections, budget):
            front = self._front(title, section.trail)
            for pieces in self._packed(section.pieces, budget):
                text = _text(pieces)
                chunks.append(_chunk(len(chunks), section.trail, front, text, pieces[0].line))
        return chunks

    def _sections(self, blocks: Sequence[Block], budget: int) -> list[_Section]:
        """What stands under each heading, in pieces that fit."""
        sections: list[_Section] = []
        trail: list[tuple[int, str]] = []
        fresh, speaker = True, ""
        for block, tokens in zip(blocks, self._tokens([block.text for block in blocks]), strict=True):
            if block.kind is BlockKind.HEADING:
                trail = [entry for entry in trail if entry[0] < block.level] + [(block.level, plain(block.text))]
                fresh, speaker = True, ""
                continue
            if fresh:
                sections.append(_Section(tuple(text for _, text in trail if text)))
                fresh = False
            speaker = turn_of(block.text) or speaker
            room = budget if block.text.startswith(speaker) else budget - _name(speaker, 0).tokens
            whole = _Piece(block.text, tokens, block.line, speaker)
            sections[-1].pieces += [whole] if tokens <= room else self._cut(block, room, speaker)
        return sections

    def _headings_alone(self, blocks: Sequence[Block], budget: int) -> list[_Section]:
        """A document of headings only is still found by them."""
        text = "\n".join(block.text for block in blocks)
        line = blocks[0].line if blocks else 0
        return [_Section((), self._cut(Block(BlockKind.LIST, text, line=line), budget, ""))] if text else []

    def _cut(self, block: Block, budget: int, speaker: str) -> list[_Piece]:
        # Lines of code are counted as they are: alone they are not seen to be code, and would lose their marks.
        tokens = self._count if block.kind is BlockKind.CODE else self._tokens
        texts = split_block(block, budget, tokens)
        lines = _lines(block, texts)
        return [
            _Piece(text, tokens, line, speaker)
            for text, tokens, line in zip(texts, self._tokens(texts), lines, strict=True)
        ]

    def _packed(self, pieces: Sequence[_Piece], budget: int) -> Iterator[list[_Piece]]:
        """Chunks of one section, each within the budget: together, markup may be read otherwise than piece by piece."""
        for together in _pack(pieces, budget):
            yield from self._within(together, budget)

    def _within(self, pieces: list[_Piece], budget: int) -> Iterator[list[_Piece]]:
        counted = sum(piece.tokens for piece in pieces)
        if counted < budget * _NEARLY_FULL or (len(pieces) == 1 and counted <= budget):
            yield pieces
            return
        if self._count([plain(_text(pieces))])[0] <= budget:
            yield pieces
            return
        speaker, line = pieces[0].speaker, pieces[0].line
        own = pieces[1:] if _is_name(pieces[:1]) else pieces
        if len(own) > 1:
            middle = len(own) // 2
            for half in (own[:middle], own[middle:]):
                yield from self._within(_named(half), budget)
            return
        # As plain words: its marks are what made it longer than it was counted.
        block = Block(BlockKind.LIST, plain(own[0].text.removeprefix(speaker)), line=line)
        for part in self._cut(block, budget - _name(speaker, 0).tokens, speaker):
            yield _named([part])

    def _tokens(self, texts: Sequence[str]) -> list[int]:
        words = [plain(text) for text in texts]
        counts = self._count(words)
        return [max(n, len(text) // _CHARACTERS_A_TOKEN) for n, text in zip(counts, words, strict=True)]

    def embedded(self, title: str, heading: tuple[str, ...], text: str) -> str:
        """What a chunk of a document with this title is searched by."""
        return searchable([self._front(title, heading)], text)

    def _front(self, title: str, heading: tuple[str, ...]) -> str:
        """The trail in front, cut from its least telling end until it takes its share of the tokens at most."""
        room = self._max_tokens // _HEADER_SHARE
        trail = heading if title in heading else (title, *heading)
        for start in range(len(trail)):
            line = " > ".join(trail[start:])
            # A token has two letters at least, but for signs and letters of their own.
            if len(line) <= room or self._count([line])[0] <= room:
                return line
        return trail[-1][:room]


def searchable(front: Sequence[str], text: str) -> str:
    """What a chunk is searched by: the lines in front of it, and its words."""
    return "\n".join([*front, plain(text)])


def _chunk(position: int, heading: tuple[str, ...], front: str, text: str, line: int) -> Chunk:
    embedded = searchable([front], text)
    return Chunk(position, heading, text, embedded, hashlib.sha256(embedded.encode()).hexdigest(), line)


def _lines(block: Block, texts: Sequence[str]) -> list[int]:
    """For each part of a block the line of the file that its own words begin at."""
    if not block.line:
        return [0] * len(texts)
    lines: list[int] = []
    place = 0
    for text in texts:
        own = text.splitlines()
        if block.kind is BlockKind.CODE and lines and len(own) > 1:
            own = own[1:]  # the fence is repeated
        elif block.kind is BlockKind.TABLE and lines and len(own) > 2:
            own = own[2:]  # and so is the head
        word = own[0].removeprefix(turn_of(own[0])).strip()[:40]
        found = block.text.find(word, place)
        place = max(place, found)
        lines.append(block.line + block.text.count("\n", 0, place))
        place += len(word)
    return lines


def _merge_small(sections: Sequence[_Section], budget: int) -> Iterator[_Section]:
    current: _Section | None = None
    for section in sections:
        if current is not None and _belong_together(current, section, budget):
            current = _joined(current, section)
            continue
        if current is not None:
            yield current
        current = section
    if current is not None:
        yield current


def _belong_together(one: _Section, other: _Section, budget: int) -> bool:
    if min(one.tokens, other.tokens) >= _SMALL or one.tokens + other.tokens + _SMALL // 2 > budget:
        return False
    return len(_shared(one.trail, other.trail)) >= max(1, min(len(one.trail), len(other.trail)) - 1)


def _joined(one: _Section, other: _Section) -> _Section:
    """Both under the headings that they share; the others become lines of the text."""
    shared = _shared(one.trail, other.trail)
    pieces = [*_under(one, shared), *_under(other, shared)]
    return _Section(shared, pieces)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return tuple(name for name, _ in same)


def _under(section: _Section, shared: tuple[str, ...]) -> list[_Piece]:
    own = section.trail[len(shared) :]
    if not own:
        return section.pieces
    return [_Piece(f"**{' > '.join(own)}**", sum(map(len, own)) // 4 + 1, section.pieces[0].line), *section.pieces]


def _pack(pieces: Sequence[_Piece], budget: int) -> Iterator[list[_Piece]]:
    """Fills chunks of one section up to the budget. A name stays with what is said, and stands before what is left."""
    packed: list[_Piece] = []
    for number, piece in enumerate(pieces):
        ahead = pieces[number + 1].tokens if piece.text == piece.speaker and number + 1 < len(pieces) else 0
        if packed and sum(each.tokens for each in packed) + piece.tokens + ahead > budget and not _is_name(packed):
            yield packed
            packed = []
        packed = [*packed, piece] if packed else _named([piece])
    if packed:
        yield packed


def _named(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces with the name of who speaks in front, where it is not there."""
    first = pieces[0]
    return pieces if first.text.startswith(first.speaker) else [_name(first.speaker, first.line), *pieces]


def _name(speaker: str, line: int) -> _Piece:
    return _Piece(speaker, len(speaker.encode()) // 2, line, speaker)


def _is_name(pieces: Sequence[_Piece]) -> bool:
    return len(pieces) == 1 and pieces[0].text == pieces[0].speaker != ""


def _text(pieces: Sequence[_Piece]) -> str:
    return "\n\n".join(piece.text for piece in pieces)
