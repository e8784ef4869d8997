"""Shadow runs in Slack: the workspace sees one answer, and what is asked follows who may read now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer

from bot.config import Report, Selection, Settings
from bot.costs.periods import Week
from bot.evaluation.shadow_admission import AUDIENCE, GONE
from bot.evaluation.shadowing import Shadowing
from bot.evaluation.shadows import Shadow, Shadows
from bot.reporting import report_of
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


async def bot_calls(person: Driver) -> list[JSON]:
    """What the bot asked of Slack that changes what people see."""
    calls = await person.calls()
    return [call for call in calls if str(call["method"]).startswith(("chat.", "views.", "files.", "assistant."))]


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
        posted = len(await bot_calls(maya))
        await run(bot, clock)
        (shadow,) = await drawn(bot)
        assert (shadow.state, shadow.answer) == ("answered", "NEVER TO BE SHOWN")
        assert len(server.chats) == 2
        await bot.idle(maya)
        assert len(await bot_calls(maya)) == posted
        (asked, answered) = await maya.history("C0GENERAL", reply["thread_ts"])
        assert "Deploys run on Tuesdays." in str(answered["blocks"])
        assert SWITCHBOARD in asked["text"]
        await maya.click(reply, "why")
        assert "shadow" not in str(await maya.wait_for_view())
        everything = await maya.calls()
        assert "Deploys run on Tuesdays." in str(everything)
        assert "NEVER TO BE SHOWN" not in str(everything)
        week = Week.before(bot.core.clock() + timedelta(days=7), UTC)
        await post_report(bot.client, "C0REPORTS", await report_of(bot.core, week))
        message = await maya.wait_for_message("C0REPORTS")
        weekly = str(await maya.history("C0REPORTS", message["ts"]))
        assert "Shadow runs: 1 question was also answered another way" in weekly
        assert "'shadow runs'" in weekly


async def test_who_left_the_channel_or_deleted_the_question_is_left_in_peace(
    workspace: Workspace, shadowed: Settings, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    clock = Clock()
    async with connected_bot(workspace, shadowed, clock=clock) as bot:
        server.script("Deploys run on Tuesdays. [1]", "On Tuesdays. [1]", "And on Thursdays.")
        await ask(bot, maya)
        deleted = await ask(bot, leo)
        await leo.delete(next(m for m in await leo.history("C0GENERAL") if m["ts"] == deleted["thread_ts"]))
        await bot.idle(leo)
        await maya.control("set_member", channel="C0GENERAL", user="U0MAYA", member=False)
        await run(bot, clock)
        assert [shadow.detail for shadow in await drawn(bot)] == [AUDIENCE, GONE]
        assert len(server.chats) == 2


@pytest.mark.parametrize("share", [0.0, 0.02])
async def test_the_bot_draws_every_ten_minutes_unless_it_is_switched_off(
    workspace: Workspace, settings: Settings, share: float
) -> None:
    settings = settings.model_copy(update={"selection": Selection(shadow_share=share)})
    async with connected_bot(workspace, settings) as bot:
        soon, tomorrow = (bot.core.clock() + after for after in (LATER, timedelta(days=1)))
        assert ("shadows" in dict(bot.schedule.due(soon))) is (share > 0)
        # What was answered before it was switched off is still compared.
        assert "shadow-scores" in dict(bot.schedule.due(tomorrow))
