"""Which messages of Slack hold the reply to a question, so that whoever goes on with it writes into the same ones.

A part is noted twice: before it goes out, and when Slack has said where it stands. A process that dies in between
leaves a part of which nobody knows where it is: it has to be looked for. That an answer is under way is noted before
its first part, since from then on a person can stop it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.one_writer import write
from bot.storage.tables import conversations
from bot.storage.upsert import insert
from bot.storage.work_tables import reply_parts

_UNDER_WAY = "under way"
"""What stands in place of a part's name where an answer is under way."""


@dataclass(frozen=True, slots=True)
class Part:
    """A message of a reply, or something else that is said once because of a question. `after`: it stands behind this
    moment of Slack's; `ts` is None where nobody noted where it stands; `settled`: nothing will be changed any more."""

    question_id: str
    name: str
    channel: str
    thread: str | None
    after: str
    ts: str | None
    settled: bool

    @property
    def id(self) -> str:
        """What its message is known by, whatever process said it."""
        return f"{self.question_id}:{self.name}"

    @property
    def is_answer(self) -> bool:
        """Whether it is a message of the answer itself."""
        return self.name.isdecimal()


class Replies:
    """The parts in SQL."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def begin(self, question_id: str, channel: str, thread: str | None) -> None:
        """An answer is under way there, whether or not anything was said yet. One that was stopped stays so."""
        await self.intend(question_id, _UNDER_WAY, channel, thread, after="")

    async def intend(self, question_id: str, name: str, channel: str, thread: str | None, after: str) -> None:
        """A part is about to be said. What was noted of it before is forgotten."""
        values: dict[str, object] = {"channel": channel, "thread": thread, "after": after, "ts": None}
        values |= {"settled": False, "begun_at": self._clock()}

        def intended(connection: sa.Connection) -> None:
            statement = insert(connection, reply_parts).values(question_id=question_id, part=name, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["question_id", "part"], set_=values))

        await write(self._engine, intended)

    async def note(self, question_id: str, name: str, ts: str) -> None:
        """It stands there."""
        await self._set(_mine(question_id) & (reply_parts.c.part == name), ts=ts)

    async def settle(self, question_id: str) -> None:
        """The whole reply stands as it shall."""
        await self._set(_mine(question_id), settled=True)

    async def stop(self, channel: str, thread: str | None) -> None:
        """A person pressed stop in a thread (None: anywhere in the channel), whichever process writes there."""
        there = reply_parts.c.thread == thread if thread is not None else sa.true()
        await self._set((reply_parts.c.channel == channel) & there & ~reply_parts.c.settled, stopped=True)

    async def stopped(self, among: Collection[str]) -> frozenset[str]:
        """Those of these questions whose replies were stopped."""
        query = sa.select(reply_parts.c.question_id).where(reply_parts.c.stopped, reply_parts.c.question_id.in_(among))
        async with self._engine.connect() as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def forget(self, question_id: str, name: str) -> None:
        """The part is gone."""
        gone = sa.delete(reply_parts).where(_mine(question_id), reply_parts.c.part == name)
        await write(self._engine, lambda connection: connection.execute(gone))

    async def of(self, question_id: str) -> list[Part]:
        """What was begun to be said, the answer's messages in their order."""
        table = reply_parts.c
        query = sa.select(
            table.question_id, table.part, table.channel, table.thread, table.after, table.ts, table.settled
        ).where(_mine(question_id), table.part != _UNDER_WAY)
        async with self._engine.connect() as connection:
            parts = [Part(*row) for row in await connection.execute(query)]
        return sorted(parts, key=lambda part: (not part.is_answer, len(part.name), part.name))

    async def begun_by(self, reference: str) -> list[Part]:
        """The same for all questions that have this correlation id: those of a comparison have a letter behind it."""
        query = sa.select(reply_parts.c.question_id).where(
            (reply_parts.c.question_id == reference)
            | reply_parts.c.question_id.between(f"{reference}-", f"{reference}-~")
        )
        query = query.distinct()
        async with self._engine.connect() as connection:
            found = (await connection.execute(query)).scalars().all()
        return [part for question_id in sorted(found) for part in await self.of(question_id)]

    async def owned(self, channel: str, after: str) -> frozenset[str]:
        """Where parts stand in a channel behind a moment, and what else was said there and is remembered."""
        ours = sa.select(reply_parts.c.ts).where(reply_parts.c.channel == channel, reply_parts.c.ts > after)
        said = sa.select(conversations.c.ts).where(conversations.c.channel == channel, conversations.c.ts > after)
        async with self._engine.connect() as connection:
            return frozenset((await connection.execute(ours.union(said))).scalars())

    async def prune(self, before: datetime) -> int:
        """Forgets what was begun before a moment; says how many parts."""
        old = sa.delete(reply_parts).where(reply_parts.c.begun_at < before)
        return await write(self._engine, lambda connection: connection.execute(old).rowcount)

    async def _set(self, which: sa.ColumnElement[bool], **values: object) -> None:
        change = sa.update(reply_parts).where(which).values(**values)
        await write(self._engine, lambda connection: connection.execute(change))


def _mine(question_id: str) -> sa.ColumnElement[bool]:
    return reply_parts.c.question_id == question_id
