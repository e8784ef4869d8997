"""Installing the bot by OAuth in a local Slack: the whole dance, what goes wrong in it, and installing again."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

import aiohttp
import pytest
import sqlalchemy as sa
from many_houses import ROLLBACK, agree, open_bot, open_slack

from bot.errors import ConfigError, UnreadableSecret
from bot.storage.engine import open_engine
from bot.storage.installations import installations
from bot.vault import new_key


async def test_a_person_installs_the_bot_in_two_workspaces_and_asks_in_both(tmp_path: Path, models_dir: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text(ROLLBACK.format("robot"), encoding="utf-8")
    async with open_slack("T0ACME", "T0ROBO") as slack, open_bot(tmp_path, models_dir, slack, mode="http") as bot:
        async with aiohttp.ClientSession() as visitor, visitor.get(f"{bot.many.url}/slack/install") as page:
            text = await page.text()
            assert "messages of the public channels that it is invited to" in text
            assert "permission" not in text, "every scope of the manifest is said in words"
            assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        for team in ("T0ACME", "T0ROBO"):
            status, done = await bot.install(team)
            assert (status, f"Switchboard is installed in Team {team}" in done) == (200, True), done
            await bot.house(team)
        for team in ("T0ACME", "T0ROBO"):
            assert "robot rollback" in str(await bot.asked(team, "How do I roll back a release?"))
        engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/data/switchboard.db")
        async with engine.connect() as connection:
            kept = str((await connection.execute(sa.select(installations))).all())
        await engine.dispose()
        assert "T0ACME" in kept
        assert "xoxb" not in kept


async def test_what_goes_wrong_in_an_installation_is_a_clear_page_and_changes_nothing(
    tmp_path: Path, models_dir: Path
) -> None:
    async with open_slack("T0ACME", "T0ROBO") as slack:
        starting = open_bot(tmp_path, models_dir, slack, installable=("T0ACME",))
        async with starting as bot, aiohttp.ClientSession() as stranger:
            back = f"{bot.many.url}/slack/oauth_redirect"
            status, page = await bot.install("T0ACME", answer="cancel")
            assert (status, "You cancelled the installation" in page) == (200, True)

            # A state that was used, one that was made up, and one of another browser.
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
                async with browser.get(f"{bot.many.url}/slack/install/begin", allow_redirects=False) as begun:
                    state = parse_qs(begun.headers["Location"].partition("?")[2])["state"][0]
                async with stranger.get(back, params={"state": state, "code": "x"}) as refused:
                    assert refused.status == 400
                    assert "in another browser" in await refused.text()
                async with browser.get(back, params={"state": state, "code": "made-up"}) as refused:
                    assert refused.status == 400
                    assert "Slack said: invalid_code" in await refused.text()
                async with browser.get(back, params={"state": state, "code": "made-up"}) as refused:
                    assert refused.status == 400
                    assert "it was finished before" in await refused.text()

            status, page = await bot.install("T0ROBO")
            assert (status, "is not offered to Team T0ROBO" in page) == (403, True)
            async with aiohttp.ClientSession() as session:
                token = {"Authorization": f"Bearer {slack.workspaces['T0ROBO'].core.bot_token}"}
                async with session.post(f"{slack.api_url}auth.test", headers=token) as told:
                    assert (await told.json())["error"] == "token_revoked"
            assert await bot.many.tenancy.registry.installations() == []
            await slack.stop()
            status, page = await _after_slack_went(bot.many.url)
            assert (status, "Slack does not answer" in page, "Reference" in page) == (502, True, True)


async def _after_slack_went(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{url}/slack/install/begin", allow_redirects=False) as begun:
            state = parse_qs(begun.headers["Location"].partition("?")[2])["state"][0]
        async with browser.get(f"{url}/slack/oauth_redirect", params={"state": state, "code": "x"}) as done:
            return done.status, await done.text()


async def test_installing_again_takes_the_new_token_without_a_restart_and_another_process_finds_it(
    tmp_path: Path, models_dir: Path, empty_postgres: str
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text(ROLLBACK.format("robot"), encoding="utf-8")
    async with (
        open_slack("T0ACME") as slack,
        open_bot(tmp_path, models_dir, slack, database=empty_postgres) as bot,
    ):
        await bot.install("T0ACME")
        house = await bot.house("T0ACME")
        second = open_bot(tmp_path / "other", models_dir, slack, database=empty_postgres, documents=tmp_path / "docs")
        async with second as replica:
            there = await replica.house("T0ACME")
            before = house.client.token
            assert there.client.token == before
            async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
                slack.redirect = f"{bot.many.url}/slack/oauth_redirect"
                status, page = await agree(browser, bot.many.url, "T0ACME")
            assert (status, "is installed again" in page) == (200, True)
            assert await bot.house("T0ACME") is house
            assert house.client.token != before
            # The replica has the old token until Slack refuses it, or until it looks.
            assert there.client.token == before
            slack.tokens.end(str(before))
            assert (await there.client.auth_test())["ok"]
            assert there.client.token == house.client.token
            assert (await bot.install("T0ACME"))[0] == 200
            await replica.many.tenancy.look()
            assert there.client.token == house.client.token
        assert "robot rollback" in str(await bot.asked("T0ACME", "How do I roll back a release?"))


async def test_without_keys_or_with_lost_ones_it_does_not_start_and_says_the_way_out(
    tmp_path: Path, models_dir: Path
) -> None:
    async with open_slack("T0ACME") as slack:
        with pytest.raises(ConfigError, match="switchboard keys new"):
            async with open_bot(tmp_path, models_dir, slack, keys=","):
                pass
        async with open_bot(tmp_path, models_dir, slack) as bot:
            await bot.install("T0ACME")
        with pytest.raises(UnreadableSecret, match="Put the key that it was encrypted with back"):
            async with open_bot(tmp_path, models_dir, slack, keys=new_key()):
                pass
