"""Workspaces that remove the bot, tokens that end, organisations, and workspaces that nobody installed it in."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa
from many_houses import ROLLBACK, open_bot, open_slack
from model_server import ModelServer, Reply

from bot.errors import NotInstalled
from bot.house import House
from bot.storage.cost_tables import ledger
from bot.storage.engine import open_engine
from bot.tenancy.registry import KEPT_DAYS
from deploy.workspace import SIGNING_SECRET, Tokens
from deploy.workspace.driver import Driver
from deploy.workspace.http_delivery import HttpDelivery


class Clock:
    """A clock that is put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def test_a_workspace_that_removes_the_bot_is_closed_and_deleted_later_and_the_other_goes_on(
    tmp_path: Path, models_dir: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text(ROLLBACK.format("robot"), encoding="utf-8")
    clock = Clock()
    async with (
        open_slack("T0ACME", "T0ROBO") as slack,
        open_bot(tmp_path, models_dir, slack, mode="http", clock=clock) as bot,
    ):
        for team in ("T0ACME", "T0ROBO"):
            await bot.install(team)
            await bot.house(team)
        house = await bot.house("T0ACME")
        assert "robot rollback" in str(await bot.asked("T0ACME", "How do I roll back a release?"))
        slack.uninstall("T0ACME")
        async with bot.person("T0ACME") as maya:
            await maya.quiet()
        await bot.many.tenancy.settled()
        registry = bot.many.tenancy.registry
        assert [each.id for each in await registry.installations()] == ["T0ROBO"]
        assert list(bot.many.tenancy.houses.there()) == ["T0ROBO"]
        assert house.under_way.draining
        with pytest.raises(NotInstalled):
            await bot.house("T0ACME")

        # Whoever asks there now reads why; an event is taken without effect; Slack does not send it for ever.
        async with bot.person("T0ACME") as maya:
            await maya.command("/cost")
            told = await maya.wait_for_ephemeral("C0GENERAL")
            assert "is not installed in this workspace any more" in told["text"]
            await maya.post("C0HELP", "<@U0SWITCH> Are you there?")
            await maya.quiet()
        assert "robot rollback" in str(await bot.asked("T0ROBO", "How do I roll back a release?"))

        folder = tmp_path / "data" / "workspaces" / "T0ACME"
        await bot.many.tenancy.look()
        assert (folder / "switchboard.db").is_file()
        clock.ahead = timedelta(days=KEPT_DAYS, minutes=1)
        await bot.many.tenancy.look()
        assert not folder.exists()
        assert (tmp_path / "data" / "workspaces" / "T0ROBO" / "switchboard.db").is_file()
        (status, page) = await bot.install("T0ACME")
        assert (status, "is installed in Team T0ACME" in page) == (200, True)
        assert await (await bot.house("T0ACME")).core.explanations.last(10) == []


async def test_an_answer_under_way_is_stopped_where_the_bot_is_removed_and_nobody_is_answered_days_later(
    tmp_path: Path, models_dir: Path
) -> None:
    gate = asyncio.Event()
    async with (
        ModelServer() as server,
        open_slack("T0ACME") as slack,
        open_bot(tmp_path, models_dir, slack, mode="http", models=server) as bot,
        bot.person("T0ACME") as maya,
    ):
        await bot.install("T0ACME")
        house = await bot.house("T0ACME")
        server.script(Reply(text="Never finished.", gate=gate))
        asked = await maya.post("C0HELP", "<@U0SWITCH> When do deploys run?")
        await server.until_asked(within=30)
        slack.uninstall("T0ACME")
        await maya.quiet()
        await bot.many.tenancy.settled()
        assert await bot.many.tenancy.registry.installations() == []
        assert "T0ACME" not in bot.many.tenancy.houses.there()
        (call,) = await outcomes(house)
        assert call != "answered"
        gate.set()

        # Installed again, it does not take up what nobody waits for any more, and answers what is asked now.
        await bot.install("T0ACME")
        await bot.house("T0ACME")
        server.script(Reply(text="On Tuesdays."))
        now = await maya.post("C0HELP", "<@U0SWITCH> And now?")
        reply = await maya.wait_for_reply("C0HELP", now)
        assert "On Tuesdays." in str(reply)
        assert "Never finished." not in str(await maya.history("C0HELP", asked))


async def outcomes(house: House) -> list[str]:
    """How the calls of the ledger ended, read from the house's own file."""
    engine = open_engine(house.core.settings.database_url)
    async with engine.connect() as connection:
        found = list((await connection.execute(sa.select(ledger.c.outcome))).scalars())
    await engine.dispose()
    return found


async def test_a_token_that_ends_is_renewed_ahead_by_one_of_two_and_survives_a_lost_answer(
    tmp_path: Path, models_dir: Path, empty_postgres: str
) -> None:
    clock, tokens = Clock(), Tokens(rotates=True)
    documents = tmp_path / "docs"
    async with (
        open_slack("T0ACME", tokens=tokens) as slack,
        open_bot(tmp_path, models_dir, slack, database=empty_postgres, clock=clock) as bot,
    ):
        await bot.install("T0ACME")
        house, first = await bot.house("T0ACME"), bot.many.tenancy.registry
        second = open_bot(
            tmp_path / "two", models_dir, slack, database=empty_postgres, clock=clock, documents=documents
        )
        async with second as other:
            there = await other.house("T0ACME")
            before = str(house.client.token)
            for each in (bot, other):
                await each.many.tenancy.look()
            assert house.client.token == before, "it is not renewed before its time"
            clock.ahead = timedelta(hours=10, minutes=1)
            await asyncio.gather(*(each.many.tenancy.look() for each in (bot, other)))
            await asyncio.gather(*(each.many.tenancy.look() for each in (bot, other)))
            assert house.client.token == there.client.token != before
            assert await first.versions() == {"T0ACME": 2}, "two did not renew it twice"
        # A process that ended after Slack's answer and before its note: the next asks with the same older token.
        kept = await first.installation("T0ACME")
        assert kept is not None
        clock.ahead += timedelta(hours=10, minutes=1)
        assert await first.claim(kept, "killed", timedelta(seconds=60))
        tokens.renew(str(kept.refresh_token))
        await bot.many.tenancy.look()
        assert await first.versions() == {"T0ACME": 2}, "the claim of the one that was killed still holds"
        clock.ahead += timedelta(seconds=61)
        await bot.many.tenancy.look()
        assert await first.versions() == {"T0ACME": 3}
        assert (await house.client.auth_test())["ok"]
        # One that ended all the same is renewed with the call that finds out.
        tokens.expire("T0ACME")
        assert (await house.client.auth_test())["ok"]
        # And where Slack renews it no more, it is said where an admin looks, and the bot is not closed for it.
        kept = await first.installation("T0ACME")
        assert kept is not None
        for _ in range(2):
            tokens.renew(str(kept.refresh_token))
        clock.ahead += timedelta(hours=10, minutes=1)
        await bot.many.tenancy.look()
        found = await first.installation("T0ACME")
        assert found is not None
        assert "Somebody has to install the bot again" in str(found.problem)
        assert "T0ACME" in bot.many.tenancy.houses.there()


async def test_an_organisation_installs_it_once_and_each_workspace_gets_a_house_with_its_first_question(
    tmp_path: Path, models_dir: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text(ROLLBACK.format("robot"), encoding="utf-8")
    async with (
        open_slack("T0ACME", "T0ROBO", enterprise="E0ORG") as slack,
        open_bot(tmp_path, models_dir, slack, mode="http") as bot,
    ):
        assert (await bot.install("E0ORG"))[0] == 200
        assert bot.many.tenancy.houses.there() == {}
        for team in ("T0ACME", "T0ROBO"):
            house = await bot.house(team, "E0ORG")
            assert (house.client.default_params, house.core.settings.data_dir.name) == ({"team_id": team}, team)
            assert "robot rollback" in str(await bot.asked(team, "How do I roll back a release?"))
        # Buttons name the person's workspace alone.
        async with bot.person("T0ROBO") as maya:
            reply = await maya.wait_for_message("C0HELP", lambda m: "robot" in str(m), thread=await last_thread(maya))
            await maya.click(reply, "why")
            await maya.wait_for_view()
        slack.take_access("T0ACME")
        async with bot.person("T0ROBO") as maya:
            await maya.quiet()
        await bot.many.tenancy.settled()
        assert list(bot.many.tenancy.houses.there()) == ["T0ROBO"]
        slack.uninstall("E0ORG")
        async with bot.person("T0ACME") as maya:
            await maya.quiet()
        await bot.many.tenancy.settled()
        assert bot.many.tenancy.houses.there() == {}
        left = {tenant.id: tenant.left_how for tenant in await bot.many.tenancy.registry.tenants()}
        assert set(left) == {"T0ACME", "T0ROBO"}
        assert None not in left.values()


async def last_thread(maya: Driver) -> str:
    """Where the newest question of the channel stands."""
    return str((await maya.history("C0HELP"))[-1]["ts"])


async def test_what_is_not_slacks_or_names_nobody_opens_no_house(tmp_path: Path, models_dir: Path) -> None:
    async with open_slack("T0ACME") as slack, open_bot(tmp_path, models_dir, slack, mode="http") as bot:
        events = f"{bot.many.url}/slack/events"
        async with aiohttp.ClientSession() as session:
            forged = {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=0", "Content-Type": "application/json"}
            async with session.post(events, data='{"type":"event_callback"}', headers=forged) as answer:
                assert answer.status == 401
        delivery = HttpDelivery(SIGNING_SECRET, events, retry_seconds=())
        await delivery.verify()
        message = {
            "type": "message",
            "channel": "C0HELP",
            "user": "U0MAYA",
            "text": "x",
            "ts": "1.2",
            "event_ts": "1.2",
        }
        for payload in (
            {"type": "event_callback", "event_id": "Ev1", "event": message},
            {"type": "event_callback", "event_id": "Ev2", "team_id": "T0NOBODY", "event": message},
            {"type": "event_callback", "event_id": "Ev3", "team_id": "../../T0", "event": {"type": "app_uninstalled"}},
            {"type": "event_callback", "event_id": "Ev4", "team_id": "T0NOBODY", "event": {"type": "tokens_revoked"}},
        ):
            await delivery.event(payload)  # taken: Slack need not send it again
        someone = {"team_id": "T0NOBODY", "user_id": "U0MAYA", "channel_id": "C0HELP", "trigger_id": "1.2"}
        told = await delivery.interaction("slash_commands", {"command": "/ask", "text": "x", **someone})
        assert "is not installed in this workspace" in str(told)
        view = {
            "type": "view_submission",
            "team": {"id": "T0NOBODY"},
            "user": {"id": "U0MAYA"},
            "trigger_id": "1.3",
            "view": {
                "id": "V1",
                "type": "modal",
                "callback_id": "comment",
                "private_metadata": "",
                "state": {"values": {}},
                "blocks": [],
            },
        }
        assert (await delivery.interaction("interactive", view) or {})["response_action"] == "update"
        await delivery.close()
        assert bot.many.tenancy.houses.there() == {}
        assert not (tmp_path / "data" / "workspaces").exists()
