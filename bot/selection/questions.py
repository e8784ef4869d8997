"""The questions that were asked, with their answers and receipts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Audience, Place, PlaceKind, Question, Receipt
from bot.recall.leanings import keep_leanings
from bot.selection import receipts
from bot.storage.tables import questions
from bot.storage.upsert import insert
from knowledge.documents import Passage

_UNANSWERED: dict[str, object] = {"answer": None, "receipt": sa.null()}


class Questions:
    """Questions by id."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, question: Question) -> None:
        """Writes the question down. One that is asked again after a crash replaces its first asking, and what came of
        that."""
        values: dict[str, object] = {
            "text": question.text,
            "asker": question.asker,
            "workspace": question.place.workspace,
            "channel": question.place.channel,
            "place_kind": question.place.kind.value,
            "thread": question.place.thread,
            "scopes": sorted(question.audience.scopes),
            "private": question.private,
            "asked_at": question.asked_at,
        }
        async with self._engine.begin() as connection:
            statement = insert(connection, questions).values(id=question.id, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values | _UNANSWERED))

    async def finish(
        self, question_id: str, answer: str | None, receipt: Receipt, cited: Sequence[Passage] = ()
    ) -> None:
        """Writes down what became of the question; `answer` is None where there was none. `cited`: the passages that
        it names, in the order of its citations."""
        became = sa.update(questions).where(questions.c.id == question_id)
        async with self._engine.begin() as connection:
            await connection.execute(became.values(answer=answer, receipt=receipts.to_json(receipt)))
            await keep_leanings(connection, question_id, cited if answer else (), receipt.created_at)

    async def note_answer_ts(self, question_id: str, ts: str) -> None:
        """Where the answer stands: Slack's id of its message."""
        await self._set(question_id, answer_ts=ts)

    async def answer_ts(self, question_id: str) -> str | None:
        """Where the answer stands; None where that was not noted."""
        row = await self._row(question_id)
        return row.answer_ts if row is not None else None

    async def receipt(self, question_id: str) -> Receipt | None:
        """The receipt of a finished question."""
        row = await self._row(question_id)
        return receipts.from_json(row.receipt) if row is not None and row.receipt else None

    async def answered(self, question_id: str) -> str | None:
        """The text of the answer."""
        row = await self._row(question_id)
        return row.answer if row is not None else None

    async def asked(self, question_id: str) -> Question | None:
        """The question itself, without the thread's history."""
        row = await self._row(question_id)
        if row is None:
            return None
        return self.made_of(row)

    @staticmethod
    def made_of(row: Any) -> Question:
        """The question that a row of the table holds."""
        kind = PlaceKind(row.place_kind)
        return Question(
            id=row.id,
            text=row.text,
            asker=row.asker,
            place=Place(workspace=row.workspace, channel=row.channel, kind=kind, thread=row.thread),
            audience=Audience(frozenset(row.scopes)),
            asked_at=row.asked_at,
            attachments=receipts.from_json(row.receipt).attachments if row.receipt else (),
            private=row.private,
        )

    async def _row(self, question_id: str) -> sa.Row[tuple[object, ...]] | None:
        async with self._engine.connect() as connection:
            return (await connection.execute(sa.select(questions).where(questions.c.id == question_id))).first()

    async def _set(self, question_id: str, **values: object) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(questions).where(questions.c.id == question_id).values(**values))
