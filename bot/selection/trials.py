"""Trials: for a while another model answers a share of a channel's questions, so that both can be compared there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.domain import Choice, Option, Pin
from bot.selection.draws import lot
from bot.selection.reasons import TRIAL
from bot.storage.evaluation_tables import trial_questions, trials
from bot.storage.upsert import insert

POLICY = "trial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`share` (0 to 1) of what is asked in `channel` goes to `model`. `ends_at` None: until somebody stops it.
    `stopped_by` is "" where it ended by itself or runs still; `ended_at` is None while it runs."""

    id: int
    channel: str
    model: str
    share: float
    by: str
    at: datetime
    why: str = ""
    ends_at: datetime | None = None
    stopped_by: str = ""
    stopped_at: datetime | None = None

    @property
    def pin(self) -> Pin:
        """What it is for a question that is drawn: like the channel's pin."""
        return Pin(scope=TRIAL, model=self.model, by=self.by, at=self.at, why=self.why)

    def runs(self, now: datetime) -> bool:
        """Whether it goes on."""
        return self.stopped_at is None and (self.ends_at is None or now < self.ends_at)

    def draws(self, question_id: str) -> bool:
        """Whether a question is among the share; every process says the same, at any time."""
        return lot(f"trial {self.id}", question_id) < self.share


class Trials:
    """The trials in SQL, one at a time in a channel."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def running(self, channel: str) -> Trial | None:
        """The one that goes on in a channel."""
        query = sa.select(trials).where(trials.c.running == channel)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        found = _trial(row) if row is not None else None
        return found if found is not None and found.runs(self._clock()) else None

    async def last(self, channel: str) -> Trial | None:
        """The newest of a channel, whether it runs or not."""
        query = sa.select(trials).where(trials.c.channel == channel).order_by(trials.c.id.desc()).limit(1)
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return _trial(row) if row is not None else None

    async def all_running(self) -> Sequence[Trial]:
        """Those that go on anywhere."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sa.select(trials).where(trials.c.running.is_not(None)))).all()
        return [trial for row in rows if (trial := _trial(row)).runs(self._clock())]

    async def start(
        self, channel: str, model: str, share: float, *, by: str, reason: str = "", ends_at: datetime | None = None
    ) -> Trial | None:
        """Begins one; None where another one runs in the channel."""
        now = self._clock()
        values = {
            "channel": channel,
            "running": channel,
            "model": model,
            "share": share,
            "reason": reason or None,
            "started_by": by,
            "started_at": now,
            "ends_at": ends_at,
        }
        over = sa.update(trials).where(trials.c.running == channel, trials.c.ends_at <= now).values(running=None)
        async with self._engine.begin() as connection:
            await connection.execute(over)
            begun = insert(connection, trials).values(**values).on_conflict_do_nothing(index_elements=["running"])
            row = (await connection.execute(begun.returning(trials))).first()
            if row is not None:
                after = f"{model} on {share:.0%}"
                change = Change(action=Action.TRIAL_STARTED, subject=f"channel {channel}", after=after, reason=reason)
                await record(connection, change, by=by, at=now)
        return _trial(row) if row is not None else None

    async def stop(self, channel: str, by: str) -> Trial | None:
        """Ends the one that runs; None where none does."""
        now = self._clock()
        goes_on = sa.or_(trials.c.ends_at.is_(None), trials.c.ends_at > now)
        change = sa.update(trials).where(trials.c.running == channel, goes_on)
        change = change.values(running=None, stopped_by=by, stopped_at=now)
        async with self._engine.begin() as connection:
            row = (await connection.execute(change.returning(trials))).first()
            if row is not None:
                ended = Change(action=Action.TRIAL_STOPPED, subject=f"channel {channel}", before=row.model)
                await record(connection, ended, by=by, at=now)
        return _trial(row) if row is not None else None

    async def note(self, question_id: str, trial: Trial, drawn: bool) -> None:
        """Keeps on which side of a trial a question is, for its results; a question that is asked again stays there."""
        values = {"question_id": question_id, "trial": trial.id, "drawn": drawn}
        async with self._engine.begin() as connection:
            await connection.execute(insert(connection, trial_questions).values(**values).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Arm:
    """The side of a trial that one question is on. `others`: the pins that hold on the other side."""

    trial: Trial
    drawn: bool
    others: tuple[Pin, ...]

    @property
    def chance(self) -> float:
        """How likely (0 to 1) a question is to be on this side."""
        return self.trial.share if self.drawn else 1 - self.trial.share


def weighed(choice: Choice, other: Choice, arm: Arm) -> Choice:
    """The choice with the chance that its option had over both sides of a trial; `other` is what would have been chosen
    on the other one. A drawn question is the trial's, so that nothing is learned of who chooses from it."""
    chance = arm.chance * choice.propensity + (1 - arm.chance) * _chance(choice.option, other)
    return replace(choice, propensity=chance, policy=POLICY if arm.drawn else choice.policy)


def _chance(option: Option, choice: Choice) -> float:
    """How likely an option is to be taken in a choice."""
    same = next((o for o in choice.options if (o.strategy, o.model) == (option.strategy, option.model)), None)
    if same is None:
        return 0.0
    if same.chance is not None:
        return same.chance
    return float((choice.option.strategy, choice.option.model) == (option.strategy, option.model))


async def read_trials(engine: AsyncEngine, ids: Collection[int]) -> tuple[Trial, ...]:
    """Trials by their ids, oldest first."""
    query = sa.select(trials).where(trials.c.id.in_(ids)).order_by(trials.c.id)
    async with engine.connect() as connection:
        return tuple(_trial(row) for row in await connection.execute(query))


def _trial(row: sa.Row[tuple[object, ...]]) -> Trial:
    return Trial(
        id=row.id,
        channel=row.channel,
        model=row.model,
        share=row.share,
        by=row.started_by,
        at=row.started_at,
        why=row.reason or "",
        ends_at=row.ends_at,
        stopped_by=row.stopped_by or "",
        stopped_at=row.stopped_at,
    )
