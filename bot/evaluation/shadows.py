"""Shadow runs in SQL: questions that one other option answered as well, never shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import StrategyName
from bot.evaluation.matrix import Way
from bot.selection.draws import lot
from bot.storage.evaluation_tables import shadows
from bot.storage.tables import questions
from bot.storage.upsert import insert

ASKING, ANSWERED, JUDGING, SCORED = "asking", "answered", "judging", "scored"
SKIPPED, FAILED, LOST, UNJUDGED = "skipped", "failed", "lost", "unjudged"
STALE = timedelta(minutes=30)
"""What is under way for longer was left by a process that ended."""
INTERRUPTED = "The process ended in the middle; it is not asked again, so that nothing is paid for twice."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """One question that was drawn. `detail`: why it was skipped, failed or could not be judged. `share`: the share of
    questions that was drawn then; `chance`: how likely the other way was to be drawn among `others`. `cost` and
    `judge_cost` in US dollars, None where nothing was paid or nobody knows. The qualities (0 to 1) are those of
    `measure` and stand where it is scored. `text` is the question's."""

    question_id: str
    at: datetime
    state: str
    detail: str
    share: float
    taken: Way | None = None
    other: Way | None = None
    chance: float | None = None
    others: int | None = None
    held: Decimal | None = None
    cost: Decimal | None = None
    judge_held: Decimal | None = None
    judge_cost: Decimal | None = None
    answer: str | None = None
    measure: str | None = None
    taken_quality: float | None = None
    other_quality: float | None = None
    text: str = ""

    @property
    def asked(self) -> bool:
        """Whether the other option was asked."""
        return self.held is not None

    @property
    def spent(self) -> Decimal:
        """US dollars that it counts against the budget: what is not known, and may have been billed, as the most that
        it can have come to."""
        parts = ((self.cost, self.held), (self.judge_cost, self.judge_held))
        return sum(((most if cost is None else cost) or Decimal(0) for cost, most in parts), Decimal(0))


def is_drawn(question_id: str, share: float) -> bool:
    """Whether a question is among the share that is drawn; every process says the same, at any time."""
    return lot("shadow drawn", question_id) < share


def place_drawn(question_id: str, count: int) -> int:
    """Which of `count` options a question draws, evenly; the same whenever it is drawn again."""
    return int(lot("shadow option", question_id) * count)


def is_swapped(question_id: str) -> bool:
    """Whether the judge sees the other answer first."""
    return lot("shadow order", question_id) < 0.5


class Shadows:
    """The table. What one process claimed no other one takes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fresh(self, since: datetime, until: datetime) -> Sequence[str]:
        """Ids of answered questions asked in [since, until) that were not drawn yet, oldest first."""
        query = (
            sa.select(questions.c.id)
            .join(shadows, shadows.c.question_id == questions.c.id, isouter=True)
            .where(
                questions.c.asked_at >= since,
                questions.c.asked_at < until,
                questions.c.answer.is_not(None),
                shadows.c.question_id.is_(None),
            )
            .order_by(questions.c.asked_at, questions.c.id)
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalars().all()

    async def claim(self, question_id: str, share: float, at: datetime) -> bool:
        """Writes down that a question is drawn; False where another process did."""
        values = {"question_id": question_id, "at": at, "state": ASKING, "changed_at": at, "share": share, "detail": ""}
        async with self._engine.begin() as connection:
            statement = insert(connection, shadows).values(**values).on_conflict_do_nothing()
            return (await connection.execute(statement.returning(shadows.c.question_id))).first() is not None

    async def release(self, question_id: str) -> None:
        """A claimed question of which nothing was asked is as if it were not drawn."""
        claimed = (shadows.c.question_id == question_id) & (shadows.c.state == ASKING)
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(shadows).where(claimed))

    async def change(self, question_id: str, at: datetime, before: str, **values: object) -> bool:
        """Changes a row that is in the state `before`; False where it is not."""
        change = (
            sa.update(shadows)
            .where(shadows.c.question_id == question_id, shadows.c.state == before)
            .values(changed_at=at, **values)
        )
        async with self._engine.begin() as connection:
            return bool((await connection.execute(change)).rowcount)

    async def give_up_stale(self, at: datetime) -> None:
        """What a dead process left under way ends: it may have been paid for, so it is not done again."""
        stale = shadows.c.changed_at < at - STALE
        ends = {"changed_at": at, "detail": INTERRUPTED, "answer": None}
        async with self._engine.begin() as connection:
            for before, after in ((ASKING, LOST), (JUDGING, UNJUDGED)):
                change = sa.update(shadows).where(stale, shadows.c.state == before)
                await connection.execute(change.values(state=after, **ends))

    async def spent(self, since: datetime, until: datetime) -> Decimal:
        """US dollars that those drawn in [since, until) count against the budget, with all that is held for them."""
        return sum((shadow.spent for shadow in await self.drawn(since, until)), Decimal(0))

    async def drawn(self, since: datetime, until: datetime) -> tuple[Shadow, ...]:
        """Those drawn in [since, until), oldest first."""
        return await self._where(shadows.c.at >= since, shadows.c.at < until)

    async def unscored(self) -> tuple[Shadow, ...]:
        """Those that were answered and not scored yet, oldest first."""
        return await self._where(shadows.c.state == ANSWERED)

    async def _where(self, *conditions: sa.ColumnElement[bool]) -> tuple[Shadow, ...]:
        query = (
            sa.select(shadows, questions.c.text)
            .join(questions, questions.c.id == shadows.c.question_id, isouter=True)
            .where(*conditions)
            .order_by(shadows.c.at, shadows.c.question_id)
        )
        async with self._engine.connect() as connection:
            return tuple(_shadow(row) for row in await connection.execute(query))


_PLAIN = tuple(name for name in Shadow.__slots__ if name not in ("taken", "other", "text"))


def _shadow(row: sa.Row[tuple[object, ...]]) -> Shadow:
    return Shadow(
        **{name: getattr(row, name) for name in _PLAIN},
        taken=Way(StrategyName(row.taken_strategy), row.taken_model) if row.taken_strategy else None,
        other=Way(StrategyName(row.strategy), row.model) if row.strategy else None,
        text=row.text or "",
    )
