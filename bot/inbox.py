"""The inbox: every event is kept before it is acknowledged, so that a crash loses nothing and a repeat does nothing.

What is worked on is leased to the worker that does (`bot.worker`). Whoever finds the work of a dead one takes it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.one_writer import write
from bot.storage.tables import inbox
from bot.storage.upsert import insert
from bot.worker import Worker, dead
from knowledge.secrets import masking

AT_ONCE = 100
"""So many events share a transaction at most: whoever waits for an acknowledgement waits no longer than these take."""
_CLAIMS = 0x5B1B0C5
"""The lock of PostgreSQL that those who look for work take in turn: each sees what the one before has taken."""
_UNFINISHED = inbox.c.state.in_(("waiting", "working"))


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that is not finished. `attempts`: how often work on it was started; `reference`: the correlation id of
    all of them; `revision`: how often its message was changed since, `gone`: whether that was deleted."""

    event_id: str
    kind: str
    payload: dict[str, Any]
    attempts: int
    reference: str = ""
    revision: int = 0
    gone: bool = False


@dataclass(frozen=True, slots=True)
class _Arriving:
    values: dict[str, Any]
    kept: asyncio.Future[bool]


def _now() -> datetime:
    return datetime.now(UTC)


class Inbox:
    """Events by id, in the states waiting, working, done and failed. `worker`: whose work it is that is begun here."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = _now, worker: Worker | None = None) -> None:
        self._engine = engine
        self._clock = clock
        self.worker = worker or Worker(engine)
        self.on_change: Callable[[], None] = lambda: None
        """Called where a message that is worked on was changed or deleted, by an event that came to this process."""
        self._arriving: list[_Arriving] = []
        self._keeping: asyncio.Task[None] | None = None

    async def keep(
        self,
        event_id: str,
        kind: str,
        payload: Mapping[str, Any],
        *,
        reference: str = "",
        message: tuple[str, str] | None = None,
        begin: bool = False,
    ) -> bool:
        """Keeps an event for work; False where it was seen before, and then nothing changes.

        `message`: channel and ts of the message that it is about. With `begin` this worker is on it at once. What
        comes at the same time shares a transaction.
        """
        values: dict[str, Any] = {
            "event_id": event_id,
            "kind": kind,
            "payload": dict(payload),
            "state": "working" if begin else "waiting",
            "attempts": int(begin),
            "worker": self.worker.id if begin else None,
            "received_at": self._clock(),
            "reference": reference,
            "channel": message[0] if message else None,
            "ts": message[1] if message else None,
        }
        arriving = _Arriving(values, asyncio.get_running_loop().create_future())
        self._arriving.append(arriving)
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep())
        return await arriving.kept

    async def claim(self, most: int) -> list[Kept]:
        """Takes up to `most` events for this worker that nobody works on, oldest first: those that wait, and those
        whose worker is dead."""
        me = self.worker.id

        def claimed(connection: sa.Connection) -> list[Kept]:
            self.worker.bury(connection)
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CLAIMS)))
            free = sa.select(inbox.c.event_id).where(_UNFINISHED, dead(inbox.c.worker)).order_by(*_OLDEST).limit(most)
            taken = sa.update(inbox).where(inbox.c.event_id.in_(free))
            taken = taken.values(state="working", worker=me, attempts=inbox.c.attempts + 1)
            rows = connection.execute(taken.returning(*_KEPT, inbox.c.received_at)).all()
            rows = sorted(rows, key=lambda row: (row.received_at, row.event_id))
            return [Kept(*row[:-1]) for row in rows]

        return await write(self._engine, claimed)

    async def done(self, event_id: str) -> None:
        """The event is finished. What it held is not needed any more and is forgotten."""
        await self._mine(event_id, state="done", payload={}, finished_at=self._clock(), problem=None, worker=None)

    async def failed(self, event_id: str, problem: str) -> None:
        """The event was given up; `problem` is one sentence for the admin. What it held stays, without secrets."""
        held = self._held(event_id)
        values = {"state": "failed", "finished_at": self._clock(), "problem": problem, "worker": None}

        def given_up(connection: sa.Connection) -> None:
            row = connection.execute(sa.select(inbox.c.payload).where(held).with_for_update()).first()
            if row is not None:
                connection.execute(sa.update(inbox).where(held).values(payload=_without_secrets(row.payload), **values))

        await write(self._engine, given_up)

    async def release(self, event_id: str, *, tried: bool = False) -> None:
        """Hands the event back unfinished, for another worker; that counts as an attempt only where it was `tried`."""
        await self._mine(event_id, state="waiting", worker=None, attempts=inbox.c.attempts - (0 if tried else 1))

    async def revise(
        self, channel: str, ts: str, change: Callable[[dict[str, Any]], dict[str, Any] | None] | None
    ) -> int:
        """A message was changed, or deleted (`change` None): what waits or is worked on because of it goes by that.

        `change` makes the payload anew; None where it makes no difference. Gives how many events that concerns.
        """

        def revised(connection: sa.Connection) -> int:
            about = sa.select(inbox).where(inbox.c.channel == channel, inbox.c.ts == ts, _UNFINISHED)
            rows, count = connection.execute(about.with_for_update()).all(), 0
            for row in rows:
                values: dict[str, Any] = {"revision": row.revision + 1}
                if change is None:
                    values["gone"] = True
                elif (payload := change(row.payload)) is not None:
                    values["payload"] = payload
                else:
                    continue
                connection.execute(sa.update(inbox).where(inbox.c.event_id == row.event_id).values(**values))
                count += 1
            return count

        count = await write(self._engine, revised)
        if count:
            self.on_change()
        return count

    async def revisions(self) -> dict[str, int]:
        """How often the messages were changed that this worker works on, by event; those that never were left out."""
        query = sa.select(inbox.c.event_id, inbox.c.revision)
        query = query.where(inbox.c.worker == self.worker.id, inbox.c.state == "working", inbox.c.revision > 0)
        async with self._engine.connect() as connection:
            return {row.event_id: row.revision for row in await connection.execute(query)}

    async def held(self, event_id: str) -> Kept | None:
        """The event as it is now; None where it is not this worker's."""
        query = sa.select(*_KEPT).where(inbox.c.event_id == event_id, inbox.c.worker == self.worker.id)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return Kept(*row) if row else None

    async def waiting(self) -> list[Kept]:
        """Events that were kept and not finished, oldest first: after a crash, what is to be done again."""
        query = sa.select(*_KEPT).where(_UNFINISHED).order_by(*_OLDEST)
        async with self._engine.connect() as connection:
            return [Kept(*row) for row in await connection.execute(query)]

    async def queued(self, among: Sequence[str] = ()) -> list[str]:
        """The ids of those that nobody has begun on, oldest first; `among`: no others than these."""
        query = sa.select(inbox.c.event_id).where(inbox.c.state == "waiting").order_by(*_OLDEST)
        if among:
            query = query.where(inbox.c.event_id.in_(among))
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def prune(self, before: datetime) -> int:
        """Forgets finished events received before a moment; says how many."""
        statement = sa.delete(inbox).where(inbox.c.state.in_(("done", "failed")), inbox.c.received_at < before)
        async with self._engine.begin() as connection:
            return (await connection.execute(statement)).rowcount

    async def _mine(self, event_id: str, **values: object) -> None:
        """Changes an event that this worker holds. Whoever lost it meanwhile changes nothing."""
        statement = sa.update(inbox).where(self._held(event_id)).values(**values)
        await write(self._engine, lambda connection: connection.execute(statement))

    def _held(self, event_id: str) -> sa.ColumnElement[bool]:
        return (inbox.c.event_id == event_id) & (inbox.c.worker == self.worker.id)

    async def _keep(self) -> None:
        try:
            while self._arriving:
                turn, self._arriving = self._arriving[:AT_ONCE], self._arriving[AT_ONCE:]
                try:
                    await self._keep_all(turn)
                finally:
                    for one in turn:
                        one.kept.cancel()  # does nothing where it is known
        finally:
            for one in self._arriving:
                one.kept.cancel()

    async def _keep_all(self, turn: list[_Arriving]) -> None:
        try:
            new = await self._insert(turn)
        except Exception as error:
            if len(turn) > 1:  # one of them may be what cannot be kept
                for one in turn:
                    await self._keep_all([one])
            elif not turn[0].kept.done():
                turn[0].kept.set_exception(error)
            return
        for one in turn:
            if not one.kept.done():
                # The same id twice in one turn: the first one is the one that is kept.
                one.kept.set_result(one.values["event_id"] in new)
                new.discard(one.values["event_id"])

    async def _insert(self, turn: list[_Arriving]) -> set[str]:
        def inserted(connection: sa.Connection) -> set[str]:
            statement = insert(connection, inbox).values([one.values for one in turn])
            statement = statement.on_conflict_do_nothing(index_elements=["event_id"])
            return set(connection.execute(statement.returning(inbox.c.event_id)).scalars())

        return await write(self._engine, inserted, first=True)


_OLDEST = (inbox.c.received_at, inbox.c.event_id)
_KEPT = (
    inbox.c.event_id,
    inbox.c.kind,
    inbox.c.payload,
    inbox.c.attempts,
    inbox.c.reference,
    inbox.c.revision,
    inbox.c.gone,
)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return masking().text(value)
    if isinstance(value, dict):
        return {key: _without_secrets(each) for key, each in value.items()}
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value
