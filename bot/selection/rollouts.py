"""Roll-outs: how far a model has come on its way from the shadow to all questions that it is best for.

    shadow ─► canary ─► full        any of them ─► rolled back ─► shadow        any ─► retired

In the shadow it answers nobody; as a canary it answers a share of the questions that it would be chosen for; at the
last stage all but a few, so that a drop is seen still. A model without a roll-out is chosen as the selector likes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.audit import Action, Change, record
from bot.errors import RolloutMoved, UnusableWords
from bot.selection.draws import lot
from bot.storage.rollout_tables import rollout_questions, rollout_shares, rollouts
from bot.storage.upsert import insert

EVERYWHERE = ""
"""Stands for a channel where a share holds in all that have none of their own."""
FULL_SHARE = 0.95
"""At the last stage one question in twenty goes on without the model: what it is compared with."""


class Stage(StrEnum):
    """How far a model has come."""

    SHADOW = "shadow"
    CANARY = "canary"
    FULL = "full"
    ROLLED_BACK = "rolled_back"
    RETIRED = "retired"

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]

    @property
    def answers(self) -> bool:
        """Whether it answers anybody."""
        return self in (Stage.CANARY, Stage.FULL)


TYPED: Mapping[str, Stage] = {
    "shadow": Stage.SHADOW,
    "canary": Stage.CANARY,
    "full": Stage.FULL,
    "back": Stage.ROLLED_BACK,
    "retire": Stage.RETIRED,
}
"""What people type for each stage."""
_WORDS: Mapping[Stage, str] = {
    Stage.SHADOW: "in the shadow",
    Stage.CANARY: "a canary",
    Stage.FULL: "everywhere",
    Stage.ROLLED_BACK: "rolled back",
    Stage.RETIRED: "retired",
}
_NEXT: Mapping[Stage, frozenset[Stage]] = {
    Stage.SHADOW: frozenset({Stage.CANARY, Stage.ROLLED_BACK, Stage.RETIRED}),
    Stage.CANARY: frozenset({Stage.CANARY, Stage.FULL, Stage.SHADOW, Stage.ROLLED_BACK, Stage.RETIRED}),
    Stage.FULL: frozenset({Stage.CANARY, Stage.ROLLED_BACK, Stage.RETIRED}),
    Stage.ROLLED_BACK: frozenset({Stage.SHADOW, Stage.RETIRED}),
    Stage.RETIRED: frozenset({Stage.SHADOW}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One model's. `shares` (0 to 1) by channel as a canary; `step` counts the changes, from 1."""

    model: str
    stage: Stage
    step: int
    by: str
    at: datetime
    why: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)

    def share(self, channel: str) -> float:
        """Of the questions of a channel that it would be chosen for: those that it answers."""
        if self.stage is Stage.FULL:
            return FULL_SHARE
        if self.stage is not Stage.CANARY:
            return 0.0
        return self.shares.get(channel, self.shares.get(EVERYWHERE, 0.0))

    def draws(self, question_id: str, channel: str) -> bool:
        """Whether a question is among the share; every process says the same, at any time and stage."""
        return lot(f"rollout {self.model}", question_id) < self.share(channel)

    @property
    def held(self) -> str:
        """Why it does not answer a question that is not drawn, as a sentence."""
        match self.stage:
            case Stage.SHADOW:
                return f"“{self.model}” is tried in the shadow: it answers nobody yet."
            case Stage.ROLLED_BACK:
                return f"“{self.model}” was rolled back{f': {self.why}' if self.why else '.'}"
            case Stage.RETIRED:
                return f"“{self.model}” is retired."
        return f"“{self.model}” answers a share of the questions while it is rolled out, and this is not among them."


