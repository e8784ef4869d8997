"""What each answer leans on, word for word, so that it is known when those words stand no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.recall_tables import leanings
from knowledge.documents import Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaning:
    """One passage that the answer to a question cites. `document`, `source` and `path` are those of the document that
    has its words, wherever they were moved to; `checked` is its digest when that was last looked at, "" before. `now`:
    a digest of what stands in their place, None while they stand."""

    question_id: str
    number: int
    document: str
    source: str
    path: str
    title: str
    heading: tuple[str, ...]
    text: str
    checked: str
    now: str | None

    @classmethod
    def of(cls, row: Any) -> Leaning:
        """What a row of the table says."""
        return cls(
            question_id=row.question_id,
            number=row.number,
            document=row.document,
            source=row.source,
            path=row.path,
            title=row.title,
            heading=tuple(row.heading),
            text=row.text,
            checked=row.checked,
            now=row.now,
        )


async def keep_leanings(connection: AsyncConnection, question_id: str, cited: Sequence[Passage], at: datetime) -> None:
    """Notes the passages that an answer cites, in the order of their numbers, in the place of those that it cited
    before. Files that came with the question are no documents."""
    await connection.execute(sa.delete(leanings).where(leanings.c.question_id == question_id))
    rows = [
        {
            "question_id": question_id,
            "number": number,
            "document": passage.document_id,
            "source": passage.source,
            "path": passage.path,
            "title": passage.title,
            "heading": list(passage.heading),
            "text": passage.text,
            "cited_at": at,
        }
        for number, passage in enumerate(cited, 1)
        if passage.document_id
    ]
    if rows:
        await connection.execute(sa.insert(leanings), rows)
