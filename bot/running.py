"""`switchboard run`: the bot in Slack, or with a local workspace of its own where no token is set."""

from __future__ import annotations

import asyncio
import gc
import json
from contextlib import AsyncExitStack
from typing import Any

from pydantic import SecretStr
from rich.console import Console

from bot.app import MANIFEST, App, open_app
from bot.config import Settings
from bot.costs.periods import Week
from bot.errors import ConfigError
from bot.reporting import report_of
from bot.secrets import SlackSecrets, slack_secrets
from bot.tenancy.many import open_many
from deploy.workspace.server import APP_TOKEN, BOT_TOKEN, Workspace
from handlers.audience import Places
from handlers.posts import post_report, tell_channel

REPORTS = "C0REPORTS"
FIRST_SEEN = "C0HELP"

WELCOME = """*Hello, I am Switchboard.* I answer from your team's documents and show my sources. Try one of these:
• Mention me here: `@Switchboard how do I connect you to our Slack?`
• Ask in private: `/ask who can read what you use as evidence?`
• See the models: `/model`, and what they cost: `/cost`
• Open *Switchboard* under Apps on the left to talk to me alone.
At the moment I know {folders}; `/knowledge` shows how far I have read.
Under each answer, *Why this answer?* shows how it was made and at what price."""


async def run(settings: Settings, out: Console, stop: asyncio.Event) -> None:
    """Runs until `stop` is set. Raises what `open_app` raises."""
    secrets = slack_secrets()
    async with AsyncExitStack() as stack:
        if secrets.many:
            many = await stack.enter_async_context(open_many(settings, secrets))
            where = settings.http.public_url.rstrip("/") or many.url
            await _serve(f"workspaces install it at {where}/slack/install", out, stop)
            return
        local = secrets.mode == "workspace"
        if local:
            workspace = await _open_workspace(stack, settings)
            secrets = SlackSecrets(SecretStr(BOT_TOKEN), SecretStr(APP_TOKEN), None)
            settings = _for_workspace(settings, workspace.url)
        app = await stack.enter_async_context(open_app(settings, secrets))
        if local:
            await _last_report(app)
            await _welcome(app)
            where = f"open [bold]{workspace.url}[/]"
        else:
            where = f"listening on {app.url}/slack/events" if app.url else "connected over Socket Mode"
        await _serve(where, out, stop)


async def _serve(where: str, out: Console, stop: asyncio.Event) -> None:
    """Says where people find the bot, and lets it work until it is stopped."""
    # What is there by now stays: looked through again and again for garbage, it would hold everything up for a fifth of
    # a second every few seconds, and on a busy machine for more than one.
    gc.collect()
    gc.freeze()
    out.print(f"\n  Switchboard is ready: {where}   (Ctrl+C stops it)\n")
    await stop.wait()
    out.print("  Stopping: finishing the answers that are under way.")


async def _open_workspace(stack: AsyncExitStack, settings: Settings) -> Workspace:
    manifest: dict[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))["features"]
    workspace = Workspace(
        port=settings.workspace.port, commands=manifest["slash_commands"], shortcuts=manifest["shortcuts"]
    )
    try:
        return await stack.enter_async_context(workspace)
    except OSError as error:
        raise ConfigError(
            f"The local workspace cannot listen on 127.0.0.1:{settings.workspace.port} ({error.strerror}). Another "
            "program uses that port; choose one with SWITCHBOARD_WORKSPACE__PORT."
        ) from error


def _for_workspace(settings: Settings, url: str) -> Settings:
    """The demo workspace has a channel for reports; its address takes the place of Slack's."""
    return settings.model_copy(
        update={
            "slack": settings.slack.model_copy(update={"base_url": f"{url}/api/"}),
            "report": settings.report.model_copy(update={"channel": settings.report.channel or REPORTS}),
        }
    )


async def _welcome(app: App) -> None:
    folders = ", ".join(f"`{folder.path}`" for folder in app.house.core.settings.knowledge.folders)
    await tell_channel(app.house.client, FIRST_SEEN, WELCOME.format(folders=folders))


async def _last_report(app: App) -> None:
    """The workspace forgets what was posted, so the report of last week is there from the start."""
    core, report = app.house.core, app.house.core.settings.report
    week = Week.before(core.clock(), report.zone)
    scopes = await Places(app.house.client).readers(report.channel)
    await post_report(app.house.client, report.channel, await report_of(core, week, scopes=scopes))
    when = f"The next report comes by the schedule `{report.schedule}` ({report.time_zone})"
    await tell_channel(app.house.client, report.channel, f"{when}; until then `/cost week` shows what this week cost.")
