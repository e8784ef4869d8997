"""Golden questions that people kept: what somebody asked with what a person answered, for evaluations."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.audit import Action, Change, record
from bot.errors import UnknownGolden
from bot.learning.reviewed import Draft, Said, said_of
from bot.storage.golden_table import golden_questions
from knowledge.access import readable

_FLAG = ("flagged_by", "flagged_at", "flagged_why", "flagged_document")
_RETIRED = ("retired_by", "retired_at", "retired_why")
_SHARED = frozenset({"question", "answer", "reviewed_by", *_FLAG, *_RETIRED})
"""What a golden question and the example that was kept with it have in common."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenQuestion:
    """A question and what a person answered. `question_id`: the question that it was the answer to; `source`: a link to
    where it stands; `author`: whose words it is; `flag`: why it may be out of date; `retired`: why it is not used."""

    id: str
    question: str
    answer: str
    readers: frozenset[str]
    question_id: str
    channel: str
    source: str
    author: str
    reviewed_by: str
    kept_at: datetime
    flag: Said | None = None
    retired: Said | None = None


class GoldenQuestions:
    """The golden questions in SQL."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def put(
        self,
        connection: AsyncConnection,
        draft: Draft,
        readers: Collection[str],
        *,
        question_id: str,
        channel: str,
        source: str,
        author: str,
        by: str,
        example_id: str | None,
    ) -> str:
        """Keeps one, in the transaction of whoever writes down that it was kept; gives its id. It goes with the example
        of `example_id` from then on."""
        id = uuid.uuid4().hex
        row: dict[str, Any] = {"id": id, "question": draft.question, "answer": draft.answer}
        row |= {"readers": sorted(readers), "question_id": question_id, "channel": channel, "source": source}
        row |= {"author": author, "reviewed_by": by, "kept_at": self._clock(), "example_id": example_id}
        await connection.execute(golden_questions.insert().values(row))
        return id

    async def listed(self, scopes: frozenset[str] | None) -> list[GoldenQuestion]:
        """All that an audience with `scopes` may read, also flagged and retired ones, newest first. None: all."""
        query = sa.select(golden_questions).order_by(golden_questions.c.kept_at.desc(), golden_questions.c.id)
        async with self._engine.connect() as connection:
            found = [_made_of(row) for row in await connection.execute(query)]
        return [one for one in found if scopes is None or readable(one.readers, scopes)]

    async def flag(self, question_id: str, why: str, by: str) -> None:
        """Those that were kept as answers to a question may be out of date: they are in no evaluation until somebody
        has looked. Said again, it changes nothing."""
        values = {"flagged_by": by, "flagged_at": self._clock(), "flagged_why": why}
        table = golden_questions.c
        fresh = (table.question_id == question_id, table.flagged_at.is_(None), table.retired_at.is_(None))
        await self._change(sa.and_(*fresh), values, Action.GOLDEN_FLAGGED, by)

    async def confirm(self, id: str, by: str) -> None:
        """It is right as it is: the flag goes. Raises UnknownGolden where nothing speaks against it."""
        values = dict.fromkeys(_FLAG) | {"reviewed_by": by}
        this = (golden_questions.c.id == id) & golden_questions.c.flagged_at.is_not(None)
        if not await self._change(this, values, Action.GOLDEN_CONFIRMED, by):
            raise UnknownGolden("Nothing speaks against this golden question: it is used as it is.")

    async def retire(self, id: str, by: str, why: str = "") -> None:
        """It is in no evaluation any more, and stays in the table."""
        values = {"retired_by": by, "retired_at": self._clock(), "retired_why": why}
        this = (golden_questions.c.id == id) & golden_questions.c.retired_at.is_(None)
        await self._change(this, values, Action.GOLDEN_RETIRED, by, why)

    async def restore(self, id: str, by: str) -> None:
        """It is used again."""
        this = (golden_questions.c.id == id) & golden_questions.c.retired_at.is_not(None)
        await self._change(this, dict.fromkeys(_RETIRED), Action.GOLDEN_RESTORED, by)

    async def _change(
        self, which: sa.ColumnElement[bool], values: Mapping[str, Any], action: Action, by: str, why: str = ""
    ) -> bool:
        """Whether there was something to change."""
        changing = golden_questions.update().where(which).values(values).returning(golden_questions.c.id)
        async with self._engine.begin() as connection:
            ids = sorted((await connection.execute(changing)).scalars())
            for id in ids:
                change = Change(action=action, subject=f"golden question {id}", reason=why)
                await record(connection, change, by=by, at=self._clock())
        return bool(ids)


async def follow(connection: AsyncConnection, example_id: str, values: Mapping[str, Any]) -> None:
    """A golden question goes with the example that was kept with it: what somebody does to that is done to it too."""
    shared = {name: value for name, value in values.items() if name in _SHARED}
    if shared:
        here = golden_questions.c.example_id == example_id
        await connection.execute(golden_questions.update().where(here).values(shared))


def _made_of(row: Any) -> GoldenQuestion:
    names = ("id", "question", "answer", "question_id", "channel", "source", "author", "reviewed_by", "kept_at")
    return GoldenQuestion(
        **{name: getattr(row, name) for name in names},
        readers=frozenset(row.readers),
        flag=said_of(row.flagged_by, row.flagged_at, row.flagged_why, row.flagged_document),
        retired=said_of(row.retired_by, row.retired_at, row.retired_why),
    )
