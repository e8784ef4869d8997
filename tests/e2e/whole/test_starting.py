"""What keeps the bot from starting is one sentence; what is due by the clock is done."""

from __future__ import annotations

import hashlib
import hmac
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from house import House, free_port, open_house
from pydantic import SecretStr

from bot.app import open_app
from bot.config import Folder, Http, Knowledge, Report, Settings, Slack
from bot.errors import ConfigError
from bot.secrets import SlackSecrets
from bot.storage.tables import inbox, questions
from deploy.workspace import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Workspace
from deploy.workspace.driver import Driver

OVER_A_SOCKET = SlackSecrets(SecretStr(BOT_TOKEN), SecretStr(APP_TOKEN), None)
OVER_HTTP = SlackSecrets(SecretStr(BOT_TOKEN), None, SecretStr(SIGNING_SECRET))
MONDAY = datetime(2026, 11, 16, 9, tzinfo=UTC)


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with Workspace(port=0) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, models_dir: Path, workspace: Workspace) -> Settings:
    (tmp_path / "docs").mkdir()
    return Settings(
        data_dir=tmp_path / "data",
        models_dir=models_dir,
        slack=Slack(base_url=workspace.api_url),
        knowledge=Knowledge(folders=(Folder(path=tmp_path / "docs"),)),
        report=Report(channel="C0REPORTS"),
    )


async def refused(settings: Settings, secrets: SlackSecrets) -> str:
    with pytest.raises(ConfigError) as caught:
        async with open_app(settings, secrets):
            pass
    return str(caught.value)


async def test_a_refused_bot_token_is_named_and_not_shown(settings: Settings) -> None:
    told = await refused(settings, SlackSecrets(SecretStr("xoxb-somebody-else"), SecretStr(APP_TOKEN), None))
    assert told.startswith("Slack refused the bot token: invalid_auth. Copy SLACK_BOT_TOKEN again")
    assert "somebody-else" not in told


async def test_a_refused_app_token_is_named_and_not_shown(settings: Settings) -> None:
    told = await refused(settings, SlackSecrets(SecretStr(BOT_TOKEN), SecretStr("xapp-somebody-else"), None))
    assert told.startswith("Slack refused the app token: invalid_auth. Copy SLACK_APP_TOKEN again")
    assert "connections:write" in told
    assert "somebody-else" not in told


async def test_slack_that_cannot_be_reached_is_named_with_its_address(settings: Settings) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/api/"
    told = await refused(settings.model_copy(update={"slack": Slack(base_url=nowhere)}), OVER_A_SOCKET)
    assert told.startswith(f"Slack cannot be reached at {nowhere}")


async def test_a_port_that_is_taken_is_named_with_the_way_out(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = await refused(settings.model_copy(update={"http": Http(port=port)}), OVER_HTTP)
    assert told.startswith(f"Port {port} on 127.0.0.1 cannot be opened")
    assert "SWITCHBOARD_HTTP__PORT" in told


async def test_a_start_that_was_refused_lets_go_of_the_data_folder(settings: Settings) -> None:
    await refused(settings, SlackSecrets(SecretStr("xoxb-somebody-else"), SecretStr(APP_TOKEN), None))
    async with open_app(settings, OVER_A_SOCKET) as app:
        assert app.url is None


@pytest.mark.parametrize("fault", ["unsigned", "forged", "replayed"])
async def test_what_slack_did_not_sign_now_is_refused_and_not_kept(
    tmp_path: Path, models_dir: Path, fault: str
) -> None:
    body = b'{"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_mention", "text": "hi"}}'
    sent_at = str(int(time.time()) - (3600 if fault == "replayed" else 0))
    secret = "another secret" if fault == "forged" else SIGNING_SECRET
    signed = hmac.new(secret.encode(), f"v0:{sent_at}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json"}
    if fault != "unsigned":
        headers |= {"X-Slack-Request-Timestamp": sent_at, "X-Slack-Signature": f"v0={signed}"}
    async with open_house(tmp_path, models_dir, mode="http") as house, aiohttp.ClientSession(house.app.url) as session:
        async with session.post("/slack/events", data=body, headers=headers) as response:
            assert response.status == 401
        assert await kept(house) == 0


async def kept(house: House) -> int:
    async with house.app.core.engine.connect() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(inbox))).scalar_one())


async def test_the_report_of_last_week_is_posted_on_monday_morning_and_once(
    workspace: Workspace, settings: Settings
) -> None:
    async with (
        Driver(workspace.url) as maya,
        open_app(settings, OVER_A_SOCKET, clock=lambda: MONDAY - timedelta(hours=1)) as app,
    ):
        for minutes in (0, 1, 60):
            await app.house.schedule.run_due(MONDAY + timedelta(minutes=minutes))
        (message,) = await maya.history("C0REPORTS")
        assert message["text"].startswith("No model was called last week (9–15 November 2026)")


@pytest.mark.parametrize("guest", [False, True])
async def test_the_report_of_the_week_says_what_found_no_answer_and_in_which_words_only_to_members(
    workspace: Workspace, settings: Settings, guest: bool
) -> None:
    async with (
        Driver(workspace.url) as maya,
        open_app(settings, OVER_A_SOCKET, clock=lambda: MONDAY - timedelta(hours=1)) as app,
    ):
        core = app.house.core
        await core.owners.set("channel", "C0HELP", "U0SAM", "U0MAYA")
        async with core.engine.begin() as connection:
            rows = [_unanswered("C0HELP", "channel"), _unanswered("G0FIN", "private_channel")]
            await connection.execute(sa.insert(questions), rows)
        if guest:
            await maya.control("set_person", user="U0LEO", is_restricted=True)
        await app.house.schedule.run_due(MONDAY)
        (message,) = await maya.history("C0REPORTS")
    told = message["blocks"][1]["text"]["text"].split("\n")
    ask = "• certificate, expired, vpn (2, new this week): “Why is my VPN certificate expired?” · ask Sam Okafor"
    assert told[0] == "*2 questions of last week found no good answer.*"
    assert told[1:] == ["• Asked in private (2, new this week)"] if guest else [ask]


def _unanswered(channel: str, kind: str) -> dict[str, object]:
    row = {"id": channel, "text": "Why is my VPN certificate expired?", "asker": "U0LEO", "workspace": "T1"}
    place = {"channel": channel, "place_kind": kind, "private": False, "scopes": ["everyone"], "answer": "x"}
    return row | place | {"asked_at": MONDAY - timedelta(days=2), "receipt": {"outcome": "nothing_found"}}


async def test_a_scheduled_refresh_tells_the_channel_of_reports_what_it_could_not_read(
    workspace: Workspace, settings: Settings, tmp_path: Path
) -> None:
    async with (
        Driver(workspace.url) as maya,
        open_app(settings, OVER_A_SOCKET, clock=lambda: MONDAY + timedelta(minutes=1)) as app,
    ):
        (tmp_path / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
        (tmp_path / "docs" / "whole.md").write_text("# Whole\n\nIt reads well.\n", encoding="utf-8")
        for hours in (1, 25):
            await app.house.schedule.run_due(MONDAY + timedelta(hours=hours, minutes=30))
        told = [m["text"] for m in await maya.history("C0REPORTS") if "broken.pdf" in m["text"]]
        assert len(told) == 1
        found = await app.house.core.knowledge.search("reads well", scopes=frozenset({"everyone"}))
        assert found.passages[0].title == "Whole"
