"""Splits a document into chunks along its structure.

Measured on a handbook of 887 pages (nDCG@10): by structure with the whole heading trail and the path in front .686,
with the last heading alone .632, without .541. So every chunk is searched with its path and its trail, bounded by the
embedding model's own tokens. Lists, tables and code stay whole where they fit; small sections that belong together
are merged.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from knowledge.documents import Block, BlockKind, Chunk, Content
from knowledge.markdown import plain
from knowledge.splitting import split_block

CountTokens = Callable[[Sequence[str]], list[int]]
_MARKS = 2  # the model sets one token before a text and one after it
_HEADER_SHARE = 4  # the path and the trail may take one in four of the tokens
_SMALL = 64  # sections below this many tokens are merged with a neighbour that belongs to them
_CHARACTERS_A_TOKEN = 12  # a run of characters without word ends is one token to the model, but not to a reader


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    tokens: int


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

    def split(self, path: str, title: str, content: Content) -> list[Chunk]:
        """The chunks of a document in their order; none where it holds no text."""
        blocks = [block for block in content.blocks if block.text.strip()]
        budget = self._max_tokens - _MARKS - self._max_tokens // _HEADER_SHARE
        sections = self._sections(blocks, budget)
        if not sections:
            sections = self._headings_alone(blocks, budget)
        chunks: list[Chunk] = []
        for section in _merge_small(sections, budget):
            front = self._front(path, title, section.trail)
            chunks += [
                _chunk(position, section.trail, front, text)
                for position, text in enumerate(_pack(section.pieces, budget), len(chunks))
            ]
        return chunks

    def _sections(self, blocks: Sequence[Block], budget: int) -> list[_Section]:
        """What stands under each heading, in pieces that fit."""
        sections: list[_Section] = []
        trail: list[tuple[int, str]] = []
        fresh = True
        for block, tokens in zip(blocks, self._tokens([block.text for block in blocks]), strict=True):
            if block.kind is BlockKind.HEADING:
                trail = [entry for entry in trail if entry[0] < block.level] + [(block.level, plain(block.text))]
                fresh = True
                continue
            if fresh:
                sections.append(_Section(tuple(text for _, text in trail if text)))
                fresh = False
            sections[-1].pieces += [_Piece(block.text, tokens)] if tokens <= budget else self._cut(block, budget)
        return sections

    def _headings_alone(self, blocks: Sequence[Block], budget: int) -> list[_Section]:
        """A document of headings only is still found by them."""
        text = "\n".join(block.text for block in blocks)
        return [_Section((), self._cut(Block(BlockKind.LIST, text), budget))] if text else []

    def _cut(self, block: Block, budget: int) -> list[_Piece]:
        # Lines of code are counted as they are: alone they are not seen to be code, and would lose their marks.
        tokens = self._count if block.kind is BlockKind.CODE else self._tokens
        texts = split_block(block, budget, tokens)
        return [_Piece(text, tokens) for text, tokens in zip(texts, self._tokens(texts), strict=True)]

    def _tokens(self, texts: Sequence[str]) -> list[int]:
        words = [plain(text) for text in texts]
        counts = self._count(words)
        return [max(n, len(text) // _CHARACTERS_A_TOKEN) for n, text in zip(counts, words, strict=True)]

    def _front(self, path: str, title: str, heading: tuple[str, ...]) -> list[str]:
        """The lines in front, cut from their least telling end until they take their share of the tokens at most."""
        room = self._max_tokens // _HEADER_SHARE
        trail = heading if title in heading else (title, *heading)
        parts = path.split("/")
        while True:
            lines = ["/".join(parts), " > ".join(trail)]
            if self._count(["\n".join(lines)])[0] <= room:
                return lines
            if len(parts) > 1:
                parts = parts[1:]
            elif len(trail) > 1:
                trail = trail[1:]
            else:
                return [line[: room * 2] for line in lines]


def searchable(front: Sequence[str], text: str) -> str:
    """What a chunk is searched by: the lines in front of it, and its words."""
    return "\n".join([*front, plain(text)])


def _chunk(position: int, heading: tuple[str, ...], front: Sequence[str], text: str) -> Chunk:
    embedded = searchable(front, text)
    return Chunk(position, heading, text, embedded, hashlib.sha256(embedded.encode()).hexdigest())


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
    line = [_Piece(f"**{' > '.join(own)}**", sum(len(name) for name in own) // 4 + 1)] if own else []
    return [*line, *section.pieces]


def _pack(pieces: Sequence[_Piece], budget: int) -> Iterator[str]:
    """Fills chunks of one section up to the budget."""
    texts: list[str] = []
    tokens = 0
    for piece in pieces:
        if texts and tokens + piece.tokens > budget:
            yield "\n\n".join(texts)
            texts, tokens = [], 0
        texts.append(piece.text)
        tokens += piece.tokens
    if texts:
        yield "\n\n".join(texts)
