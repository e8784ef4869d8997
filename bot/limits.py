"""How many questions are begun with: so many a minute of one person, and so many in one channel, over all replicas."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.door_tables import asked_lately
from bot.storage.one_writer import write
from bot.storage.upsert import insert

MINUTE = timedelta(minutes=1)
Whose = Literal["person", "channel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A limit that is reached: in `seconds` there is room again. `is_news`: the person has not heard it within the last
    minute."""

    whose: Whose
    limit: int
    seconds: int
    is_news: bool


class Limits:
    """Counts in SQL: a question counts for the minute after it was admitted, and one that was refused does not."""

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        person: int,
        channel: int,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._limits: dict[Whose, int] = {"person": person, "channel": channel}

    async def admit(self, person: str, channel: str, reference: str) -> Full | None:
        """None where the question is to be begun with, else which limit is reached. Direct messages have the person's
        alone. `reference`: the question's own; the same one is admitted again and counts once."""
        subjects: dict[Whose, str] = {"person": f"person {person}", "channel": f"channel {channel}"}
        if channel.startswith("D"):
            del subjects["channel"]
        counted = {subject: whose for whose, subject in subjects.items() if self._limits[whose]}
        if not counted:
            return None
        now, told = self._clock(), f"told {person} {channel}"
        return await write(self._engine, lambda connection: self._admit(connection, counted, told, reference, now))

    def _admit(
        self, connection: sa.Connection, counted: dict[str, Whose], told: str, reference: str, now: datetime
    ) -> Full | None:
        if connection.dialect.name == "postgresql":
            for subject in sorted(counted):
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(subject))))
        column = asked_lately.c.subject
        old = sa.delete(asked_lately).where(column.in_([*counted, told]), asked_lately.c.at <= now - MINUTE)
        connection.execute(old)
        query = sa.select(asked_lately).where(column.in_(counted)).order_by(asked_lately.c.at)
        rows = connection.execute(query).all()
        if any(row.reference == reference for row in rows):
            return None
        for name, whose in counted.items():
            limit, moments = self._limits[whose], [row.at for row in rows if row.subject == name]
            if len(moments) >= limit:
                left = moments[len(moments) - limit] + MINUTE - now
                is_news = self._note(connection, told, "", now)
                return Full(whose=whose, limit=limit, seconds=math.ceil(left.total_seconds()), is_news=is_news)
        for name in counted:
            self._note(connection, name, reference, now)
        return None

    @staticmethod
    def _note(connection: sa.Connection, subject: str, reference: str, now: datetime) -> bool:
        """Keeps a row; False where it was there."""
        row = insert(connection, asked_lately).values(subject=subject[:60], reference=reference[:80], at=now)
        new = row.on_conflict_do_nothing().returning(asked_lately.c.subject)
        return connection.execute(new).first() is not None

    async def prune(self) -> int:
        """Forgets what is older than a minute; says how many rows."""
        old = sa.delete(asked_lately).where(asked_lately.c.at <= self._clock() - MINUTE)
        return await write(self._engine, lambda connection: connection.execute(old).rowcount)
