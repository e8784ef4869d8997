"""“I need a person”: who looks after a place is tagged once, asked again once, and nobody else is shown a question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer, answer

from bot.config import Report, Settings
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from handlers.begun import Begun
from handlers.blocks.answer import question_of
from handlers.handing_off import FollowingUp
from handlers.identity import Identity

ASKED = "when do deploys run?"


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def bot(
    workspace: Workspace, settings: Settings, server: ModelServer, clock: Clock
) -> AsyncIterator[ConnectedBot]:
    server.reply = answer("Deploys run on Tuesdays and Thursdays at 10:00. [1]")
    settings = settings.model_copy(update={"report": Report(channel="C0REPORTS")})
    async with connected_bot(workspace, settings, clock=clock) as running:
        yield running


@pytest.fixture
async def sam(workspace: Workspace) -> AsyncIterator[Driver]:
    async with Driver(workspace.url, as_user="U0SAM") as driver:
        yield driver


async def ask(bot: ConnectedBot, person: Driver, channel: str = "C0GENERAL") -> tuple[str, JSON]:
    """The thread, and the answer in it."""
    ts = await person.post(channel, f"{SWITCHBOARD} {ASKED}")
    reply = await person.wait_for_reply(channel, ts)
    await bot.idle(person)
    return ts, reply


async def press(bot: ConnectedBot, person: Driver, reply: JSON) -> None:
    await person.click(reply, "need_a_person")
    await bot.idle(person)


async def follow_up(bot: ConnectedBot) -> None:
    identity = Identity(bot.client)
    await FollowingUp(bot.client, bot.core, Begun(bot.client, bot.core.replies, identity), identity).run()


async def calls_for(person: Driver, channel: str, ts: str, owner: str = "<@U0SAM>") -> list[str]:
    return [m["text"] for m in await person.history(channel, ts) if m["text"].startswith(f"{owner},")]


async def dislike(bot: ConnectedBot, person: Driver, reply: JSON, reason: str = "") -> JSON:
    """A thumb down; the modal is sent with a reason, or closed without. Gives the thanks."""
    seen = len(person.events)
    await person.click(reply, "feedback", value=f"down:{question_of(reply)}")
    view = await person.wait_for_view(after=seen)
    if reason:
        await person.submit_view(view, {"reason": reason})
    else:
        await person.close_view(view)
    thanks = await person.wait_for_ephemeral("C0GENERAL", lambda m: m["text"].startswith("Thank you"))
    await bot.idle(person)
    return thanks


async def owner(bot: ConnectedBot, person: Driver, words: str, channel: str = "C0GENERAL") -> str:
    await person.command("/switchboard", f"owner {words}", channel=channel)
    told = await person.wait_for_ephemeral(channel, lambda m: "looks after" in m["text"] or "do not know" in m["text"])
    return str(told["text"])


async def test_the_owner_of_the_channel_is_tagged_once_and_asked_again_once(
    bot: ConnectedBot, maya: Driver, leo: Driver, clock: Clock
) -> None:
    assert "From now on <@U0SAM> looks after" in await owner(bot, maya, "@sam")
    ts, reply = await ask(bot, maya)
    await press(bot, maya, reply)
    await press(bot, leo, reply)
    (told,) = await calls_for(leo, "C0GENERAL", ts)
    assert told == f"<@U0SAM>, <@U0MAYA> needs a person here: “{ASKED}”"
    await leo.wait_for_ephemeral("C0GENERAL", lambda m: "<@U0SAM> was asked already" in m["text"])
    await follow_up(bot)
    clock.ahead = timedelta(days=4)
    await follow_up(bot)
    await follow_up(bot)
    assert (await calls_for(leo, "C0GENERAL", ts))[1:] == [
        "<@U0SAM>, <@U0MAYA> still waits for a person here. I will not ask again."
    ]


async def test_a_thumb_down_is_a_question_without_a_good_answer_for_members_to_see(
    bot: ConnectedBot, maya: Driver
) -> None:
    await maya.command("/switchboard", "coverage", channel="C0GENERAL")
    await maya.wait_for_ephemeral("C0GENERAL", lambda m: "found an answer that nobody disliked" in m["text"])
    await bot.core.owners.set("channel", "C0GENERAL", "U0SAM", "U0MAYA")
    _, reply = await ask(bot, maya)
    await dislike(bot, maya, reply)
    await maya.command("/switchboard", "coverage", channel="C0GENERAL")
    told = await maya.wait_for_ephemeral("C0GENERAL", lambda m: "no good answer" in m["text"])
    assert told["text"].splitlines() == [
        "*1 question of the last seven days found no good answer.*",
        f"• deploys, run (1, new this week): “{ASKED}” · ask <@U0SAM>",
    ]


async def test_after_a_thumb_down_a_person_is_one_press_away_and_one_answer_has_one_hand_off(
    bot: ConnectedBot, maya: Driver, leo: Driver, workspace: Workspace
) -> None:
    await bot.core.owners.set("channel", "C0GENERAL", "U0SAM", "U0MAYA")
    ts, reply = await ask(bot, maya)
    said, silent = await dislike(bot, maya, reply, "wrong"), await dislike(bot, leo, reply)
    for thanks in (said, silent):
        (buttons,) = [block["elements"] for block in thanks["blocks"] if block["type"] == "actions"]
        assert [(one["action_id"], one.get("style")) for one in buttons] == [
            ("need_a_person", "primary"),
            ("change_feedback", None),
            ("take_back_feedback", None),
        ]
    presses = (maya.click(said, "need_a_person"), leo.click(silent, "need_a_person"), leo.click(reply, "need_a_person"))
    await asyncio.gather(*presses)
    await bot.idle(maya)
    assert len(await calls_for(maya, "C0GENERAL", ts)) == 1
    await leo.wait_for_ephemeral("C0GENERAL", lambda m: "<@U0SAM> was asked already, <!date^" in m["text"])
    seen = len(maya.events)
    await press(bot, maya, reply)
    assert [event for event in maya.events[seen:] if "<@U0SAM> was asked already" in str(event)]
    async with Driver(workspace.url, as_user="U0ANA") as ana:
        thanks = await dislike(bot, ana, reply, "outdated")
    shown = str(thanks["blocks"])
    assert "<@U0SAM> was asked already, <!date^" in shown
    assert "need_a_person" not in shown
    assert len(await calls_for(maya, "C0GENERAL", ts)) == 1


async def test_who_could_not_be_told_is_told_with_the_next_press(bot: ConnectedBot, maya: Driver, leo: Driver) -> None:
    await bot.core.owners.set("channel", "C0GENERAL", "U0SAM", "U0MAYA")
    ts, reply = await ask(bot, maya)
    await maya.fault("chat.postMessage", "error", error="restricted_action", times=1)
    await press(bot, maya, reply)
    assert await calls_for(maya, "C0GENERAL", ts) == []
    await press(bot, leo, reply)
    assert await calls_for(maya, "C0GENERAL", ts) == [f"<@U0SAM>, <@U0MAYA> needs a person here: “{ASKED}”"]


async def test_an_owner_who_wrote_is_left_in_peace(bot: ConnectedBot, maya: Driver, sam: Driver, clock: Clock) -> None:
    await bot.core.owners.set("channel", "C0GENERAL", "U0SAM", "U0MAYA")
    ts, reply = await ask(bot, maya)
    await press(bot, maya, reply)
    await sam.post("C0GENERAL", "Only on Tuesdays from now on.", thread=ts)
    clock.ahead = timedelta(days=4)
    await follow_up(bot)
    assert len(await calls_for(maya, "C0GENERAL", ts)) == 1


async def test_the_words_in_a_thread_do_the_same_and_the_source_has_an_owner_too(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await maya.command("/knowledge", "owner docs @sam")
    await maya.wait_for_ephemeral("C0GENERAL", lambda m: "looks after the source “docs”" in m["text"])
    ts, _ = await ask(bot, maya)
    await leo.post("C0GENERAL", "I need a person, please!", thread=ts)
    await bot.idle(leo)
    (told,) = [m for m in await maya.history("C0GENERAL", ts) if "<@U0SAM>" in m["text"]]
    assert told["text"].startswith("<@U0SAM>, <@U0LEO> needs a person here")
    assert "looks after the source “docs”" in str(told["blocks"])


async def test_who_left_or_cannot_read_there_is_not_tagged_and_named_to_who_is_asked_instead(
    bot: ConnectedBot, maya: Driver
) -> None:
    await bot.core.owners.set("channel", "G0FIN", "U0LEO", "U0MAYA")
    await bot.core.owners.set("source", "docs", "U0ANA", "U0MAYA")
    ts, reply = await ask(bot, maya, "G0FIN")
    await press(bot, maya, reply)
    (told,) = [m for m in await maya.history("G0FIN", ts) if "needs a person" in m["text"]]
    assert told["text"].startswith("<@U0ANA>")
    assert "Leo Brandt cannot read here, so I did not ask them." in str(told["blocks"])


async def test_without_an_owner_the_admins_hear_of_it_and_of_a_private_place_not_the_question(
    bot: ConnectedBot, maya: Driver
) -> None:
    _, reply = await ask(bot, maya)
    await press(bot, maya, reply)
    await maya.wait_for_ephemeral("C0GENERAL", lambda m: "I told the people who look after me" in m["text"])
    _, private = await ask(bot, maya, "G0FIN")
    await press(bot, maya, private)
    first, second = [m["text"] for m in await maya.history("C0REPORTS") if "needs a person" in m["text"]]
    assert ASKED in first
    assert ASKED not in second
    assert "G0FIN" not in second


async def test_a_question_that_nobody_else_saw_is_passed_on_after_the_asker_agreed(
    bot: ConnectedBot, maya: Driver, sam: Driver
) -> None:
    await bot.core.owners.set("source", "docs", "U0SAM", "U0MAYA")
    await maya.command("/ask", ASKED)
    shown = await maya.wait_for_ephemeral("C0GENERAL", lambda m: "need_a_person" in str(m.get("blocks")))
    await bot.idle(maya)
    await press(bot, maya, shown)
    offered = await maya.wait_for_ephemeral("C0GENERAL", lambda m: "Shall I show your question" in m["text"])
    assert [m for m in await sam.history("D0SAM") if ASKED in m["text"]] == []
    await maya.click(offered, "pass_on")
    await bot.idle(maya)
    (told,) = [m for m in await sam.history("D0SAM") if ASKED in m["text"]]
    assert "<@U0MAYA> needs a person, and wanted you to see this question" in told["text"]
    assert not [m for m in await sam.history("C0GENERAL") if "needs a person" in m["text"]]


@pytest.mark.parametrize("who", ["@nobody-here", "@switchboard", "U0NOBODY", "<@U0SWITCH>"])
async def test_whoever_is_no_person_of_the_team_cannot_be_an_owner(bot: ConnectedBot, maya: Driver, who: str) -> None:
    assert "I do not know a full member of this workspace called" in await owner(bot, maya, who)
    assert await bot.core.owners.of("channel", "C0GENERAL") is None


async def test_where_nothing_was_found_the_way_to_a_person_comes_first(bot: ConnectedBot, maya: Driver) -> None:
    reply = (await ask(bot, maya))[1]
    quiet = [e for block in reply["blocks"] for e in block.get("elements", ()) if e.get("action_id")]
    assert [e["action_id"] for e in quiet if e["type"] == "button"][-1] == "need_a_person"
    assert "style" not in quiet[-1]
