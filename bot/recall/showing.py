"""What may be said of a source that changed: old against new, for those alone who may read both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.recall.leanings import Leaning
from knowledge import access
from knowledge.records import Pieces
from knowledge.still_stands import Difference, Text


class Documents(Protocol):
    """What this needs of the knowledge."""

    async def pieces_of(self, document_id: str, scopes: frozenset[str] | None) -> Pieces | None:
        """A document in its pieces."""
        ...

    async def readers_of(self, document_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Who may read these documents now."""
        ...


class Readers(Protocol):
    """Who could read documents that are gone."""

    async def readers_then(self, question_id: str) -> Mapping[str, frozenset[str]]:
        """The readers that each document had when a question was answered from it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One source that changed. `title` and `url` are those of now; `differences`: what stood there and what does now;
    `is_gone`: the document is no more. Where the audience may not read it, nothing but `is_closed` is known."""

    title: str = ""
    url: str | None = None
    differences: tuple[Difference, ...] = ()
    is_gone: bool = False
    is_closed: bool = False


class Showing:
    """Says what became of what answers lean on."""

    def __init__(self, knowledge: Documents, bases: Readers) -> None:
        self._knowledge = knowledge
        self._bases = bases

    async def of(self, leanings: Sequence[Leaning], scopes: frozenset[str] | None) -> list[Shown]:
        """Each document that changed, once, as an audience with `scopes` may see it (None: whoever has the database);
        what stands again, word for word, is left out."""
        found: dict[str, Shown] = {}
        for leaning in leanings:
            shown = await self._of_one(leaning, scopes)
            if shown is None:
                continue
            before = found.get(leaning.document)
            if before is not None:
                more = [each for each in shown.differences if each not in before.differences]
                shown = Shown(
                    title=before.title,
                    url=before.url,
                    differences=(*before.differences, *more),
                    is_gone=before.is_gone,
                    is_closed=before.is_closed,
                )
            found[leaning.document] = shown
        return list(found.values())

    async def _of_one(self, leaning: Leaning, scopes: frozenset[str] | None) -> Shown | None:
        readers = (await self._knowledge.readers_of([leaning.document])).get(leaning.document)
        is_gone = readers is None
        if readers is None:
            readers = (await self._bases.readers_then(leaning.question_id)).get(leaning.document, frozenset())
        there = await self._knowledge.pieces_of(leaning.document, None)
        text = Text(there.parts if there is not None else ())
        differences = await asyncio.to_thread(text.lacks, leaning.heading, leaning.text)
        if not differences:
            return None
        if scopes is not None and not access.readable(readers, scopes):
            return Shown(is_closed=True)
        if there is None:
            return Shown(title=leaning.title, differences=tuple(differences), is_gone=is_gone)
        return Shown(title=there.document.title, url=there.document.url, differences=tuple(differences))
