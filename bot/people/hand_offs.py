"""Questions that somebody wanted a person for: each handed on once, and followed up once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.people.working_hours import after_hours
from bot.storage.people_tables import hand_offs
from bot.storage.recall_tables import leanings
from bot.storage.upsert import insert
from bot.worker import Worker, dead

State = Literal["asked", "answered", "followed", "dropped"]
Why = Literal["channel", "source", "admins", "nobody"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOff:
    """One question that was handed on: by whom and when, to whom, and as the owner of what."""

    question_id: str
    wanted_by: str
    owner: str | None
    why: Why
    wanted_at: datetime
    state: str


class HandOffs:
    """Hand-offs in SQL. `hours`: the working hours in `zone` after which the owner is asked once more."""

    def __init__(
        self, engine: AsyncEngine, worker: Worker, clock: Callable[[], datetime], *, hours: float, zone: tzinfo
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._clock = clock
        self._hours = hours
        self._zone = zone

    async def want(self, question_id: str, by: str, owner: str | None, why: Why) -> HandOff | None:
        """Hands a question on; None where somebody has before, and was heard."""
        now = self._clock()
        due = after_hours(now, self._hours, self._zone) if owner and self._hours else None
        row = {"question_id": question_id, "wanted_by": by, "owner": owner, "why": why, "wanted_at": now, "due": due}
        async with self._engine.begin() as connection:
            new = insert(connection, hand_offs).values(**row, state="asking").on_conflict_do_nothing()
            await connection.execute(new)
            found = (await connection.execute(_one(question_id))).one()
        # One that was begun and not told of is told by whoever comes next, once.
        return _made_of(found) if found.state == "asking" else None

    async def get(self, question_id: str) -> HandOff | None:
        """The hand-off of a question; None where nobody wanted one."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_one(question_id))).first()
        return _made_of(row) if row is not None else None

    async def settle(self, question_id: str, state: State) -> None:
        """How far it has come."""
        this = hand_offs.c.question_id == question_id
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(hand_offs).where(this).values(state=state, worker=None))

    async def forget(self, question_id: str) -> None:
        """It could not be told to anybody, so it may be wanted again."""
        this = (hand_offs.c.question_id == question_id) & (hand_offs.c.state == "asking")
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(hand_offs).where(this))

    async def due_words(self, question_id: str) -> str:
        """When the owner is asked once more, as Slack shows a moment; "" for never."""
        query = sa.select(hand_offs.c.due).where(hand_offs.c.question_id == question_id)
        async with self._engine.connect() as connection:
            due: datetime | None = (await connection.execute(query)).scalar()
        if due is None:
            return ""
        return f"<!date^{int(due.timestamp())}^{{date_short_pretty}} at {{time}}|{due.astimezone(self._zone):%A %H:%M}>"

    async def due(self) -> list[HandOff]:
        """Those to be followed up now, each given to one process alone; what a dead one left is taken over."""
        table = hand_offs.c
        free = (table.worker.is_(None)) | dead(table.worker)
        late = (table.state == "asked", table.due <= self._clock(), free)
        taking = sa.update(hand_offs).where(*late).values(worker=self._worker.id).returning(hand_offs)
        async with self._engine.begin() as connection:
            await connection.run_sync(self._worker.bury)
            return [_made_of(row) for row in await connection.execute(taking)]

    async def best_source(self, question_id: str) -> str | None:
        """The source of the first passage that an answer cites; None where it cites none."""
        query = sa.select(leanings.c.source).where(leanings.c.question_id == question_id).order_by(leanings.c.number)
        async with self._engine.connect() as connection:
            found: str | None = (await connection.execute(query.limit(1))).scalar()
        return found


def _one(question_id: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(hand_offs).where(hand_offs.c.question_id == question_id)


def _made_of(row: sa.Row[tuple[object, ...]]) -> HandOff:
    return HandOff(
        question_id=row.question_id,
        wanted_by=row.wanted_by,
        owner=row.owner,
        why=row.why,
        wanted_at=row.wanted_at,
        state=row.state,
    )