class Rollouts:
    """The roll-outs in SQL."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock

    async def all(self) -> tuple[Rollout, ...]:
        """Every one, by the model's name."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(sa.select(rollouts).order_by(rollouts.c.model))).all()
            shares = (await connection.execute(sa.select(rollout_shares))).all() if rows else ()
        return tuple(_rollout(row, shares) for row in rows)

    async def of(self, model: str) -> Rollout | None:
        """The one of a model, by the name of its card."""
        return next((rollout for rollout in await self.all() if rollout.model == model), None)

    async def begin(self, model: str, *, by: str, why: str = "") -> Rollout:
        """The model is in the shadow from now on; one that has a roll-out keeps it as it is."""
        async with self._engine.begin() as connection:
            values = self._values(Stage.SHADOW, 1, by, why)
            begun = insert(connection, rollouts).values(model=model, **values).on_conflict_do_nothing()
            if (await connection.execute(begun.returning(rollouts.c.model))).first() is not None:
                await self._record(connection, model, None, Stage.SHADOW, by, why)
        found = await self.of(model)
        assert found is not None, "it was written just now, and nothing takes one away"
        return found

    async def move(
        self, seen: Rollout, to: Stage, *, by: str, why: str = "", shares: Mapping[str, float] | None = None
    ) -> Rollout:
        """Takes a model to another stage. `seen`: the roll-out as whoever decides has seen it; `shares`: of a canary,
        added to those that it has.

        Raises RolloutMoved where somebody else changed it meanwhile, UnusableWords where that stage does not follow.
        """
        if to not in _NEXT[seen.stage]:
            ways = ", ".join(stage.words for stage in Stage if stage in _NEXT[seen.stage])
            raise UnusableWords(f"“{seen.model}” is {seen.stage.words}; next it can be: {ways}.")
        values = self._values(to, seen.step + 1, by, why)
        change = sa.update(rollouts).where(rollouts.c.model == seen.model, rollouts.c.step == seen.step)
        async with self._engine.begin() as connection:
            if not (await connection.execute(change.values(**values))).rowcount:
                raise RolloutMoved(seen.model)
            if to is not Stage.CANARY:
                await connection.execute(sa.delete(rollout_shares).where(rollout_shares.c.model == seen.model))
            for channel, share in (shares or {}).items():
                row = insert(connection, rollout_shares).values(model=seen.model, channel=channel, share=share)
                await connection.execute(
                    row.on_conflict_do_update(index_elements=["model", "channel"], set_={"share": share})
                )
            await self._record(connection, seen.model, seen.stage, to, by, why, shares)
        found = await self.of(seen.model)
        assert found is not None, "it was written just now, and nothing takes one away"
        return found

    async def note(self, question_id: str, rollout: Rollout, *, drawn: bool) -> None:
        """Keeps that a model was chosen for a question and, where it was not `drawn`, had to leave it to others; a
        question that is asked again stays where it is."""
        values = {"question_id": question_id, "model": rollout.model, "step": rollout.step, "drawn": drawn}
        async with self._engine.begin() as connection:
            row = insert(connection, rollout_questions).values(**values)
            await connection.execute(row.on_conflict_do_nothing())

    def _values(self, stage: Stage, step: int, by: str, why: str) -> dict[str, object]:
        return {
            "stage": stage.value,
            "step": step,
            "changed_by": by,
            "changed_at": self._clock(),
            "reason": why or None,
        }

    async def _record(
        self,
        connection: AsyncConnection,
        model: str,
        before: Stage | None,
        after: Stage,
        by: str,
        why: str,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        told = "".join(f", {share:.0%} of {channel or 'all channels'}" for channel, share in (shares or {}).items())
        change = Change(
            action=Action.ROLLED_OUT,
            subject=f"model {model}",
            before=before.words if before else "",
            after=after.words + told,
            reason=why,
        )
        await record(connection, change, by=by, at=self._clock())


def _rollout(row: sa.Row[tuple[object, ...]], shares: Sequence[sa.Row[tuple[object, ...]]]) -> Rollout:
    return Rollout(
        model=row.model,
        stage=Stage(row.stage),
        step=row.step,
        by=row.changed_by,
        at=row.changed_at,
        why=row.reason or "",
        shares={each.channel: each.share for each in shares if each.model == row.model},
    )
