"""Of what a file says, what a model is given: all of it where it is short, else the parts nearest to the question."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.models.tokens import estimate_tokens
from knowledge.documents import Block, BlockKind, Content, Passage
from knowledge.embedding.base import Embedder
from knowledge.splitting import split_block

WHOLE_TOKENS = 6_000
"""Files that are no longer together are read whole: about ten pages, which fit the window of nearly every model."""
MOST_TOKENS = 24_000
"""Of longer ones so much is given at most."""
PART_TOKENS = 256
"""How long the parts of a longer one are: what the embedding model reads at once."""
MOST_PARTS = 120
"""How many are compared with the question by meaning, which takes seconds: of more, those that share its words."""
MOST_CHARACTERS = 1_000_000
"""How much of a file is looked at: a book of 500 pages."""
_WORD = re.compile(r"\w{3,}")


async def passages_of(
    files: Sequence[tuple[str, Content]], question: str, embedder: Embedder
) -> tuple[tuple[Passage, ...], dict[str, int]]:
    """What is given of the files, by name and content; and how many characters each holds, by its name.

    Short ones come whole and in their order, long ones with the nearest part first. The same name twice is numbered.
    """
    named = list(_told_apart(files))
    whole = [passage for name, content in named for passage in _sections(name, content)]
    sizes = {name: sum(len(one.text) for one in whole if one.document_id == _id(name)) for name, _ in named}
    judged = await _judged(await asyncio.to_thread(_parts_of_all, named, question), question, embedder)
    if sum(estimate_tokens(passage.text) for passage in whole) > WHOLE_TOKENS:
        return tuple(_fitting(sorted(judged, key=lambda one: -(one.similarity + one.lexical)))), sizes
    nearest: dict[str, Passage] = {}
    for part in sorted(judged, key=lambda one: one.similarity):
        nearest[part.document_id] = part
    return tuple(_as_near(passage, nearest.get(passage.document_id)) for passage in whole), sizes


def left_out(sizes: dict[str, int], used: Sequence[Passage]) -> tuple[str, ...]:
    """A sentence for each file of which a part was not given to the model."""
    notes = []
    for name, size in sizes.items():
        given = sum(len(passage.text) for passage in used if passage.document_id == _id(name))
        if not given:
            notes.append(f"There was no room for {name}, so I did not read it. Ask about it alone.")
        elif given < size:
            share = f"{100 * given / size:.0f}%" if given >= size / 100 else "less than 1%"
            notes.append(f"{name} is too long to be read whole: I read {share} of it, what is nearest to the question.")
    return tuple(notes)


def _told_apart(files: Sequence[tuple[str, Content]]) -> Iterator[tuple[str, Content]]:
    seen: dict[str, int] = {}
    for name, content in files:
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name} ({seen[name]})"), content


def _id(name: str) -> str:
    return f"attached/{name}"


def _passage(name: str, number: int, heading: tuple[str, ...], text: str) -> Passage:
    return Passage(
        chunk_id=f"{_id(name)}/{number}",
        document_id=_id(name),
        source="attached",
        title=f"the attached {name}",
        heading=heading,
        text=text,
        url=None,
        updated=None,
        score=0.0,
        similarity=0.0,
        lexical=0.0,
    )


def _sections(name: str, content: Content) -> Iterator[Passage]:
    """What stands under each heading, whole."""
    for number, (trail, blocks) in enumerate(_under_headings(content)):
        yield _passage(name, number, trail, "\n\n".join(block.text for block in blocks))


def _parts(name: str, content: Content) -> Iterator[Passage]:
    """What stands under each heading, in parts of about 256 tokens."""
    number = 0
    for trail, blocks in _under_headings(content):
        texts = [text for block in blocks for text in split_block(block, PART_TOKENS, _count)]
        together: list[str] = []
        for text in texts:
            if together and sum(map(estimate_tokens, together)) + estimate_tokens(text) > PART_TOKENS:
                yield _passage(name, number, trail, "\n\n".join(together))
                number, together = number + 1, []
            together.append(text)
        if together:
            yield _passage(name, number, trail, "\n\n".join(together))
            number += 1


def _under_headings(content: Content) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """The blocks below each heading, with the trail of headings above them; of a file of headings alone, those."""
    trail: list[Block] = []
    below: list[Block] = []
    for block in content.blocks:
        if block.kind is not BlockKind.HEADING:
            below.append(block)
            continue
        if below:
            yield tuple(one.text for one in trail), below
        trail, below = [one for one in trail if one.level < block.level] + [block], []
    if below:
        yield tuple(one.text for one in trail), below
    elif all(block.kind is BlockKind.HEADING for block in content.blocks):
        yield (), list(content.blocks)


def _count(texts: Sequence[str]) -> list[int]:
    return [estimate_tokens(text) for text in texts]


def _parts_of_all(named: Sequence[tuple[str, Content]], question: str) -> list[Passage]:
    """All parts, or of very many those with the rarest words of the question. `lexical` is their share of them."""
    parts = [part for name, content in named for part in _parts(name, _cut(content))]
    asked = _words(question)
    shared = [_words(f"{' '.join(part.heading)} {part.text}") & asked for part in parts]
    spread = Counter(word for there in shared for word in there)
    most = sum(1 / count for count in spread.values()) or 1.0
    shares = [sum(1 / spread[word] for word in there) / most for there in shared]
    best = sorted(range(len(parts)), key=lambda place: -shares[place])[:MOST_PARTS]
    return [replace(parts[place], lexical=shares[place]) for place in sorted(best)]


async def _judged(parts: Sequence[Passage], question: str, embedder: Embedder) -> list[Passage]:
    """With how near each is to the question in meaning."""
    if not parts:
        return []
    near = await embedder.embed([part.text for part in parts]) @ await embedder.embed_query(question)
    return [replace(part, similarity=float(cosine)) for part, cosine in zip(parts, near, strict=True)]


def _as_near(passage: Passage, part: Passage | None) -> Passage:
    return passage if part is None else replace(passage, similarity=part.similarity, lexical=part.lexical)


def _cut(content: Content) -> Content:
    """No more than may be compared: the rest would be split for nothing."""
    left, blocks = MOST_CHARACTERS, []
    for block in content.blocks:
        blocks.append(block)
        left -= len(block.text)
        if left < 0:
            break
    return Content(tuple(blocks))


def _fitting(passages: Sequence[Passage]) -> Iterator[Passage]:
    left = MOST_TOKENS
    for passage in passages:
        left -= estimate_tokens(passage.text)
        if left < 0:
            return
        yield passage


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
