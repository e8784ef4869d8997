"""Of what a file says, what a model is given: all of it where it is short, else the parts nearest to the question."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.models.tokens import estimate_tokens
from knowledge.chunking import Chunker
from knowledge.documents import BlockKind, Content, Passage
from knowledge.embedding.base import Embedder

WHOLE_TOKENS = 6_000
"""Files that are no longer together are read whole: about ten pages, which fit the window of nearly every model."""
MOST_TOKENS = 24_000
"""Of longer ones so much is given at most."""
MOST_CHUNKS = 400
"""How much of a longer one is compared with the question: about 80,000 tokens, which takes seconds."""
_WORD = re.compile(r"\w{3,}")


async def passages_of(
    files: Sequence[tuple[str, Content]], question: str, embedder: Embedder
) -> tuple[tuple[Passage, ...], dict[str, int]]:
    """What is given of the files, by name and content; and how many characters each holds, by its name.

    Short ones come whole and in their order, long ones with the nearest part first. The same name twice is numbered.
    """
    named = list(_told_apart(files))
    sizes = {name: sum(len(block.text) for block in content.blocks) for name, content in named}
    whole = [passage for name, content in named for passage in _sections(name, content)]
    chunks = await asyncio.to_thread(_chunks, named, embedder)
    vectors = await embedder.embed([chunk.text for chunk in chunks])
    near = (vectors @ await embedder.embed_query(question)).tolist()
    if sum(estimate_tokens(passage.text) for passage in whole) <= WHOLE_TOKENS:
        best: dict[str, float] = {}
        for chunk, cosine in zip(chunks, near, strict=True):
            best[chunk.document_id] = max(cosine, best.get(chunk.document_id, -1.0))
        found = [_judged(passage, best.get(passage.document_id, 0.0), question) for passage in whole]
        return tuple(found), sizes
    judged = [_judged(chunk, cosine, question) for chunk, cosine in zip(chunks, near, strict=True)]
    return tuple(_fitting(sorted(judged, key=lambda passage: -passage.similarity))), sizes


def left_out(sizes: dict[str, int], used: Sequence[Passage]) -> tuple[str, ...]:
    """A sentence for each file of which a part was not given to the model."""
    notes = []
    for name, size in sizes.items():
        given = sum(len(passage.text) for passage in used if passage.document_id == _id(name))
        if given < 0.97 * size:  # the blanks between the blocks are no loss
            share = f"{100 * given / size:.0f}%" if given >= size / 100 else "less than 1%" if given else "nothing"
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
    trail: list[tuple[int, str]] = []
    texts: list[str] = []
    number = 0
    for block in content.blocks:
        if block.kind is not BlockKind.HEADING:
            texts.append(block.text)
            continue
        if texts:
            yield _passage(name, number, tuple(text for _, text in trail), "\n\n".join(texts))
            number += 1
        trail = [entry for entry in trail if entry[0] < block.level] + [(block.level, block.text)]
        texts = []
    if texts or not number:
        yield _passage(name, number, tuple(text for _, text in trail), "\n\n".join(texts))


def _chunks(named: Sequence[tuple[str, Content]], embedder: Embedder) -> list[Passage]:
    chunker = Chunker(embedder.count_all_tokens, embedder.max_tokens)
    room = max(1, MOST_CHUNKS // max(1, len(named)))
    return [
        _passage(name, chunk.position, chunk.heading, chunk.text)
        for name, content in named
        for chunk in chunker.split(name, _cut(content))[:room]
    ]


def _cut(content: Content) -> Content:
    """No more than may be compared: the rest would be split for nothing."""
    left, blocks = MOST_CHUNKS * 1500, []
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


def _judged(passage: Passage, similarity: float, question: str) -> Passage:
    """With how near it is to the question, as the selector weighs passages."""
    asked = {word.casefold() for word in _WORD.findall(question)}
    there = {word.casefold() for word in _WORD.findall(passage.text)}
    return replace(passage, similarity=similarity, lexical=len(asked & there) / len(asked) if asked else 0.0)
