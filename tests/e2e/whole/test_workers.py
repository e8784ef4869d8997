"""Bots that hand the work by the clock to workers, on one PostgreSQL."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from chroma_server import OwnChroma
from connected_bot import connected_bot
from house import free_port
from pydantic import SecretStr
from rich.console import Console
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import working
from bot.config import Folder, Jobs, Knowledge, Metrics, Report, Settings, Storage
from bot.errors import ConfigError
from bot.secrets import SlackSecrets
from bot.storage.tables import job_runs
from bot.working import open_worker
from deploy.workspace import APP_TOKEN, BOT_TOKEN, Workspace

SECRETS = SlackSecrets(SecretStr(BOT_TOKEN), SecretStr(APP_TOKEN), None)
PATIENT = 60


@pytest.fixture
def settings(tmp_path: Path, models_dir: Path, postgres_engine: AsyncEngine) -> Settings:
    folders = []
    for name, text in (("handbook", "# Holidays\n\nEveryone has 30 days."), ("runbook", "# Keys\n\nIn the safe.")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.md").write_text(text, encoding="utf-8")
        folders.append(Folder(path=tmp_path / name))
    return Settings(
        data_dir=tmp_path / "bot",
        models_dir=models_dir,
        storage=Storage(url=SecretStr(postgres_engine.url.render_as_string(hide_password=False))),
        knowledge=Knowledge(folders=tuple(folders)),
        report=Report(channel="C0REPORTS"),
        jobs=Jobs(workers=True),
    )


def _of_worker(settings: Settings, workspace: Workspace, number: int) -> Settings:
    slack = settings.slack.model_copy(update={"base_url": workspace.api_url})
    return settings.model_copy(update={"slack": slack, "data_dir": settings.data_dir.parent / f"worker-{number}"})


async def _ended(engine: AsyncEngine, jobs: set[str]) -> dict[str, str | None]:
    """Waits until all of these have run; gives what went wrong with each."""
    query = sa.select(job_runs.c.job, job_runs.c.problem).where(
        job_runs.c.job.in_(jobs), job_runs.c.finished_at.is_not(None)
    )
    async with asyncio.timeout(PATIENT):
        while True:
            async with engine.connect() as connection:
                found = {row.job: row.problem for row in await connection.execute(query)}
            if found.keys() == jobs:
                return found
            await asyncio.sleep(0.05)


async def test_what_a_bot_hands_over_at_its_start_two_workers_do_source_by_source(
    settings: Settings, postgres_engine: AsyncEngine
) -> None:
    workspace = Workspace(port=0)
    async with workspace, connected_bot(workspace, settings) as bot:
        assert [status.documents for status in await bot.core.knowledge.status()][:2] == [0, 0]
        watched = _of_worker(settings, workspace, 1).model_copy(update={"metrics": Metrics(port=free_port())})
        probes = f"http://127.0.0.1:{watched.metrics.port}"
        async with (
            open_worker(watched, SECRETS) as first,
            open_worker(_of_worker(settings, workspace, 2), SECRETS) as second,
        ):
            async with aiohttp.ClientSession() as session, session.get(f"{probes}/readyz") as response:
                assert (response.status, (await response.json())["services"]["queue"]["ok"]) == (200, True)
            async with aiohttp.ClientSession() as session, session.get(f"{probes}/metrics") as response:
                assert "switchboard_inbox_waiting 0.0" in await response.text()
            ended = await _ended(postgres_engine, {"refresh", "refresh handbook", "refresh runbook"})
            assert set(ended.values()) == {None}
            assert not first.done()
            assert not second.done()
        assert [status.documents for status in await bot.core.knowledge.status()][:2] == [1, 1]


async def test_a_worker_says_how_the_chroma_server_is_and_is_ready_without_it(
    settings: Settings, own_chroma: OwnChroma
) -> None:
    own_chroma.start()
    knowledge = settings.knowledge.model_copy(update={"chroma": own_chroma.address})
    more = {"metrics": Metrics(port=free_port()), "knowledge": knowledge}

    async def told() -> tuple[int, bool, str]:
        url = f"http://127.0.0.1:{watched.metrics.port}/readyz"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            chroma = (await response.json())["services"]["chroma"]
            return response.status, chroma["ok"], chroma["how"]

    async with Workspace(port=0) as workspace:
        watched = _of_worker(settings, workspace, 1).model_copy(update=more)
        async with open_worker(watched, SECRETS):
            assert await told() == (200, True, f"The server at {own_chroma.address} answers.")
            own_chroma.kill()
            status, ok, how = await told()
            assert (status, ok) == (200, False)
            assert "cannot be reached" in how


async def test_a_worker_without_work_for_it_says_what_to_set(settings: Settings) -> None:
    alone = settings.model_copy(update={"jobs": Jobs()})
    with pytest.raises(ConfigError, match=r"Set jobs\.workers = true"):
        async with open_worker(alone, SECRETS):
            pass


async def test_a_worker_ends_when_it_is_told_to(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", BOT_TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", APP_TOKEN)
    async with Workspace(port=0) as workspace:
        stop = asyncio.Event()
        stop.set()
        await working.work(_of_worker(settings, workspace, 1), Console(), stop)
    assert "This worker is ready" in capsys.readouterr().out
