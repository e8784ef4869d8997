"""Tests that open the whole bot, over the engines of many machines: `pytest --engines machines tests/e2e/handlers`.

Then each house is a PostgreSQL and a Chroma server, two bots that share Slack's events by Socket Mode, and two workers
that do what is due by the clock. All are wired as their commands wire them and have nothing in common but the engines;
they share the test's process, so that a test can still put a scripted model or an earlier time in their way. The proof
`prove_machines` runs the same as processes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from chroma_server import OwnChroma
from databases import new_database
from pydantic import SecretStr

from bot.config import Jobs, Metrics, Settings, Storage
from bot.core import Core
from bot.secrets import SlackSecrets
from bot.storage.tables import job_runs
from bot.working import open_worker

_COUNTED = "each process counts its own calls and jobs, and another one may have done them"
_LATER = "what a worker learned the bots read five minutes later"
_OTHER = "the other bot takes what this one does not"
_OWN = "it starts workers itself, and sees what is there before"
_LOST = "test_nothing_is_lost.py::test_what_arrive"
NOT_HERE = {
    "test_nothing_is_lost.py::test_an_unexpected_error_reaches_the_person_with_the_reference_of_the_log": _OTHER,
    f"{_LOST}s_once_the_bot_is_ending_is_answered_by_the_next_process": _OTHER,
    f"{_LOST}d_before_the_end_is_answered_before_anything_closes": _OTHER,
    "test_learning.py::test_thumbs_change_what_is_chosen_after_the_night": _LATER,
    "test_metrics.py::test_calls_costs_budgets_and_jobs_are_told_without_a_person_or_a_place": _COUNTED,
    "test_metrics.py::test_a_429_of_slack_and_the_runs_of_jobs_are_counted": _COUNTED,
    "test_workers.py::test_what_a_bot_hands_over_at_its_start_two_workers_do_source_by_source": _OWN,
}
"""Tests of the houses' own that cannot run so, by what their ids end with, each with the reason."""
_PATIENT = 60


@dataclass(slots=True)
class Machines:
    """The engines, with a database for each data folder that was opened."""

    postgres: Path
    chroma: OwnChroma
    _databases: dict[Path, str] = field(default_factory=dict)

    async def settings(self, settings: Settings, number: int) -> Settings:
        """The settings of one of the processes of a house."""
        url = settings.storage.url.get_secret_value()
        if not url.startswith("postgresql"):
            if settings.data_dir not in self._databases:
                engine = await new_database(self.postgres)
                self._databases[settings.data_dir] = engine.url.render_as_string(hide_password=False)
                await engine.dispose()
            url = self._databases[settings.data_dir]
        return settings.model_copy(
            update={
                "data_dir": settings.data_dir.with_name(f"{settings.data_dir.name}-{number}"),
                "storage": Storage(url=SecretStr(url)),
                "knowledge": settings.knowledge.model_copy(update={"chroma": self.chroma.address}),
                "jobs": Jobs(workers=True),
                "metrics": settings.metrics if number == 1 else Metrics(),  # each machine has ports of its own
            }
        )

    @asynccontextmanager
    async def workers(self, settings: Settings, secrets: SlackSecrets) -> AsyncIterator[None]:
        """Two of them."""
        async with AsyncExitStack() as stack:
            for number in (3, 4):
                await stack.enter_async_context(open_worker(await self.settings(settings, number), secrets))
            yield


async def refreshed(cores: Sequence[Core], since: datetime) -> None:
    """Waits until workers have read every source, and every process knows what they read."""
    wanted = {"refresh", *(f"refresh {source.name}" for source in cores[0].knowledge.sources)}
    ended = sa.select(job_runs.c.job).where(job_runs.c.finished_at.is_not(None), job_runs.c.fire_at >= since)
    async with asyncio.timeout(_PATIENT):
        while True:
            async with cores[0].engine.connect() as connection:
                if wanted <= set((await connection.execute(ended)).scalars()):
                    break
            await asyncio.sleep(0.05)
    for core in cores:
        await core.knowledge.check()


_there: list[Machines] = []


def machines() -> Machines | None:
    """The engines, where the tests are to run over them."""
    return _there[0] if _there else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    parser.addoption("--engines", choices=("one", "machines"), default="one", help="what the whole bot runs on")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what cannot run so, by name."""
    if config.getoption("--engines") != "machines":
        return
    for item in items:
        for end, why in NOT_HERE.items():
            if item.nodeid.partition("[")[0].endswith(end):
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(autouse=True, scope="session")
def _engines(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.config.getoption("--engines") == "machines":
        _there.append(Machines(request.getfixturevalue("postgres"), request.getfixturevalue("chroma")))
    yield
    _there.clear()
