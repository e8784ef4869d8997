"""Shadow runs in Slack: the workspace sees one answer, and what is asked follows who may read now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer

from bot.config import Report, Selection, Settings
from bot.costs.periods import Week
from bot.evaluation.shadow_admission import AUDIENCE, GONE
from bot.evaluation.shadow_report import week_of_shadows
from bot.evaluation.shadowing import Shadowing
from bot.evaluation.shadows import Shadow, Shadows
from bot.costs.report import weekly_report
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from handlers.audience import Places
from handlers.posts import post_report

QUESTION = "when do deploys run?"
LATER = timedelta(minutes=10)


@pytest.fixture
def shadowed(settings: Settings) -> Settings:
    """Every question is answered in the shadow as well."""
    selection, report = Selection(shadow_share=1.0), Report(channel="C0REPORTS")
    return settings.model_copy(update={"selection": selection, "report": report})


class Clock:
    """Now, and as much later as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def ask(bot: ConnectedBot, person: Driver, channel: str = "C0GENERAL") -> JSON:
    ts = await person.post(channel, f"{SWITCHBOARD} {QUESTION}")
    reply = await person.wait_for_reply(channel, ts, lambda m: "Try another way" in str(m.get("blocks")))
    await bot.idle(person)
    return reply


async def run(bot: ConnectedBot, clock: Clock) -> None:
    clock.ahead += LATER
    await Shadowing(bot.core, Places(bot.client).audience_of).run()


async def drawn(bot: ConnectedBot) -> list[Shadow]:
    now = bot.core.clock()
    return list(await Shadows(bot.core.engine).drawn(now - timedelta(days=1), now + timedelta(days=1)))


async def test_nobody_sees_the_other_answer_and_the_weekly_report_counts_it(
    workspace: Workspace, shadowed: Settings, maya: Driver, server: ModelServer
) -> None:
    clock = Clock()
    async with connected_bot(workspace, shadowed, clock=clock) as bot:
        server.script("Deploys run on Tuesdays. [1]", "NEVER TO BE SHOWN")
        reply = await ask(bot, maya)
        before = len(await maya.control("state"))
        await run(bot, clock)
        (shadow,) = await drawn(bot)
        assert (shadow.state, shadow.answer) == ("answered", "NEVER TO BE SHOWN")
        assert len(server.chats) == 2
        await bot.idle(maya)
        await maya.click(reply, "why")
        view = await maya.wait_for_view()
        assert "shadow" not in str(view)
        everything = str(await maya.control("state"))
        assert "Deploys run on Tuesdays." in everything
        assert "NEVER TO BE SHOWN" not in everything
        week = Week.before(bot.core.clock() + timedelta(days=7), UTC)
        told = await week_of_shadows(bot.core, week)
        report = await weekly_report(bot.core.ledger, bot.core.feedback.counts, week, "", told)
        await post_report(bot.client, "C0REPORTS", report)
        posted = str((await maya.wait_for_message("C0REPORTS"))["blocks"])
        assert "Shadow runs: 1 question was also answered another way" in posted
        assert "• shadow runs: $" in posted


async def test_who_left_the_channel_or_deleted_the_question_is_left_in_peace(
    workspace: Workspace, shadowed: Settings, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    clock = Clock()
    async with connected_bot(workspace, shadowed, clock=clock) as bot:
        server.script("Deploys run on Tuesdays. [1]", "On Tuesdays. [1]", "And on Thursdays.")
        await ask(bot, maya)
        deleted = await ask(bot, leo)
        assert deleted
