"""Questions that somebody wanted a person for: each handed on once, and followed up once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
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
    """One question that was handed on: by whom and when, to whom, and as the owner of what. `is_begun`: a process that
    was at it before may have told it."""

    question_id: str
    wanted_by: str
    owner: str | None
    why: Why
    wanted_at: datetime
    state: str
    is_begun: bool = False


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
        """Hands a question on, for this process to tell; None where it was told before, or another one is at it. What
        was begun and not told is told by whoever comes next, once."""
        now = self._clock()
        due = after_hours(now, self._hours, self._zone) if owner and self._hours else None
        row = {"question_id": question_id, "wanted_by": by, "owner": owner, "why": why, "wanted_at": now, "due": due}
        async with self._engine.begin() as connection:
            await connection.run_sync(self._worker.bury)
            mine = {"state": "asking", "worker": self._worker.id}
            new = insert(connection, hand_offs).values(**row, **mine).on_conflict_do_nothing().returning(hand_offs)
            if (made := (await connection.execute(new)).first()) is not None:
                return _made_of(made)
            left = (hand_offs.c.question_id == question_id) & (hand_offs.c.state == "asking") & dead(hand_offs.c.worker)
            taking = sa.update(hand_offs).where(left).values(worker=self._worker.id).returning(hand_offs)
            taken = (await connection.execute(taking)).first()
        return replace(_made_of(taken), is_begun=True) if taken is not None else None

    async def release(self, question_id: str) -> None:
        """This process is not at it any more; where it did not tell it, another one may."""
        this = (hand_offs.c.question_id == question_id) & (hand_offs.c.worker == self._worker.id)
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(hand_offs).where(this).values(worker=None))

    async def told(self, question_id: str) -> HandOff | None:
        """The hand-off of a question that somebody was told of; None where nobody was yet."""
        found = await self.get(question_id)
        return found if found is not None and found.state != "asking" else None

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

    async def best_sources(self, question_ids: Iterable[str]) -> dict[str, str]:
        """By question the source of the first passage that its answer cites; those that cite none are left out."""
        table = leanings.c
        query = sa.select(table.question_id, table.source).where(table.question_id.in_(sorted(question_ids)))
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(table.number.desc()))
            return {row.question_id: row.source for row in rows}


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
