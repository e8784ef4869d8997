"""Has MLflow follow training runs. One that is away holds no training up: what it lacks is sent later, or said."""

from __future__ import annotations

import time
from collections.abc import Callable

from bot.errors import TrackingFailed
from bot.tuning.datasets import Datasets
from bot.tuning.mlflow import Mlflow
from bot.tuning.runs import Runs

PAUSE = 60.0
"""Seconds that a server which failed is left alone."""


class Tracking:
    """`tell` gets a sentence when the server fails, and one when it is there again."""

    def __init__(
        self,
        server: Mlflow,
        runs: Runs,
        datasets: Datasets,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._runs = runs
        self._datasets = datasets
        self._tell = tell
        self._clock = clock
        self._failed_at: float | None = None

    async def follow(self, id: str) -> None:
        """Sends what is new of a run, unless the server failed a moment ago."""
        if self._failed_at is None or self._clock() - self._failed_at >= PAUSE:
            await self._send(id)

    async def finish(self, id: str) -> None:
        """Sends what still lacks of a run that has ended, or says that it lacks."""
        if not await self._send(id):
            self._tell(f"MLflow lacks some of the run {id}: `switchboard tune resume {id}` sends it.")

    async def _send(self, id: str) -> bool:
        run = await self._runs.find(id)
        try:
            await self._server.send(run, await self._runs.steps(id), await self._datasets.find(run.dataset))
        except TrackingFailed as error:
            if self._failed_at is None:
                self._tell(f"{error} Training goes on.")
            self._failed_at = self._clock()
            return False
        if self._failed_at is not None:
            self._tell("MLflow is there again, and has what it lacked.")
            self._failed_at = None
        return True
