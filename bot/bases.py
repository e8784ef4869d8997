"""What each answer and each example rests on: who may read all of that may read them.

An answer stays in its thread's memory and in its receipt, and an example lives on, while documents are closed and
people come and go. So each is kept with the documents that it was made from, those of the earlier answers and of the
examples that it leant on included, and is used only where the audience of now may read every one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.domain import Evidence, Question, Receipt
from bot.storage.bases import bases
from bot.storage.tables import questions
from bot.storage.upsert import insert
from knowledge import access
from knowledge.documents import document_id

_WHOLE = ""


class Documents(Protocol):
    """Who knows the readers of documents."""

    async def readers_of(self, document_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Who may read these documents now; those that are gone are left out."""
        ...


class Bases:
    """Bases by the id of a question or an example."""

    def __init__(self, engine: AsyncEngine, knowledge: Documents) -> None:
        self._engine = engine
        self._knowledge = knowledge

    async def keep(self, question: Question, evidence: Evidence) -> None:
        """Notes what a question is answered from: the evidence (without files that came with it) and its thread."""
        ids = {passage.document_id for passage in evidence.passages}
        ids |= {document_id(other.source, other.path) for passage in evidence.passages for other in passage.also}
        # A document that went since it was found is nobody's.
        rows = dict.fromkeys(ids, "") | {_WHOLE: access.to_key(access.MEMBERS)}
        rows |= {id: access.to_key(who) for id, who in (await self._knowledge.readers_of(sorted(ids))).items()}
        rows |= {f"example {one.id}": access.to_key(one.readers) for one in evidence.examples}
        leant_on = [one.id for one in evidence.examples] + [turn.question for turn in question.history if turn.question]
        async with self._engine.begin() as connection:
            rows |= {row.document: row.readers for row in await _rows(connection, leant_on) if row.document not in rows}
            await _put(connection, question.id, rows)

    async def copy(self, question_id: str, example_id: str) -> None:
        """Notes that an example was made from the answer to a question."""
        async with self._engine.begin() as connection:
            rows = {row.document: row.readers for row in await _rows(connection, [question_id])}
            await _put(connection, example_id, rows)

    async def answers_for(self, question_ids: Collection[str], scopes: frozenset[str]) -> frozenset[str]:
        """Those of the questions whose answers an audience with `scopes` may read now.

        Of an answer of before bases were kept, what its audience then had must be open to this one.
        """
        known = await self._open(question_ids, scopes)
        older = set(question_ids) - known.keys()
        query = sa.select(questions.c.id, questions.c.scopes).where(questions.c.id.in_(older))
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all() if older else ()
        # Of a question that was forgotten nothing is known any more.
        allowed = {row.id for row in rows if row.scopes and scopes.issuperset(row.scopes)}
        return frozenset(allowed | {id for id, is_open in known.items() if is_open})

    async def closed(self, ids: Collection[str], scopes: frozenset[str]) -> frozenset[str]:
        """Those of the examples or answers that rest on what an audience with `scopes` may not read now.

        An example that rests on nothing was written by a person: its own readers are all that counts.
        """
        return frozenset(id for id, is_open in (await self._open(ids, scopes)).items() if not is_open)

    async def open_to(self, documents: Collection[str], scopes: frozenset[str]) -> frozenset[str]:
        """Those of the documents that an audience with `scopes` may read now."""
        now = await self._knowledge.readers_of(sorted(documents))
        return frozenset(id for id, readers in now.items() if access.readable(readers, scopes))

    async def readers_then(self, question_id: str) -> Mapping[str, frozenset[str]]:
        """The readers that each document had when a question was answered from it."""
        async with self._engine.connect() as connection:
            rows = await _rows(connection, [question_id])
        return {row.document: access.from_key(row.readers) for row in rows if row.document != _WHOLE}

    async def receipt_for(self, receipt: Receipt, scopes: frozenset[str]) -> tuple[Receipt, int]:
        """The receipt as somebody with `scopes` may see it now, and how many of its sources are left out.

        Where they may not read all that the answer rests on, reasons that quote what was found or searched go too.
        """
        whole = bool(await self.answers_for([receipt.question_id], scopes))
        open_to = await self.open_to({each.document for each in receipt.citations}, scopes)
        seen = tuple(each for each in receipt.citations if whole or each.document in open_to)
        reasons = tuple(reason for reason in receipt.choice.reasons if whole or "“" not in reason)
        shown = replace(receipt, citations=seen, choice=replace(receipt.choice, reasons=reasons))
        return shown, len(receipt.citations) - len(seen)

    async def _open(self, subjects: Collection[str], scopes: frozenset[str]) -> Mapping[str, bool]:
        if not subjects:
            return {}
        async with self._engine.connect() as connection:
            rows = await _rows(connection, subjects)
        now = await self._knowledge.readers_of(sorted({row.document for row in rows}))
        found: defaultdict[str, bool] = defaultdict(lambda: True)
        for row in rows:
            readers = now.get(row.document)
            if readers is None:
                readers = access.from_key(row.readers)
            found[row.subject] &= access.readable(readers, scopes)
        return found


async def _rows(connection: AsyncConnection, subjects: Collection[str]) -> Sequence[Any]:
    if not subjects:
        return ()
    return (await connection.execute(sa.select(bases).where(bases.c.subject.in_(subjects)))).all()


async def _put(connection: AsyncConnection, subject: str, rows: Mapping[str, str]) -> None:
    values = [{"subject": subject, "document": document, "readers": readers} for document, readers in rows.items()]
    if values:
        statement = insert(connection, bases)
        await connection.execute(statement.on_conflict_do_nothing(), values)
