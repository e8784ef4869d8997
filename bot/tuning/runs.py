"""Training runs in SQL: what was ordered, how far each has come, and which process leads it."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.errors import UnusableTraining
from bot.storage.tuning_run_tables import tuning_runs, tuning_steps
from bot.storage.upsert import insert
from bot.tuning.tuner import ENDED, Look, Parameters, State, Step
from bot.worker import Worker, dead

LAST = "last"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as it is kept. Costs in US dollars, None where unknown; see the table for the others."""

    id: str
    tuner: str
    dataset: str
    base: str
    parameters: Mapping[str, Any]
    state: State
    job: str | None
    result: str | None
    problem: str | None
    ordered_by: str
    ordered_at: datetime
    ended_at: datetime | None
    held: Decimal | None
    cost: Decimal | None
    tokens: int | None
    withdrawn_at: datetime | None
    card: Mapping[str, Any] | None
    registered_at: datetime | None
    retired_at: datetime | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self.state in ENDED

    @property
    def asked_with(self) -> Parameters:
        """Its parameters; `command`, where it has one, stands beside them."""
        known = {name: value for name, value in self.parameters.items() if name in Parameters.__slots__}
        return Parameters(**known)


class Runs:
    """The runs that were kept."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def order(
        self,
        *,
        tuner: str,
        dataset: str,
        base: str,
        parameters: Mapping[str, Any],
        held: Decimal | None,
        by: str,
        at: datetime,
        state: State = "ordered",
        result: str | None = None,
    ) -> Run:
        """Keeps a run before anything of it is begun."""
        values: dict[str, Any] = {
            "id": secrets.token_hex(4),
            "tuner": tuner,
            "dataset": dataset,
            "base": base,
            "state": state,
        }
        values |= {"parameters": dict(parameters), "held": held, "ordered_by": by, "ordered_at": at}
        ended = at if state in ENDED else None
        async with self._engine.begin() as connection:
            await connection.execute(tuning_runs.insert().values(**values, result=result, ended_at=ended))
            change = Change(action=Action.TRAINING_ORDERED, subject=f"run {values['id']}", after=f"{tuner}, {base}")
            await record(connection, change, by=by, at=at)
        return await self.find(str(values["id"]))

    async def all(self) -> list[Run]:
        """Every run, newest first."""
        query = sa.select(tuning_runs).order_by(tuning_runs.c.ordered_at.desc(), tuning_runs.c.id)
        async with self._engine.connect() as connection:
            return [_run(row) for row in await connection.execute(query)]

    async def find(self, typed: str) -> Run:
        """The run whose id begins so; "last" is the newest. Raises UnusableTraining."""
        known = await self.all()
        found = known[:1] if typed == LAST else [one for one in known if typed and one.id.startswith(typed)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnusableTraining(f"{len(found)} runs begin with “{typed}”. Write more of the id.")
        names = ", ".join(one.id for one in known[:5]) or "none yet; `switchboard tune run` begins one"
        raise UnusableTraining(f"There is no training run “{typed}”. There are: {names}.")

    async def steps(self, run: str) -> dict[int, Step]:
        """The figures of a run by their step."""
        query = sa.select(tuning_steps).where(tuning_steps.c.run == run).order_by(tuning_steps.c.step)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query)
            return {row.step: Step(row.figures, row.checkpoint or "") for row in rows}

    async def claim(self, run: str, worker: Worker) -> bool:
        """Takes the lead of a run that has not ended; False where a living process has it."""
        free = dead(tuning_runs.c.worker) | (tuning_runs.c.worker == worker.id)
        mine = (tuning_runs.c.id == run, tuning_runs.c.state.not_in(ENDED), free)
        async with self._engine.begin() as connection:
            await connection.run_sync(worker.bury)
            taken = await connection.execute(sa.update(tuning_runs).where(*mine).values(worker=worker.id))
            return taken.rowcount == 1

    async def begun(self, run: str, job: str) -> None:
        """What the job is called where it is trained."""
        await self._set(run, job=job, state="running")

    async def keep(self, run: str, look: Look) -> None:
        """How far it has come. Figures of a step that is there are renewed: a run that went on from a checkpoint goes
        through some of them again. One that is no number is left out: JSON has none such."""
        async with self._engine.begin() as connection:
            for number, step in look.steps.items():
                figures = {name: value for name, value in step.figures.items() if math.isfinite(value)}
                values = {"figures": figures, "checkpoint": step.checkpoint or None}
                statement = insert(connection, tuning_steps).values(run=run, step=number, **values)
                await connection.execute(statement.on_conflict_do_update(index_elements=["run", "step"], set_=values))
            problem = {"problem": look.problem or None}
            await connection.execute(sa.update(tuning_runs).where(tuning_runs.c.id == run).values(**problem))

    async def end(self, run: str, look: Look, *, cost: Decimal | None, at: datetime, by: str) -> None:
        """It has ended, with its entry in the audit log."""
        values: dict[str, Any] = {"state": look.state, "result": look.result or None, "problem": look.problem or None}
        values |= {"cost": cost, "tokens": look.tokens, "ended_at": at, "worker": None}
        async with self._engine.begin() as connection:
            first = (tuning_runs.c.id == run, tuning_runs.c.state.not_in(ENDED))
            done = await connection.execute(sa.update(tuning_runs).where(*first).values(**values))
            if done.rowcount:
                change = Change(action=Action.TRAINING_ENDED, subject=f"run {run}", after=look.state)
                await record(connection, change, by=by, at=at)

    async def register(self, run: str, card: Mapping[str, Any], *, by: str, at: datetime) -> None:
        """The card under which the catalogue has what came of it. Raises UnusableTraining where it has one already."""
        values = {"card": dict(card), "registered_by": by, "registered_at": at}
        free = (tuning_runs.c.id == run, tuning_runs.c.registered_at.is_(None), tuning_runs.c.state == "succeeded")
        async with self._engine.begin() as connection:
            done = await connection.execute(sa.update(tuning_runs).where(*free).values(**values))
            if not done.rowcount:
                raise UnusableTraining(f"The run {run} is registered already, or has not succeeded.")
            change = Change(action=Action.MODEL_REGISTERED, subject=f"run {run}", after=str(card["name"]))
            await record(connection, change, by=by, at=at)

    async def retire(self, run: str, *, by: str, at: datetime, reason: str = "") -> None:
        """Takes its model out of the catalogue. Raises UnusableTraining where it is not in it."""
        there = (tuning_runs.c.id == run, tuning_runs.c.registered_at.is_not(None), tuning_runs.c.retired_at.is_(None))
        async with self._engine.begin() as connection:
            values = {"retired_by": by, "retired_at": at}
            done = await connection.execute(sa.update(tuning_runs).where(*there).values(**values))
            if not done.rowcount:
                raise UnusableTraining(f"The run {run} has no model in the catalogue, so there is nothing to retire.")
            change = Change(action=Action.MODEL_RETIRED, subject=f"run {run}", reason=reason)
            await record(connection, change, by=by, at=at)

    async def _set(self, run: str, **values: Any) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(tuning_runs).where(tuning_runs.c.id == run).values(**values))


def _run(row: Any) -> Run:
    return Run(**{name: getattr(row, name) for name in Run.__slots__})
