"""The bot for many workspaces, installed by OAuth in a local Slack that has several.

async with open_slack("T0ACME", "T0ROBO") as slack, open_bot(tmp_path, models_dir, slack) as bot:
    await bot.install("T0ACME")
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
import server_cards
from model_server import ModelServer
from pydantic import SecretStr

from bot.config import Folder, Http, Knowledge, Metrics, Models, Own, Settings, Slack, Storage
from bot.house import House
from bot.secrets import SlackSecrets
from bot.tenancy.many import Many, open_many
from bot.tenancy.whose import Whose
from bot.vault import VARIABLE, new_key
from deploy.workspace import APP_TOKEN, CLIENT_ID, CLIENT_SECRET, SIGNING_SECRET, Tokens, Workspace, demo_seed
from deploy.workspace import Slack as LocalSlack
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = json.loads((ROOT / "deploy" / "slack" / "manifest.json").read_text(encoding="utf-8"))
Mode = Literal["socket", "http"]
ROLLBACK = "# Deploying\n\n## Rolling back a release\nTo roll back a release, run `{} rollback` and name the release.\n"


@asynccontextmanager
async def open_slack(
    *teams: str, enterprise: str | None = None, tokens: Tokens | None = None
) -> AsyncIterator[LocalSlack]:
    """Workspaces with the same people, the same channels and the same ids."""
    features = MANIFEST["features"]
    workspaces = []
    for team in teams:
        seed = demo_seed()
        seed.team_id, seed.team_name = team, f"Team {team}"
        workspaces.append(
            Workspace(
                port=0,
                seed=seed,
                commands=features["slash_commands"],
                shortcuts=features["shortcuts"],
                scopes=MANIFEST["oauth_config"]["scopes"]["bot"],
                trigger_seconds=60,
            )
        )
    async with LocalSlack(workspaces, enterprise=enterprise, tokens=tokens) as slack:
        yield slack


@dataclass(frozen=True, slots=True)
class ManyHouses:
    """The running bot and its Slack."""

    many: Many
    slack: LocalSlack

    def person(self, team: str, user: str = "U0MAYA") -> Driver:
        """Somebody in a workspace."""
        return Driver(self.slack.workspaces[team].url, user, timeout=30)

    async def house(self, team: str, enterprise: str | None = None) -> House:
        """The house of a workspace, with its documents read."""
        house = await self.many.tenancy.house(Whose(team, enterprise))
        await house.first_refresh
        return house

    async def asked(self, team: str, text: str, *, channel: str = "C0HELP") -> JSON:
        """What is answered to a mention."""
        async with self.person(team) as maya:
            ts = await maya.post(channel, f"<@U0SWITCH> {text}")
            return await maya.wait_for_reply(channel, ts)

    async def install(self, installed: str, *, answer: str = "allow") -> tuple[int, str]:
        """A person's way through the whole dance; the status and text of the page that it ends with."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            return await agree(browser, self.many.url, installed, answer=answer)


async def agree(
    browser: aiohttp.ClientSession, bot_url: str, installed: str, *, answer: str = "allow"
) -> tuple[int, str]:
    """From the install page by Slack's page and back, as a browser does it."""
    async with browser.get(f"{bot_url}/slack/install") as page:
        assert 'href="/slack/install/begin"' in await page.text()
    async with browser.get(f"{bot_url}/slack/install/begin") as asked:
        state, slack = parse_qs(asked.url.query_string)["state"][0], asked.url
    data = {"state": state, "installed": installed, "answer": answer}
    async with browser.post(slack, data=data, allow_redirects=False) as agreed:
        back = agreed.headers["Location"]
    # Slack knows one address of the app; here the bot of several that began it is asked.
    async with browser.get(f"{bot_url}{urlsplit(back).path}?{urlsplit(back).query}") as done:
        return done.status, await done.text()


@asynccontextmanager
async def open_bot(
    folder: Path,
    models_dir: Path,
    slack: LocalSlack,
    *,
    mode: Mode = "socket",
    database: str = "",
    own: dict[str, Own] | None = None,
    documents: Path | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    keys: str = "",
    installable: tuple[str, ...] = (),
    models: ModelServer | None = None,
    metrics: int = 0,
) -> AsyncIterator[ManyHouses]:
    """Starts the bot with its data in `folder`; every workspace knows what lies in `documents`. `metrics`: the port of
    its probes."""
    documents = documents or folder / "docs"
    documents.mkdir(parents=True, exist_ok=True)
    cards = None
    if models is not None:
        cards = folder / "cards.toml"
        cards.write_text(server_cards.cards(models.url, server_cards.card("test-model")), encoding="utf-8")
    settings = Settings(
        data_dir=folder / "data",
        models_dir=models_dir,
        slack=Slack(base_url=slack.api_url, installable=installable),
        http=Http(port=0),
        storage=Storage(url=SecretStr(database)),
        knowledge=Knowledge(folders=(Folder(path=documents, name="handbook"),)),
        workspaces=own or {},
        models=Models(cards=cards),
        metrics=Metrics(port=metrics),
    )
    secrets = SlackSecrets(
        None,
        SecretStr(APP_TOKEN) if mode == "socket" else None,
        SecretStr(SIGNING_SECRET),
        CLIENT_ID,
        SecretStr(CLIENT_SECRET),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, keys or KEY)
        # As `run` has them in its environment, where Bolt would find them.
        patch.setenv("SLACK_CLIENT_ID", CLIENT_ID)
        patch.setenv("SLACK_CLIENT_SECRET", CLIENT_SECRET)
        async with open_many(settings, secrets, clock=clock, drain_seconds=5, look_seconds=3600) as many:
            slack.redirect = f"{many.url}/slack/oauth_redirect"
            if mode == "http":
                slack.reach_by_http(f"{many.url}/slack/events")
            yield ManyHouses(many, slack)


KEY = new_key()
