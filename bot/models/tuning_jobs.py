"""The fine-tuning jobs of a server that speaks OpenAI's protocol: OpenAI itself, Azure, and others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI, NotFoundError
from pydantic import SecretStr

from bot.errors import ModelError
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.client import Timeouts, open_client
from bot.models.faults import SERVER_FAULTS, Faults

RUN = "switchboard_run"
"""Under this name a job carries the id of its run."""
_MOST_JOBS = 1_000
_TIMEOUTS = Timeouts(connect=5.0, first=60.0, total=600.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as its server tells of it. `status` in the server's words; `tokens` that were trained on and are billed."""

    id: str
    status: str
    model: str = ""
    tokens: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: `at` in seconds since 1970; `figures` where it tells of a step."""

    at: float
    message: str
    step: int | None
    figures: dict[str, float]


class TuningJobs:
    """Files and jobs of one server. Everything raises ModelError where the server cannot be reached or refuses."""

    def __init__(self, card: ModelCard, provider: Provider, key: SecretStr | None) -> None:
        self._client: AsyncOpenAI = open_client(provider, key, _TIMEOUTS)
        self._faults = Faults(card, provider)
        self._model = card.model_id

    async def close(self) -> None:
        """Frees the connection."""
        await self._client.close()

    async def upload(self, file: Path, name: str) -> str:
        """The id of the file at the server; one that was uploaded under this name before is not uploaded again."""
        with self._worded():
            async for known in self._client.files.list(purpose="fine-tune"):
                if known.filename == name:
                    return known.id
            made = await self._client.files.create(file=(name, file.read_bytes()), purpose="fine-tune")
            return made.id

    async def find(self, run: str, training_file: str) -> str | None:
        """The id of the job that was begun for a run; None where there is none."""
        seen = 0
        with self._worded():
            async for job in self._client.fine_tuning.jobs.list(limit=100):
                if (getattr(job, "metadata", None) or {}).get(RUN) == run or job.training_file == training_file:
                    return job.id
                seen += 1
                if seen >= _MOST_JOBS:
                    break
        return None

    async def create(
        self, run: str, training_file: str, validation_file: str | None, *, method: dict[str, Any], seed: int
    ) -> str:
        """Begins a job; the server is told the run's id, so that it is found again."""
        options: dict[str, Any] = {"validation_file": validation_file} if validation_file else {}
        with self._worded():
            job = await self._client.fine_tuning.jobs.create(
                model=self._model,
                training_file=training_file,
                seed=seed,
                suffix=f"sw-{run}",
                metadata={RUN: run},
                method=method,  # type: ignore[arg-type]
                extra_headers={"Idempotency-Key": f"switchboard-{run}"},
                **options,
            )
            return job.id

    async def job(self, id: str) -> Job | None:
        """How it stands; None where the server knows it no more."""
        with self._worded():
            try:
                job = await self._client.fine_tuning.jobs.retrieve(id)
            except NotFoundError:
                return None
        error = job.error.message if job.error and job.error.message else ""
        tokens = job.trained_tokens
        return Job(id=job.id, status=str(job.status), model=job.fine_tuned_model or "", tokens=tokens, error=error)

    async def events(self, id: str) -> list[Event]:
        """All that happened, oldest first."""
        found = []
        with self._worded():
            async for event in self._client.fine_tuning.jobs.list_events(id, limit=100):
                data = event.data if isinstance(event.data, dict) else {}
                figures = {n: float(v) for n, v in data.items() if isinstance(v, int | float) and n != "step"}
                step = data.get("step")
                is_step = isinstance(step, int) and not isinstance(step, bool)
                found.append(
                    Event(
                        at=float(event.created_at),
                        message=event.message,
                        step=step if is_step else None,
                        figures=figures,
                    )
                )
        found.reverse()  # servers list the newest first, and several in a second
        return sorted(found, key=lambda event: event.at)

    async def checkpoints(self, id: str) -> dict[int, str]:
        """The models of the checkpoints by their step; none where the server has no such list."""
        found: dict[int, str] = {}
        with self._worded():
            try:
                async for one in self._client.fine_tuning.jobs.checkpoints.list(id):
                    found[one.step_number] = one.fine_tuned_model_checkpoint
            except NotFoundError:
                return {}
        return found

    async def cancel(self, id: str) -> None:
        """Asks for its end; a job that has ended refuses, which `job` then tells."""
        with self._worded():
            await self._client.fine_tuning.jobs.cancel(id)

    @contextmanager
    def _worded(self) -> Iterator[None]:
        try:
            yield
        except ModelError:
            raise
        except SERVER_FAULTS as error:
            raise self._faults.of(error) from error
