"""Who chooses: the shipped estimates, the learned policy or the best fixed way; and every change of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.domain import StrategyName
from bot.errors import UnknownEntry
from bot.learning.experience import Way, named
from bot.learning.kept import Kept
from bot.storage.tables import promotions

LEAST_GOLDEN = 30
"""With fewer golden questions nothing can be told, and the shipped estimates choose."""
GAIN = "gain"
GAIN_VERSION = 1

State = Literal["estimates", "learned", "best fixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """What the learned policy gains in utility over always taking `best`: the mean, and `least`, its one-sided 95%
    lower bound. `n` of `source` ("golden questions", "judged answers"). `evidence` names what it was reckoned from."""

    mean: float
    least: float
    n: int
    source: str
    best: Way
    evidence: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = {name: getattr(self, name) for name in ("mean", "least", "n", "source", "evidence")}
        return {**plain, "best": [self.best[0].value, self.best[1]]}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Gain:
        """What `to_json` made plain."""
        strategy, model = plain["best"]
        return cls(**{**plain, "best": (StrategyName(strategy), model)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change: from `at` on `state` holds, with `best` as the best fixed way. `by`: a job or a person.
    `undoes`: the entry that this one undoes. `undone_by` and `undone_at`: by whom and when it was undone itself."""

    id: int
    at: datetime
    state: State
    best: Way | None
    why: str
    by: str
    undoes: int | None
    undone_by: str | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Who chooses now, and on what that rests. `golden`: how many golden questions were evaluated. `entry`: the change
    that holds, None before the first. `gone`: whether the model of the best fixed way cannot be called any more."""

    state: State = "estimates"
    best: Way | None = None
    gain: Gain | None = None
    golden: int = 0
    entry: Entry | None = None
    off: bool = False
    gone: bool = False

    @property
    def sentence(self) -> str:
        """For doctor, Home and the weekly report."""
        if self.off:
            return "Learning is off (selection.learning), so the shipped estimates choose."
        undone = "" if self.entry is None or self.entry.undoes is None else f" {self._undone(self.entry)}"
        if self.state == "estimates" and undone:
            return f"The shipped estimates choose.{undone}"
        if self.state == "estimates":
            return f"Not yet measured on your questions: the shipped estimates choose.{self._missing()}"
        if self.state == "best fixed" and self.best is not None and self.gone:
            return (
                f"No difference worth routing for, but “{self.best[1]}” of the best fixed way ({named(self.best)}) "
                f"cannot be called now: the shipped estimates choose. `switchboard evaluate` finds another one.{undone}"
            )
        if self.state == "best fixed" and self.best is not None:
            return f"No difference worth routing for: everything goes to {named(self.best)}.{undone}"
        if self.gain is None:
            return f"Learning is used.{undone}"
        return f"Learning is used: {_gained(self.gain)}.{undone}"

    def _missing(self) -> str:
        if self.golden >= LEAST_GOLDEN:
            return f" {self.golden} golden questions are evaluated, but in too few groups to hold some of them out."
        return f" {self.golden} of at least {LEAST_GOLDEN} golden questions are evaluated."

    @staticmethod
    def _undone(entry: Entry) -> str:
        return f"Entry {entry.undoes} was undone, which holds until there are new numbers."


class Promotions:
    """The entries in SQL; the newest holds."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._kept = Kept(engine)

    async def entries(self) -> tuple[Entry, ...]:
        """All changes, the newest first."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(sa.select(promotions).order_by(promotions.c.id.desc()))
            return tuple(_entry(row) for row in rows)

    async def standing(self) -> Standing:
        """Who chooses now."""
        newest = next(iter(await self.entries()), None)
        plain = await self._kept.get(GAIN, GAIN_VERSION)
        gain = Gain.from_json(plain) if plain else None
        if newest is None:
            return Standing(gain=gain)
        return Standing(state=newest.state, best=newest.best, gain=gain, entry=newest)

    async def consider(self, gain: Gain | None, by: str) -> Entry | None:
        """Promotes or demotes by new numbers; gives the change, None where all stays as it is.

        The same evidence is considered once. None as a gain (not enough was measured) changes nothing.
        """
        before = await self.standing()
        if gain is None or (before.gain is not None and before.gain.evidence == gain.evidence):
            return None
        await self._kept.put(GAIN, GAIN_VERSION, self._clock(), gain.to_json())
        state: State = "learned" if gain.least > 0 else "best fixed"
        if state == before.state and (state == "learned" or gain.best == before.best):
            return None
        why = f"The choice by question gains {_gained(gain)}."
        return await self._write(state, gain.best, why, by)

    async def undo(self, id: int, by: str) -> Entry:
        """Makes what held before the newest entry hold again, as an entry of its own, which can be undone as well.

        Raises UnknownEntry where `id` is not the newest.
        """
        entries = await self.entries()
        if not entries:
            raise UnknownEntry("Nothing was promoted or demoted yet, so there is nothing to undo.")
        newest = entries[0]
        if newest.id != id:
            known = any(entry.id == id for entry in entries)
            what = f"Entry {id} was followed by others" if known else f"There is no entry {id}"
            raise UnknownEntry(f"{what}; only the newest can be undone: `switchboard learning undo {newest.id}`.")
        state, best = (entries[1].state, entries[1].best) if len(entries) > 1 else ("estimates", None)
        async with self._engine.begin() as connection:
            change = sa.update(promotions).where(promotions.c.id == id)
            await connection.execute(change.values(undone_by=by, undone_at=self._clock()))
        return await self._write(state, best, f"Entry {id} was undone.", by, undoes=id)

    async def _write(self, state: State, best: Way | None, why: str, by: str, undoes: int | None = None) -> Entry:
        values = {"at": self._clock(), "state": state, "why": why, "by": by, "undoes": undoes}
        way = {} if best is None else {"strategy": best[0].value, "model": best[1]}
        before = (await self.standing()).state
        action = Action.PROMOTED if undoes is None else Action.PROMOTION_UNDONE
        change = Change(action=action, subject="who chooses", before=before, after=state, reason=why)
        async with self._engine.begin() as connection:
            await connection.execute(promotions.insert().values(**values, **way))
            await record(connection, change, by=by, at=self._clock())
        return (await self.entries())[0]


def _entry(row: sa.Row[tuple[object, ...]]) -> Entry:
    best = (StrategyName(row.strategy), row.model) if row.strategy else None
    rest = {name: getattr(row, name) for name in ("id", "at", "state", "why", "by", "undoes", "undone_by", "undone_at")}
    return Entry(best=best, **rest)


def _gained(gain: Gain) -> str:
    least = "at least" if gain.least > 0 else "at worst"
    over = f"over always {named(gain.best)}, on {gain.n:,} {gain.source}"
    return f"{_points(gain.mean)} ({least} {_points(gain.least)}) {over}"


def _points(value: float) -> str:
    """Signed, with as many digits as it takes to see that it is not 0."""
    text = f"{value:+.2f}" if abs(value) >= 0.005 or value == 0 else f"{value:+.4f}"
    return text.replace("-", "−")
