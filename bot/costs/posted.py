"""Which parts of reports were posted: claimed before, confirmed after, so that each comes once.

A process that dies while it posts leaves a claim that nobody confirmed. Once its lease is over another one takes it,
and has to look in the channel first whether the part came through.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import SwitchboardError
from bot.storage.cost_tables import posted_reports
from bot.storage.upsert import insert

LEASE = timedelta(minutes=4)
"""Longer than a call of Slack's Web API takes with all that it is tried again."""


class ReportBusyError(SwitchboardError):
    """Another process is posting this part just now, or died while it did so less than the lease ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part ("message", "table", "csv") of a report in a channel."""

    report: str
    channel: str
    name: str

    @property
    def id(self) -> str:
        """What its message is known by, whatever process posted it."""
        return f"{self.report}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to post a part. `ts`: where it stands, "" where it is still to be posted. `since`: when somebody
    claimed it first, and may have posted it; None where nobody did before."""

    part: Part
    token: str = ""
    ts: str = ""
    since: datetime | None = None


class PostedReports:
    """The table."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def claim(self, part: Part) -> Claim:
        """The right to post a part, or where it was posted. Raises ReportBusyError."""
        table, now, token = posted_reports.c, self._clock(), uuid.uuid4().hex
        key = {"report": part.report, "channel": part.channel, "part": part.name}
        async with self._engine.begin() as connection:
            new = insert(connection, posted_reports).values(**key, claim=token, began_at=now, claimed_at=now)
            if (await connection.execute(new.on_conflict_do_nothing().returning(table.claim))).first():
                return Claim(part=part, token=token)
            row = (await connection.execute(sa.select(posted_reports).where(*_is(part)))).one()
            if row.ts is not None:
                return Claim(part=part, ts=row.ts)
            if abs(now - row.claimed_at) < LEASE:
                raise ReportBusyError(f"{part.id} is being posted in {part.channel} by another process.")
            mine = sa.update(posted_reports).where(*_is(part), table.claim == row.claim)
            taken = await connection.execute(mine.values(claim=token, claimed_at=now).returning(table.claim))
            if taken.first() is None:
                raise ReportBusyError(f"{part.id} was just taken by another process.")
            return Claim(part=part, token=token, since=row.began_at)

    async def confirm(self, claim: Claim, ts: str) -> bool:
        """It stands there now; False where another process had taken the claim over."""
        table: Any = posted_reports.c
        change = sa.update(posted_reports).where(*_is(claim.part), table.claim == claim.token)
        async with self._engine.begin() as connection:
            return (await connection.execute(change.values(ts=ts).returning(table.claim))).first() is not None


def _is(part: Part) -> tuple[sa.ColumnElement[bool], ...]:
    table = posted_reports.c
    return table.report == part.report, table.channel == part.channel, table.part == part.name
