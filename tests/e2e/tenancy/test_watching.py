"""What whoever runs the bot for many workspaces is told: on the command line, by the doctor, by probes and counters."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import warm
from house import free_port
from many_houses import KEY, ROLLBACK, open_bot, open_slack
from prometheus_client.parser import text_string_to_metric_families
from slack_sdk.errors import SlackApiError

from bot.vault import VARIABLE
from deploy.workspace import APP_TOKEN, CLIENT_ID, CLIENT_SECRET
from deploy.workspace import Slack as LocalSlack


class Shell:
    """Where the commands of the bot that runs in `folder` are typed."""

    def __init__(self, folder: Path, models_dir: Path, slack: LocalSlack) -> None:
        self._folder = folder
        self._env = {
            "SWITCHBOARD_DATA_DIR": str(folder / "data"),
            "SWITCHBOARD_MODELS_DIR": str(models_dir),
            "SWITCHBOARD_SLACK__BASE_URL": slack.api_url,
            "SLACK_CLIENT_ID": CLIENT_ID,
            "SLACK_CLIENT_SECRET": CLIENT_SECRET,
            "SLACK_APP_TOKEN": APP_TOKEN,
            VARIABLE: KEY,
        }

    async def typed(self, *arguments: str) -> warm.Ended:
        return await asyncio.to_thread(partial(warm.switchboard, *arguments, cwd=self._folder, env=self._env))


async def counted(url: str) -> dict[str, float]:
    """How many answers each workspace's counters tell of."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        text = await response.text()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == "switchboard_questions_total":
                workspace = sample.labels["workspace"]
                found[workspace] = found.get(workspace, 0) + sample.value
    return found


async def test_each_workspace_is_told_of_apart_and_a_refused_token_is_kept_until_slack_takes_it_again(
    tmp_path: Path, models_dir: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploying.md").write_text(ROLLBACK.format("robot"), encoding="utf-8")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with open_slack("T0ACME", "T0ROBO") as slack:
        shell = Shell(tmp_path, models_dir, slack)
        assert "No workspace has installed the bot yet" in (await shell.typed("workspaces", "list")).err
        async with (
            open_bot(tmp_path, models_dir, slack, mode="http", metrics=port) as bot,
            aiohttp.ClientSession() as session,
        ):
            for team in ("T0ACME", "T0ROBO"):
                await bot.install(team)
                await bot.house(team)
            await bot.asked("T0ACME", "How do I roll back a release?")
            for _ in range(2):
                await bot.asked("T0ROBO", "How do I roll back a release?")
            assert await counted(url) == {"T0ACME": 1, "T0ROBO": 2}

            slack.tokens.shut_out.add("T0ACME")
            house, registry = await bot.house("T0ACME"), bot.many.tenancy.registry
            with pytest.raises(SlackApiError, match="invalid_auth"):
                await house.client.auth_test()
            await bot.many.tenancy.look()
            assert list((await registry.versions()).items()) == [("T0ACME", 1), ("T0ROBO", 1)]
            async with session.get(f"{url}/readyz") as ready:
                assert ready.status == 200
                told = (await ready.json())["services"]["tokens"]
            assert "Slack refuses 1 of 2 tokens" in str(told)
            listed = (await shell.typed("workspaces", "list")).out
            assert "Slack refuses its token (invalid_auth) since" in listed
            doctor = await shell.typed("doctor", "--json")
            findings = {one["name"]: one for one in json.loads(doctor.out)}
            assert findings["slack token of T0ROBO"]["state"] == "ok"
            assert "put this machine's on it" in findings["slack token of T0ACME"]["sentence"]
            assert doctor.status == 1

            slack.tokens.shut_out.clear()
            await bot.many.tenancy.look()
            assert await bot.house("T0ACME") is house
            assert "robot rollback" in str(await bot.asked("T0ACME", "How do I roll back a release?"))
            assert "refuses" not in (await shell.typed("workspaces", "list")).out

        assert [
            len(json.loads((await shell.typed("--workspace", team, "explain", "--json")).out))
            for team in ("T0ACME", "T0ROBO")
        ] == [2, 2]
        nobody = await shell.typed("--workspace", "T0NOBODY", "explain")
        assert "There is no workspace T0NOBODY here" in nobody.err
        assert not (tmp_path / "data" / "workspaces" / "T0NOBODY").exists()
        assert "no workspace's id" in (await shell.typed("--workspace", "robo", "explain")).err
        assert "T0ROBO is removed" in (await shell.typed("workspaces", "remove", "T0ROBO")).out
        kept = json.loads((await shell.typed("workspaces", "list", "--json")).out)
        assert list(kept["installations"]) == ["T0ACME"]
        assert {each["id"]: each["left_how"] for each in kept["workspaces"]} == {
            "T0ACME": None,
            "T0ROBO": "removed on the command line",
        }
        assert "xoxb" not in str(kept)
