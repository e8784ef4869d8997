"""Which model answers: for one question, with roles and allow-lists, why, and in a trial; typed in Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer

from bot.config import Models, Settings
from bot.costs.periods import Week
from bot.costs.report_words import as_text
from bot.reporting import report_of
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from handlers.posts import post_report

WHEN = f"{SWITCHBOARD} when do deploys run?"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, server: ModelServer) -> Settings:
    """A second model at the same server, and none that is configured to answer alone."""
    cards = tmp_path / "cards.toml"
    with cards.open("a", encoding="utf-8") as file:
        file.write('[[models]]\nname = "second-model"\nprovider = "house"\ncontext_window = 8192\nfree = true\n')
    return settings.model_copy(update={"models": Models(default="test-model", cards=cards)})


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings) -> AsyncIterator[ConnectedBot]:
    async with connected_bot(workspace, settings, mode="socket") as running:
        yield running


async def told(person: Driver, words: str, channel: str = "C0GENERAL") -> JSON:
    """The ephemeral message that has these words."""
    return await person.wait_for_ephemeral(channel, lambda m: words in m["text"] or words in str(m.get("blocks")))


async def model(person: Driver, text: str, says: str) -> JSON:
    """Types a /model command and waits for what it says."""
    await person.command("/model", text)
    return await told(person, says)


async def answered_by(person: Driver, text: str, channel: str = "C0GENERAL") -> str:
    ts = await person.post(channel, text)
    return str((await person.wait_for_reply(channel, ts))["blocks"])


async def test_one_question_is_answered_as_it_asks_at_every_door(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    await maya.command("/ask", "model:second-model strategy:zero_shot when do deploys run?")
    shown = await told(maya, "*second-model* ·")
    assert "plain prompting" in str(shown["blocks"])
    assert server.chats[-1].body["messages"][-1]["content"] == "when do deploys run?"
    assert "*second-model* ·" in await answered_by(maya, f"{SWITCHBOARD} model:second-model when do deploys run?")
    assert "*offline* ·" in await answered_by(maya, "model:OFFLINE when do deploys run?", "D0MAYA")
    assert "*test-model* ·" in await answered_by(maya, WHEN)
    asked = len(server.chats)
    for text, says in (
        ("model:secnd-model when?", "There is no model called “secnd-model”. Did you mean second-model"),
        ("strategy:magic when?", "There is no strategy “magic”. Write one of `strategy:zero_shot`"),
        ("model:second-model", "Write your question after it"),
    ):
        await maya.command("/ask", text)
        await told(maya, says)
    assert len(server.chats) == asked


async def test_what_is_for_admins_and_what_cannot_be_understood_is_said(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    for text, says in (
        ("use test-model workspace", "Only an admin can change the model of the whole workspace."),
        ("allow test-model here", "Only an admin can say which models may be used in a whole channel."),
        ("allow test-model workspace", "Only an admin can say which models may be used in the whole workspace."),
        ("trial second-model 20%", "Only an admin can try a model on a share of a channel's questions."),
        ("trial stop", "Only an admin can try a model"),
    ):
        await model(leo, text, says)
    for text, says in (
        ("use test-model for the cat", "I do not know for whom “for the cat” is. Write `for me`"),
        ("allow test-model", "Say which models, and for what: `here` or `workspace`."),
        ("allow tset-model here", "There is no model called “tset-model”. Did you mean test-model"),
        ("allow provider:huose here", "There is no provider “huose”. Did you mean provider:house?"),
        ("allow any here", "There is no allow-list in this channel, so nothing changes."),
        ("allow", "Every model may be used here."),
        ("trial", "No trial runs in this channel."),
        ("trial stop", "No trial runs in this channel."),
        ("trial second-model 200%", "200% is no share that can be tried"),
        ("trial test-model 20%", "“test-model” answers here anyway, so both sides would be the same."),
        ("trial secnd-model 20%", "There is no model called “secnd-model”"),
        ("auto workspace", "No model was fixed for everyone in the workspace, so nothing changes."),
    ):
        await model(maya, text, says)


async def test_an_allow_list_says_what_it_leaves_out_and_holds_at_every_door(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    await model(
        leo, "use test-model for me because I know it", "*test-model* answers for you, everywhere (“I know it”)"
    )
    await model(maya, "use test-model here", "for everyone in this channel")
    said = (await model(maya, "allow second-model here because the contract says so", "From now on only"))["text"]
    assert "From now on only *second-model*, *offline* may be used in this channel." in said
    assert "Left out: *test-model*." in said
    assert "*test-model*, the configured model (`models.default`), is left out: the selector chooses" in said
    assert "*test-model* (a channel's, by <@U0MAYA>)" in said
    assert "`/model allow any here` takes the list back." in said
    ts = await leo.post("C0GENERAL", WHEN)
    answer = await leo.wait_for_reply("C0GENERAL", ts)
    assert "*test-model* ·" not in str(answer["blocks"])
    await leo.click(answer, "why")
    shown = str((await leo.wait_for_view())["blocks"])
    assert "“test-model” is what you pinned for yourself (“I know it”), but cannot be asked here" in shown
    assert "allow-list leaves some models out. _test-model" in shown
    opened = len(leo.events)
    await leo.click(answer, "another_way")
    assert "test-model" not in str((await leo.wait_for_view(after=opened))["blocks"])
    await model(leo, "why", "This channel allows")
    await leo.command("/ask", "model:test-model when do deploys run?")
    await told(leo, "“test-model” is one of them, so it cannot be asked. These may be used: “second-model”, “offline”.")
    await model(maya, "use test-model here", "“test-model” is one of them, so it cannot be asked")
    assert {chat.body["model"] for chat in server.chats} <= {"second-model"}
    said = (await model(maya, "allow offline workspace", "Only the offline model is left"))["text"]
    assert "The trial" not in said
    await model(maya, "allow any workspace", "Every model may be used in the workspace again")
    await model(maya, "allow any here", "Every model may be used in this channel again")
    assert "*test-model* ·" in await answered_by(leo, WHEN)


async def test_in_a_thread_it_is_told_what_holds_there(bot: ConnectedBot, maya: Driver) -> None:
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} model use second-model because this one is hard")
    await maya.wait_for_reply("C0GENERAL", ts)
    await maya.post("C0GENERAL", f"{SWITCHBOARD} model why", thread=ts)
    found = await maya.wait_for_reply("C0GENERAL", ts, lambda m: "answers you here" in m["text"])
    assert found["text"] == ("*second-model* answers you here: it is fixed in this thread (“this one is hard”).")
    assert "The configuration" in str(found["blocks"])


async def test_a_trial_runs_is_told_and_stands_in_the_report(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    said = (await model(maya, "trial second-model 99.9% because it is free", "From now on"))["text"]
    assert "*second-model* answers 99.9% of this channel's questions (“it is free”), drawn by chance" in said
    await model(maya, "trial test-model 20%", "A trial of “second-model” runs here already")
    ts = await leo.post("C0GENERAL", WHEN)
    answer = await leo.wait_for_reply("C0GENERAL", ts)
    assert "*second-model* ·" in str(answer["blocks"])
    await leo.click(answer, "why")
    shown = str((await leo.wait_for_view())["blocks"])
    assert "“second-model” is on trial in this channel (“it is free”); this question is among those" in shown
    assert "chosen in a trial of this channel" in shown
    assert "for a share of this channel's questions, a trial by <@U0MAYA>" in shown
    assert "*test-model* ·" in await answered_by(leo, WHEN, "C0HELP")
    await model(leo, "why", "*second-model* is on trial and answers 99.9% of this channel's questions.")
    shown = str((await model(leo, "trial", "Begun by <@U0MAYA>"))["blocks"])
    assert "Too few to tell: each side needs 20 answers, one has 0." in shown
    await model(maya, "allow test-model here", "The trial of *second-model* in <#C0GENERAL> pauses")
    await model(maya, "trial", "It pauses: This channel's allow-list leaves some models out.")
    await model(maya, "trial stop", "No trial runs now. The last one: *second-model* answered 99.9%")
    await bot.idle(maya)
    week = Week.before(datetime.now(UTC) + timedelta(days=7), UTC)
    report = await report_of(bot.core, week)
    assert "Trial in <#C0GENERAL>: “second-model” on trial for 99.9%: 1 answer at $0" in as_text(report)
    await post_report(bot.client, "C0REPORTS", report)
    head = await maya.wait_for_message("C0REPORTS", lambda m: "blocks" in m)
    details = await maya.wait_for_message(
        "C0REPORTS", lambda m: "Trial in <#C0GENERAL>" in str(m.get("blocks")), thread=head["ts"]
    )
    assert "“second-model” on trial" in str(details["blocks"])
