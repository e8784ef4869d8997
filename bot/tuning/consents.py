"""Who lets their words be trained on. The setting says what holds for all, a person what holds for themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.audit import Action, Change, record
from bot.storage.tuning_run_tables import tuning_runs
from bot.storage.tuning_tables import training_consents, tuning_datasets, tuning_rows
from bot.storage.upsert import insert

Rule = Literal["off", "public", "opt-in"]
NOBODY = frozenset({"", "console", "evaluation"})
"""Askers and authors who are no person: the bot itself, the console."""


@dataclass(frozen=True, slots=True)
class Consented:
    """What holds at a moment: the rule, and what persons said of themselves."""

    rule: Rule
    said: Mapping[str, bool]

    def allows(self, person: str) -> bool:
        """Whether that person's words may be trained on, as far as it is theirs to say."""
        if self.rule == "off":
            return False
        return person in NOBODY or self.said.get(person, self.rule == "public")

    @property
    def public_only(self) -> bool:
        """Whether only what was said in public channels may be used."""
        return self.rule == "public"


class Consents:
    """What people said, in SQL. `rule`: the setting `tuning.consent`."""

    def __init__(
        self, engine: AsyncEngine, rule: Rule, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.rule = rule
        self._engine = engine
        self._clock = clock

    async def now(self) -> Consented:
        """What holds now."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(sa.select(training_consents))
            return Consented(self.rule, {row.person: row.allowed for row in rows})

    async def set(self, person: str, allowed: bool, *, by: str) -> int:
        """Keeps what a person says. A withdrawal takes their words out of every data set at once; gives how many rows
        that were. Whatever was trained on those is no longer trained on what people allow."""
        at = self._clock()
        values = {"allowed": allowed, "set_by": by, "set_at": at}
        async with self._engine.begin() as connection:
            statement = insert(connection, training_consents).values(person=person, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["person"], set_=values))
            gone = 0 if allowed else await _take_out(connection, person, at)
            change = Change(
                action=Action.TRAINING_CONSENT,
                subject=f"person {person}",
                after="on" if allowed else "off",
                reason=f"{gone} rows of training data taken out" if gone else "",
            )
            await record(connection, change, by=by, at=at)
        return gone


async def _take_out(connection: AsyncConnection, person: str, at: datetime) -> int:
    theirs = sa.or_(tuning_rows.c.asker == person, tuning_rows.c.author == person)
    sets = sa.select(tuning_rows.c.dataset).where(theirs)
    first = tuning_datasets.c.withdrawn_at.is_(None)
    await connection.execute(
        sa.update(tuning_datasets).where(tuning_datasets.c.id.in_(sets), first).values(withdrawn_at=at)
    )
    trained = tuning_runs.c.withdrawn_at.is_(None) & tuning_runs.c.dataset.in_(sets)
    await connection.execute(sa.update(tuning_runs).where(trained).values(withdrawn_at=at))
    return (await connection.execute(sa.delete(tuning_rows).where(theirs))).rowcount
