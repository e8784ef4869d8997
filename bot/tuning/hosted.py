"""Training at a server that sells it, by OpenAI's jobs API.

A job is begun once and paid once, whatever is killed when: its file is named by the run, the job carries the run's id,
and both are looked for before anything is created.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from bot.errors import ModelError, UnusableTraining
from bot.models.tuning_jobs import Event, Job
from bot.tuning.row import FILES, Part
from bot.tuning.tuner import Look, Order, State, Step

SILENT = timedelta(hours=1)
"""After so long without a word of the server it is told that nothing comes."""
_STATES: dict[str, State] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "expired": "expired",
}


class Jobs(Protocol):
    """What is asked of a server; `bot.models.tuning_jobs.TuningJobs` does it."""

    async def upload(self, file: Any, name: str) -> str: ...
    async def find(self, run: str, training_file: str) -> str | None: ...
    async def create(
        self, run: str, training_file: str, validation_file: str | None, *, method: dict[str, Any], seed: int
    ) -> str: ...
    async def job(self, id: str) -> Job | None: ...
    async def events(self, id: str) -> list[Event]: ...
    async def checkpoints(self, id: str) -> dict[int, str]: ...
    async def cancel(self, id: str) -> None: ...


class HostedTuner:
    """See `bot.tuning.tuner.Tuner`."""

    def __init__(self, jobs: Jobs, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._jobs = jobs
        self._clock = clock

    async def begin(self, order: Order, job: str | None) -> str:
        """The server's id of the job."""
        if job is not None:
            return job
        if order.parameters.method == "full":
            raise UnusableTraining("Servers tune with adapters of their own: leave out `--method full`.")
        part: Part = "preferences" if order.parameters.objective == "dpo" else "train"
        training = await self._upload(order, part)
        if training is None:
            raise UnusableTraining(f"The data set has no rows for {order.parameters.objective.upper()}.")
        if (known := await self._jobs.find(order.run, training)) is not None:
            return known
        held_out = await self._upload(order, "validation") if part == "train" else None
        settings = {"hyperparameters": {"n_epochs": order.parameters.epochs, "batch_size": order.parameters.batch}}
        kind = "dpo" if order.parameters.objective == "dpo" else "supervised"
        method = {"type": kind, kind: settings}
        return await self._jobs.create(order.run, training, held_out, method=method, seed=order.parameters.seed)

    async def look(self, order: Order, job: str) -> Look:
        """What the server tells."""
        seen = await self._jobs.job(job)
        if seen is None:
            return Look(state="expired", problem=f"The server does not know the job {job} any more.")
        state = _STATES.get(seen.status, "running")
        events = await self._jobs.events(job)
        steps = await self._steps(job, events)
        return Look(
            state=state, steps=steps, result=seen.model, tokens=seen.tokens, problem=self._problem(seen, state, events)
        )

    async def cancel(self, order: Order, job: str) -> None:
        """Asks for its end; one that has ended already stays as it is."""
        try:
            await self._jobs.cancel(job)
        except ModelError:
            seen = await self._jobs.job(job)
            if seen is not None and seen.status not in _STATES:
                raise

    async def _upload(self, order: Order, part: Part) -> str | None:
        file = order.data / FILES[part]
        if not file.is_file() or not file.stat().st_size:
            return None
        return await self._jobs.upload(file, f"switchboard-{order.run}-{FILES[part]}")

    async def _steps(self, job: str, events: list[Event]) -> dict[int, Step]:
        steps = {event.step: Step(event.figures) for event in events if event.step is not None}
        for number, model in (await self._jobs.checkpoints(job)).items():
            steps[number] = Step(steps[number].figures if number in steps else {}, model)
        return steps

    def _problem(self, seen: Job, state: State, events: list[Event]) -> str:
        if state == "failed":
            return seen.error or "The server says that the job failed, and not why."
        if state == "expired":
            return "The server gave the job up before it began."
        if state == "running" and events:
            last = datetime.fromtimestamp(events[-1].at, UTC)
            if self._clock() - last > SILENT:
                return (
                    f"The server has said nothing since {last:%Y-%m-%d %H:%M} UTC. It may go on yet; "
                    f"`switchboard tune cancel` ends it."
                )
        return ""
