"""A full disk, a second process, and clocks that change."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from house import House, open_house
from structlog.typing import EventDict

from bot.config import Report, Settings
from bot.storage.one_writer import OneWriter
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver

ROOT = Path(__file__).resolve().parents[3]
ROLL_BACK = f"{SWITCHBOARD} How do I roll back a release?"


@contextmanager
def full_disk(engine: OneWriter) -> Iterator[None]:
    """SQLite's own limit ends in the same error as a disk without room."""

    def begin(connection: Any) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    def end(connection: Any) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count=1073741823")

    both = (engine.sync_engine, engine._direct)
    for each in both:
        sa.event.listen(each, "begin", begin)
    yield
    for each in both:
        sa.event.remove(each, "begin", begin)
        sa.event.listen(each, "begin", end)


async def test_what_comes_while_the_disk_is_full_is_answered_when_there_is_room(
    tmp_path: Path, models_dir: Path, lines: list[EventDict]
) -> None:
    async with open_house(tmp_path, models_dir, mode="http") as house, house.person() as maya:
        url = f"{house.app.url}/slack/events"
        await maya.control("set_delivery", mode="http", events_url=url, retry_seconds=[0, 0, 0])
        padding = " It is release 4711." * 500  # more than there is room for in a page that is begun
        assert isinstance(house.app.core.engine, OneWriter)
        with full_disk(house.app.core.engine):
            ts = await maya.post("C0HELP", ROLL_BACK + padding)
            await maya.quiet()
            await maya.command("/ask", f"How do I roll back a release?{padding}", channel="C0HELP")
            told = await maya.wait_for_ephemeral("C0HELP", lambda m: "I could not keep your request" in m["text"])
        (not_kept,) = [line for line in lines if line["event"] == "interaction_not_kept"]
        assert f"(reference {not_kept['reference']})" in told["text"]
        assert not_kept["problem"] == "database or disk is full"
        (event,) = await maya.sent("app_mention")
        refused = [line for line in lines if line["event"] == "event_not_kept"]
        assert event["event_id"] in {line["event_id"] for line in refused}
        await maya.control("redeliver", event_id=event["event_id"], times=1)
        reply = await maya.wait_for_reply("C0HELP", ts)
        assert "robot deploy rollback" in reply["text"]


async def test_a_second_bot_on_the_same_data_says_so_and_exits(house: House, tmp_path: Path, models_dir: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "SWITCHBOARD_"))}
    env |= {"SWITCHBOARD_DATA_DIR": str(tmp_path / "data"), "SWITCHBOARD_MODELS_DIR": str(models_dir)}
    env |= {"SWITCHBOARD_WORKSPACE__PORT": "0", "PYTHONPATH": str(ROOT)}
    second = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "run", cwd=tmp_path, env=env, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(60):
        _, told = await second.communicate()
    assert second.returncode == 1
    assert f"(process {os.getpid()}) is using the data folder" in told.decode()
    assert "Traceback" not in told.decode()
    async with house.person() as maya:
        ts = await maya.post("C0HELP", ROLL_BACK)
        assert "robot deploy rollback" in (await maya.wait_for_reply("C0HELP", ts))["text"]


@pytest.mark.parametrize(
    ("down", "up"),
    [
        (datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 10, 25, 0, 45, tzinfo=UTC)),
        (datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 3, 29, 1, 45, tzinfo=UTC)),
    ],
    ids=["an hour twice", "an hour never"],
)
async def test_a_report_at_an_hour_that_clocks_change_comes_once(
    tmp_path: Path, models_dir: Path, lines: list[EventDict], down: datetime, up: datetime
) -> None:
    async with Workspace(port=0) as workspace, Driver(workspace.url, timeout=20) as maya:
        async with reporting(workspace, tmp_path, models_dir, down):
            pass
        for now in (up, up.replace(hour=up.hour + 1)):
            async with reporting(workspace, tmp_path, models_dir, now):
                await maya.wait_for_message("C0REPORTS", lambda m: m["text"].startswith("No model was called"))
    assert len(workspace.state.channels["C0REPORTS"].messages) == 1
    done = [line for line in lines if line["event"] == "job_done" and line["job"] == "report"]
    assert [len(line["correlation_id"]) for line in done] == [12]


@asynccontextmanager
async def reporting(workspace: Workspace, folder: Path, models_dir: Path, now: datetime) -> AsyncIterator[ConnectedBot]:
    """The bot at one moment, with a report due at half past two on Sundays in Berlin."""
    report = Report(channel="C0REPORTS", schedule="30 2 * * sun", time_zone="Europe/Berlin")
    settings = Settings(data_dir=folder / "data", models_dir=models_dir, report=report)
    async with connected_bot(workspace, settings, clock=lambda: now) as bot:
        yield bot
