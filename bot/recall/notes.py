"""The notes to tell: each claimed once over all processes, so many a day in a channel, the rest counted in one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.recall.leanings import Leaning
from bot.storage.recall_tables import leanings, recalls
from bot.storage.tables import questions
from bot.worker import Worker, dead

TRIES = 5
"""How often a note is tried that Slack refuses for a reason that may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """A note. `person`: whom alone it is for. `others`: the notes that this one counts instead."""

    id: str
    question_id: str
    channel: str
    person: str | None = None
    tries: int = 0
    others: tuple[str, ...] = ()

    @property
    def part(self) -> str:
        """What its message is known by among what is said because of its question."""
        return f"r{self.id[:11]}"


class Recalls:
    """Notes in SQL. `per_day`: how many a channel, or a person alone, gets on a day of `zone`."""

    def __init__(
        self, engine: AsyncEngine, worker: Worker, clock: Callable[[], datetime], *, per_day: int, zone: tzinfo
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._clock = clock
        self._per_day = per_day
        self._zone = zone

    async def waiting(self) -> list[Recall]:
        """Those to be told now: the oldest first, and of what was noticed together the newest answers.

        What is more than a day takes is counted in one message, once a day; what comes after that waits for the next.
        """
        now = self._clock()
        since = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        found: list[Recall] = []
        async with self._engine.connect() as connection:
            open_ones = recalls.c.state.in_(("waiting", "telling"))
            asked = sa.outerjoin(recalls, questions, questions.c.id == recalls.c.question_id)
            query = sa.select(recalls).select_from(asked).where(open_ones)
            query = query.order_by(recalls.c.noticed_at, questions.c.asked_at.desc(), recalls.c.id)
            rows = (await connection.execute(query)).all()
        places: dict[tuple[str, str | None], list[Recall]] = {}
        for row in rows:
            one = Recall(
                id=row.id, question_id=row.question_id, channel=row.channel, person=row.person, tries=row.tries
            )
            places.setdefault((row.person or row.channel, row.person), []).append(one)
        for notes in places.values():
            found += await self._of_today(notes, since)
        return found

    async def _of_today(self, notes: Sequence[Recall], since: datetime) -> list[Recall]:
        async with self._engine.begin() as connection:
            counted = {one.id: await _counted(connection, one.id) for one in notes}
            digests = [_with(one, counted[one.id]) for one in notes if counted[one.id]]
            single = [one for one in notes if not counted[one.id]]
            first = notes[0]
            place = recalls.c.person == first.person if first.person else recalls.c.channel == first.channel
            alone = recalls.c.person.is_(None) if first.person is None else sa.true()
            holds_others = sa.exists(sa.select(1).where(_others.c.counted_in == recalls.c.id))
            today = sa.select(sa.func.count()).where(place, alone, recalls.c.told_at >= since)
            told = (await connection.execute(today.where(~holds_others))).scalar_one()
            room = max(0, self._per_day - told)
            rest = single[room:]
            had_one = digests or (await connection.execute(today.where(holds_others))).scalar_one()
            if rest and not had_one:
                counted_now = await self._count(connection, rest)
                digests = [counted_now] if counted_now is not None else []
        return [*single[:room], *digests]

    async def _count(self, connection: AsyncConnection, notes: Sequence[Recall]) -> Recall | None:
        newest, id = notes[-1], secrets.token_hex(16)
        ids = [one.id for one in notes]
        taking = sa.update(recalls).where(recalls.c.id.in_(ids), recalls.c.state == "waiting")
        taken = taking.values(state="counted", counted_in=id).returning(recalls.c.id)
        mine = tuple(sorted((await connection.execute(taken)).scalars()))
        if not mine:
            return None
        one = Recall(id=id, question_id=newest.question_id, channel=newest.channel, person=newest.person, others=mine)
        row = {"id": id, "question_id": one.question_id, "channel": one.channel, "person": one.person}
        await connection.execute(sa.insert(recalls).values(**row, noticed_at=self._clock(), state="waiting"))
        return one

    async def claim(self, id: str) -> bool:
        """Takes a note to tell it, also from a process that died meanwhile; False where another one is at it."""
        free = (recalls.c.state == "waiting") | ((recalls.c.state == "telling") & dead(recalls.c.worker))
        taking = sa.update(recalls).where(recalls.c.id == id, free)
        async with self._engine.begin() as connection:
            await connection.run_sync(self._worker.bury)
            values = {"state": "telling", "worker": self._worker.id, "tries": recalls.c.tries + 1}
            return (await connection.execute(taking.values(**values))).rowcount == 1

    async def told(self, id: str) -> None:
        """It stands in Slack."""
        await self._set(id, state="told", told_at=self._clock(), worker=None)

    async def drop(self, id: str, why: str) -> None:
        """It is told to nobody."""
        await self._set(id, state="dropped", why=why[:80], worker=None)

    async def again(self, one: Recall, why: str) -> bool:
        """It could not be told now; whether it is tried once more."""
        if one.tries + 1 >= TRIES:
            await self.drop(one.id, why)
            return False
        await self._set(one.id, state="waiting", worker=None)
        return True

    async def get(self, id: str) -> Recall | None:
        """One note; None where there is none such any more."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(recalls).where(recalls.c.id == id))).first()
            if row is None:
                return None
            others = await _counted(connection, id)
        one = Recall(id=row.id, question_id=row.question_id, channel=row.channel, person=row.person, tries=row.tries)
        return _with(one, others)

    async def leanings(self, one: Recall) -> list[Leaning]:
        """What changed, by the answers that it is told of, the newest first."""
        query = sa.select(leanings).where(leanings.c.recall.in_([one.id, *one.others]))
        newest = query.order_by(leanings.c.cited_at.desc(), leanings.c.question_id, leanings.c.number)
        async with self._engine.connect() as connection:
            return [Leaning.of(row) for row in await connection.execute(newest)]

    async def prune(self, before: datetime) -> None:
        """Forgets notes of before a moment, and what answers leant on that are older."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(recalls).where(recalls.c.noticed_at < before))
            await connection.execute(sa.delete(leanings).where(leanings.c.cited_at < before))

    async def _set(self, id: str, **values: object) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(recalls).where(recalls.c.id == id).values(**values))


_others = recalls.alias("others")


async def _counted(connection: AsyncConnection, id: str) -> tuple[str, ...]:
    query = sa.select(recalls.c.id).where(recalls.c.counted_in == id).order_by(recalls.c.id)
    return tuple((await connection.execute(query)).scalars())


def _with(one: Recall, others: tuple[str, ...]) -> Recall:
    return Recall(
        id=one.id,
        question_id=one.question_id,
        channel=one.channel,
        person=one.person,
        tries=one.tries,
        others=others,
    )
