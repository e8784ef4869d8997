"""What people make of the answers: thumbs up and down, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.storage.tables import feedback
from bot.storage.upsert import insert


class Reason(StrEnum):
    """Why a thumb is down."""

    WRONG = "wrong"
    OUTDATED = "outdated"
    INCOMPLETE = "incomplete"
    TOO_LONG = "too long"
    FORBIDDEN = "should not know this"


@dataclass(frozen=True, slots=True)
class Given:
    """What one person thinks of an answer: 1 is up, -1 is down."""

    value: int
    reason: Reason | None = None
    comment: str = ""


class Feedback:
    """One thumb a person and question; the newest counts."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def give(self, question_id: str, person: str, value: Literal[1, -1], comment: str | None = None) -> None:
        """Keeps a thumb: 1 is up, -1 is down. A comment stays until another replaces it, a reason until the thumb goes
        up."""
        changed: dict[str, object] = {"value": value, "given_at": self._clock()}
        if value == 1:
            changed["reason"] = None
        if comment is not None:
            changed["comment"] = comment
        async with self._engine.begin() as connection:
            statement = insert(connection, feedback).values(question_id=question_id, person=person, **changed)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["question_id", "person"], set_=changed)
            )

    async def explain(
        self, question_id: str, person: str, reason: Reason | None, comment: str, *, documents: Sequence[str] = ()
    ) -> bool:
        """A thumb down with what was wrong, in place of what the person said before. That somebody should not know
        this stands in the audit log, once, with the `documents` that were cited, by source and id; gives whether that
        is new."""
        changed = {
            "value": -1,
            "reason": reason and reason.value,
            "comment": comment or None,
            "given_at": self._clock(),
        }
        mine = (feedback.c.question_id == question_id) & (feedback.c.person == person)
        async with self._engine.begin() as connection:
            before = (await connection.execute(sa.select(feedback.c.reason).where(mine))).scalar()
            statement = insert(connection, feedback).values(question_id=question_id, person=person, **changed)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["question_id", "person"], set_=changed)
            )
            is_new = reason is Reason.FORBIDDEN and before != reason.value
            if reason is not None and is_new:
                told = Change(
                    action=Action.ANSWER_REPORTED,
                    subject=f"answer {question_id}",
                    after=f"cited {', '.join(documents) or 'nothing'}",
                    reason=reason.value,
                )
                await record(connection, told, by=person, at=self._clock())
        return is_new

    async def take_back(self, question_id: str, person: str) -> None:
        """Forgets a thumb and what was said with it."""
        mine = (feedback.c.question_id == question_id) & (feedback.c.person == person)
        async with self._engine.begin() as connection:
            await connection.execute(feedback.delete().where(mine))

    async def of(self, question_id: str, person: str) -> Given | None:
        """What somebody thinks of an answer; None where they have not said."""
        columns = (feedback.c.value, feedback.c.reason, feedback.c.comment)
        query = sa.select(*columns).where(feedback.c.question_id == question_id, feedback.c.person == person)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return Given(row.value, _reason(row.reason), row.comment or "") if row is not None else None

    async def on(self, question_id: str) -> tuple[Given, ...]:
        """What everybody thinks of an answer, without their words."""
        query = sa.select(feedback.c.value, feedback.c.reason).where(feedback.c.question_id == question_id)
        async with self._engine.connect() as connection:
            return tuple(Given(row.value, _reason(row.reason)) for row in await connection.execute(query))

    async def reasons(self, since: datetime, until: datetime) -> dict[Reason | None, int]:
        """How many thumbs went down for each reason in that time, most first; None: no reason was given."""
        number = sa.func.count().label("number")
        query = (
            sa.select(feedback.c.reason, number)
            .where(feedback.c.value == -1, feedback.c.given_at >= since, feedback.c.given_at < until)
            .group_by(feedback.c.reason)
            .order_by(number.desc(), feedback.c.reason)
        )
        async with self._engine.connect() as connection:
            return {_reason(row.reason): int(row.number) for row in await connection.execute(query)}

    async def counts(self, since: datetime, until: datetime) -> tuple[int, int]:
        """Thumbs up and thumbs down given from `since` up to but without `until`."""
        query = sa.select(
            sa.func.count().filter(feedback.c.value == 1), sa.func.count().filter(feedback.c.value == -1)
        ).where(feedback.c.given_at >= since, feedback.c.given_at < until)
        async with self._engine.connect() as connection:
            up, down = (await connection.execute(query)).one()
        return up, down


def _reason(kept: str | None) -> Reason | None:
    return Reason(kept) if kept in set(Reason) else None


def by_reason(reasons: dict[Reason | None, int]) -> str:
    """A sentence for a report, such as "👎 by reason: 3 wrong, 1 without a reason."; "" where none went down."""
    told = [f"{number} {reason.value if reason else 'without a reason'}" for reason, number in reasons.items()]
    return f"👎 by reason: {', '.join(told)}." if told else ""
