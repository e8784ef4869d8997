"""A person's answer is marked, proposed once, and kept once as what somebody chose, for those who may read it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer, Reply, answer
from pydantic import SecretStr
from running_process import opened_slack, running

from bot.audit import Audit
from bot.config import Settings
from bot.config.sections import Storage
from bot.learning.golden_questions import GoldenQuestion
from bot.learning.reviewed import Reviewed
from bot.storage.mark_table import marks
from bot.storage.tables import inbox
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver, Refused
from deploy.workspace.elements import elements_of
from deploy.workspace.state import JSON

GENERAL, FINANCE = "C0GENERAL", "G0FIN"
ASKED = "when do deploys run in December?"
ANSWERED = "They stop on 18 December, and begin again on 7 January."
LONG = f"{ANSWERED} Whoever has to deploy in between asks Ana on the phone, who has the key to the robot cellar. " * 2


@pytest.fixture
async def bot(workspace: Workspace, settings: Settings, server: ModelServer) -> AsyncIterator[ConnectedBot]:
    server.reply = answer("Deploys run on Tuesdays and Thursdays at 10:00. [1]")
    async with connected_bot(workspace, settings) as running:
        yield running


@pytest.fixture
async def sam(workspace: Workspace) -> AsyncIterator[Driver]:
    async with Driver(workspace.url, as_user="U0SAM") as driver:
        yield driver


async def ask(bot: ConnectedBot, person: Driver, channel: str = GENERAL) -> str:
    """The thread of a question that the bot answered."""
    ts = await person.post(channel, f"{SWITCHBOARD} {ASKED}")
    await person.wait_for_reply(channel, ts)
    await bot.idle(person)
    return ts


async def say(bot: ConnectedBot, person: Driver, thread: str, text: str = ANSWERED, channel: str = GENERAL) -> JSON:
    """A person's message in the thread, to everybody there."""
    ts = await person.post(channel, text, thread=thread)
    await bot.idle(person)
    return {"channel": channel, "ts": ts}


async def answered(bot: ConnectedBot, asker: Driver, helper: Driver, text: str = ANSWERED) -> tuple[str, JSON]:
    thread = await ask(bot, asker)
    return thread, await say(bot, helper, thread, f"<@{asker.user}> {text}" if text == ANSWERED else text)


async def check(bot: ConnectedBot, person: Driver, message: JSON, name: str = "white_check_mark") -> None:
    await person.react(message, name)
    await bot.idle(person)


async def cards(person: Driver, thread: str, channel: str = GENERAL) -> list[JSON]:
    """The review cards in a thread, whatever they say."""
    words = (" marked ", "Kept by", "Not kept", "so I keep nothing")
    found = [m for m in await person.history(channel, thread) if any(each in m["text"] for each in words)]
    return [m for m in found if m["user"] == "U0SWITCH"]


async def card(person: Driver, thread: str, channel: str = GENERAL) -> JSON:
    (only,) = await cards(person, thread, channel)
    return only


def checked(where: JSON, *wanted: str) -> JSON:
    """The state of the boxes: those that come checked, or these."""
    ((block, boxes),) = [(b, e) for b, e in elements_of(where["blocks"]) if e["type"] == "checkboxes"]
    options = boxes.get("initial_options", []) if not wanted else [o for o in boxes["options"] if o["value"] in wanted]
    return {block["block_id"]: {boxes["action_id"]: {"type": "checkboxes", "selected_options": options}}}


async def press(bot: ConnectedBot, person: Driver, where: JSON, button: str, *wanted: str) -> None:
    await person.click(where, button, state=checked(where, *wanted))
    await bot.idle(person)


async def all_at_once(where: JSON, *people: Driver) -> None:
    """They press Keep; for some the button is gone already."""
    presses = [person.click(where, "keep_answer", state=checked(where)) for person in people]
    ended = await asyncio.gather(*presses, return_exceptions=True)
    assert None in ended
    assert all(each is None or isinstance(each, Refused) for each in ended)


async def kept(bot: ConnectedBot) -> tuple[list[Reviewed], list[GoldenQuestion]]:
    return await bot.core.examples.listed(None), await bot.core.golden.listed(None)


async def told(person: Driver, words: str, channel: str = GENERAL) -> None:
    await person.wait_for_ephemeral(channel, lambda m: words in m["text"])


async def test_an_answer_that_its_asker_checks_is_proposed_once_and_kept_once(
    bot: ConnectedBot, maya: Driver, leo: Driver, sam: Driver
) -> None:
    thread, message = await answered(bot, leo, sam)
    await check(bot, leo, message)
    await check(bot, maya, message, "heavy_check_mark")
    await maya.shortcut("mark_answer", message)
    await bot.idle(maya)
    await told(maya, "<@U0LEO> has marked it already: I ask in the thread.")
    shown = await card(leo, thread)
    assert shown["text"] == "<@U0LEO> marked <@U0SAM>’s answer. Shall I keep it?"
    said = str(shown["blocks"])
    assert ASKED in said
    assert "They stop on 18 December" in said
    assert "the example is for the members of this channel, and for everyone where an admin presses Keep" in said
    boxes = checked(shown)["chosen"]["chosen"]["selected_options"]
    assert [each["value"] for each in boxes] == ["example", "golden"]
    await press(bot, leo, shown, "keep_answer")
    assert (await card(leo, thread))["text"].endswith("Kept by <@U0LEO>: an example and a golden question.")
    ((example,), (golden,)) = await kept(bot)
    assert (example.example.question, example.example.author, example.example.saved_by) == (ASKED, "U0SAM", "U0LEO")
    assert example.example.readers == {f"channel:{GENERAL}"}
    assert golden.readers == {"everyone"}
    assert (golden.question, golden.author, golden.reviewed_by) == (ASKED, "U0SAM", "U0LEO")
    assert golden.answer == example.example.answer == ANSWERED
    assert message["ts"].replace(".", "") in golden.source
    entries = [entry for entry in await Audit(bot.core.engine).entries() if entry.action.startswith("answer")]
    assert [(entry.action, entry.who, entry.subject) for entry in entries] == [
        ("answer kept", "U0LEO", f"message {GENERAL} {message['ts']}")
    ]
    assert entries[0].after == f"example {example.example.id}, golden question {golden.id}"
    await maya.shortcut("mark_answer", message)
    await bot.idle(maya)
    await told(maya, "<@U0LEO> has kept this answer already.")
    assert len(await cards(leo, thread)) == 1


async def test_an_admin_keeps_it_for_everyone_and_a_long_answer_as_a_document_too(
    bot: ConnectedBot, maya: Driver, sam: Driver
) -> None:
    thread = await ask(bot, maya)
    message = await say(bot, sam, thread, LONG)
    await check(bot, sam, message)
    shown = await card(maya, thread)
    assert shown["text"] == "<@U0SAM> marked their own answer. Shall I keep it?"
    await press(bot, maya, shown, "keep_answer")
    assert "an example, a golden question and a document" in (await card(maya, thread))["text"]
    ((example,), (golden,)) = await kept(bot)
    assert example.example.readers == golden.readers == {"everyone"}
    found = await bot.core.knowledge.search("key to the robot cellar", scopes=frozenset({"everyone"}))
    (passage,) = [each for each in found.passages if each.source == "saved from Slack"]
    assert ASKED in passage.title
    assert thread.replace(".", "") in str(passage.url)


async def test_in_a_private_place_all_of_it_is_for_those_who_read_there(
    bot: ConnectedBot, maya: Driver, leo: Driver, workspace: Workspace
) -> None:
    thread = await ask(bot, maya, FINANCE)
    async with Driver(workspace.url, as_user="U0ANA") as ana:
        message = await say(bot, ana, thread, LONG, FINANCE)
    await check(bot, maya, message)
    shown = await card(maya, thread, FINANCE)
    assert "All of it is only for those who can read here." in str(shown["blocks"])
    await press(bot, maya, shown, "keep_answer")
    ((example,), (golden,)) = await kept(bot)
    assert example.example.readers == golden.readers == {f"channel:{FINANCE}"}
    for scopes, there in ((frozenset({"everyone"}), False), (frozenset({f"channel:{FINANCE}"}), True)):
        found = await bot.core.knowledge.search("key to the robot cellar", scopes=scopes)
        assert any(each.source == "saved from Slack" for each in found.passages) is there


async def test_a_mark_that_is_taken_away_withdraws_the_proposal_and_a_new_one_opens_the_same_card(
    bot: ConnectedBot, maya: Driver, leo: Driver, sam: Driver
) -> None:
    thread, message = await answered(bot, leo, sam)
    await check(bot, leo, message)
    open_card = await card(leo, thread)
    await maya.react(message, "white_check_mark")
    await maya.unreact(message, "white_check_mark")
    await bot.idle(maya)
    assert "Shall I keep it?" in (await card(leo, thread))["text"]
    await leo.unreact(message, "white_check_mark")
    await bot.idle(leo)
    assert (await card(leo, thread))["text"] == "The mark or the answer was taken away, so I keep nothing."
    await check(bot, maya, message)
    again = await card(leo, thread)
    assert again["text"] == "<@U0MAYA> marked <@U0SAM>’s answer. Shall I keep it?"
    assert again["ts"] == open_card["ts"]
    await press(bot, leo, again, "put_off_answer")
    assert (await card(leo, thread))["text"].startswith("Not kept for now, says <@U0LEO>.")
    assert await kept(bot) == ([], [])
    await leo.shortcut("mark_answer", message)
    await bot.idle(leo)
    assert (await card(leo, thread))["ts"] == open_card["ts"]
    await sam.delete(message)
    await bot.idle(sam)
    assert (await card(leo, thread))["text"] == "The mark or the answer was taken away, so I keep nothing."


async def test_what_is_kept_is_what_stands_there_at_that_time(bot: ConnectedBot, leo: Driver, sam: Driver) -> None:
    thread, message = await answered(bot, leo, sam)
    await check(bot, leo, message)
    old = await card(leo, thread)
    secret = "ghp_" + "a1B2" * 9
    await sam.edit(message, f"They stop on 19 December. The password is {secret}.")
    await bot.idle(sam)
    shown = await card(leo, thread)
    assert "19 December" in str(shown["blocks"])
    assert secret not in str(shown)
    await press(bot, leo, old, "keep_answer", "golden")
    examples, (golden,) = await kept(bot)
    assert examples == []
    assert golden.answer.startswith("They stop on 19 December.")
    assert secret not in golden.answer


async def test_question_and_answer_are_put_right_in_a_modal_and_kept_as_what_is_checked(
    bot: ConnectedBot, leo: Driver, sam: Driver
) -> None:
    thread, message = await answered(bot, leo, sam)
    await check(bot, leo, message)
    shown = await card(leo, thread)
    await leo.click(shown, "edit_answer", state=checked(shown, "golden"))
    view = await leo.wait_for_view()
    assert [each["value"] for each in checked(view)["chosen"]["chosen"]["selected_options"]] == ["golden"]
    refused = await leo.submit_view(view, {"question": "When do deploys stop?", "answer": "?"})
    assert refused["errors"] == {"answer": "It has no answer."}
    words = {"question": "When do deploys stop in 2026?", "answer": "On 18 December.", "chosen": ["example"]}
    await leo.submit_view(view, words)
    await bot.idle(leo)
    assert (await card(leo, thread))["text"].endswith("Kept by <@U0LEO>: an example.")
    (example,), golden = await kept(bot)
    assert golden == []
    assert (example.example.question, example.example.answer) == ("When do deploys stop in 2026?", "On 18 December.")


async def test_what_is_no_answer_or_not_theirs_to_mark_is_refused_in_a_sentence_and_with_a_reaction_in_silence(
    bot: ConnectedBot, maya: Driver, leo: Driver, sam: Driver, workspace: Workspace
) -> None:
    thread, message = await answered(bot, leo, sam)
    (reply,) = [m for m in await leo.history(GENERAL, thread) if m["user"] == "U0SWITCH"]
    root = {"channel": GENERAL, "ts": thread}
    lone = {"channel": GENERAL, "ts": await sam.post(GENERAL, "Lunch is at noon.")}
    smile = await say(bot, sam, thread, ":tada:")
    for what, words in (
        (reply, "A program wrote this"),
        (root, "This is a question."),
        (lone, "Nobody has asked me anything in this thread"),
        (smile, "There are no words in this message"),
    ):
        await leo.react(what, "white_check_mark")
        await leo.shortcut("mark_answer", what)
        await told(leo, words)
    await maya.control("set_person", user="U0ANA", is_restricted=True)
    async with Driver(workspace.url, as_user="U0ANA") as guest:
        await guest.react(message, "white_check_mark")
        await guest.shortcut("mark_answer", message)
        await told(guest, "Only a full member of this workspace can mark an answer")
        await bot.idle(guest)
        assert await cards(leo, thread) == []
        assert await guest.history(guest.dm) == []
        await check(bot, leo, message)
        await press(bot, guest, await card(leo, thread), "keep_answer")
        await told(guest, "Only a full member of this workspace can do that")
    await check(bot, leo, message, "thumbsup")
    shown = await card(leo, thread)
    await leo.click(shown, "keep_answer", state={"chosen": {"chosen": {"type": "checkboxes", "selected_options": []}}})
    await told(leo, "Nothing is checked.")
    await bot.idle(leo)
    assert await kept(bot) == ([], [])
    await press(bot, leo, shown, "keep_answer")
    assert len((await kept(bot))[0]) == 1


async def test_where_the_model_failed_and_a_person_was_asked_their_answer_is_kept(
    bot: ConnectedBot, server: ModelServer, maya: Driver, leo: Driver, sam: Driver
) -> None:
    await bot.core.owners.set("channel", GENERAL, "U0SAM", "U0MAYA")
    server.reply = Reply(status=400, error={"error": {"message": "no"}})
    thread = await leo.post(GENERAL, f"{SWITCHBOARD} strategy:zero_shot model:test-model {ASKED}")
    failed = await leo.wait_for_reply(GENERAL, thread)
    await leo.click(failed, "need_a_person")
    await bot.idle(leo)
    message = await say(bot, sam, thread)
    await check(bot, sam, message)
    await press(bot, leo, await card(leo, thread), "keep_answer")
    _, (golden,) = await kept(bot)
    assert (golden.question, golden.answer) == (ASKED, ANSWERED)


async def test_who_asked_may_mark_as_a_guest_too(bot: ConnectedBot, maya: Driver, leo: Driver, sam: Driver) -> None:
    thread, message = await answered(bot, leo, sam)
    await maya.control("set_person", user="U0LEO", is_restricted=True)
    await check(bot, leo, message)
    assert (await card(maya, thread))["text"].startswith("<@U0LEO> marked")


async def test_of_all_reactions_only_a_check_mark_is_kept_for_work(bot: ConnectedBot, leo: Driver, sam: Driver) -> None:
    thread, message = await answered(bot, leo, sam)
    for name in ("tada", "white_check_mark"):
        await check(bot, leo, message, name)
    sent = {body["event"]["reaction"]: body["event_id"] for body in await leo.sent("reaction_added")}
    async with bot.core.engine.connect() as connection:
        there = set((await connection.execute(sa.select(inbox.c.event_id))).scalars())
    assert {name for name, id in sent.items() if id in there} == {"white_check_mark"}
    assert len(await cards(leo, thread)) == 1


async def test_whoever_keeps_an_example_beside_one_that_asks_the_same_is_told(
    bot: ConnectedBot, leo: Driver, sam: Driver
) -> None:
    await bot.core.examples.save(ASKED, "On Tuesdays.", {f"channel:{GENERAL}"}, "U0MAYA")
    thread, message = await answered(bot, leo, sam)
    await check(bot, leo, message)
    await press(bot, leo, await card(leo, thread), "keep_answer")
    await told(leo, "There was an example that asks the same, so there are two now")
    assert len((await kept(bot))[0]) == 2


async def test_a_document_that_cannot_be_kept_is_told_to_who_wanted_it_alone(bot: ConnectedBot, leo: Driver) -> None:
    thread = await ask(bot, leo)
    message = await say(bot, leo, thread, f"<@U0SAM> {LONG}")  # alone with the bot in the thread
    await check(bot, leo, message)
    await press(bot, leo, await card(leo, thread), "keep_answer", "document")
    assert (await card(leo, thread))["text"].startswith("Not kept for now, says <@U0LEO>.")
    await leo.shortcut("mark_answer", message)
    await bot.idle(leo)
    await press(bot, leo, await card(leo, thread), "keep_answer")
    await told(leo, "I could not keep the thread as a document. There is nothing in it")
    assert (await card(leo, thread))["text"].endswith("Kept by <@U0LEO>: an example and a golden question.")


async def test_a_card_that_a_dead_process_posted_is_found_and_not_posted_again(
    bot: ConnectedBot, leo: Driver, maya: Driver, sam: Driver
) -> None:
    thread, message = await answered(bot, leo, sam)
    await check(bot, leo, message)
    async with bot.core.engine.begin() as connection:  # as one that was killed right after it posted leaves it
        await connection.execute(sa.update(marks).values(card=None, worker="gone"))
        await connection.execute(sa.text("UPDATE reply_parts SET ts = NULL WHERE part LIKE 'm%'"))
    await check(bot, maya, message)
    shown = await card(leo, thread)
    await press(bot, leo, shown, "keep_answer")
    assert "Kept by <@U0LEO>" in (await card(leo, thread))["text"]


async def test_two_bots_on_one_database_keep_it_once(
    workspace: Workspace,
    settings: Settings,
    server: ModelServer,
    leo: Driver,
    sam: Driver,
    maya: Driver,
    empty_postgres: str,
) -> None:
    server.reply = answer("Deploys run on Tuesdays and Thursdays at 10:00. [1]")
    shared = settings.model_copy(update={"storage": Storage(url=SecretStr(empty_postgres))})
    other = shared.model_copy(update={"data_dir": settings.data_dir.with_name("other")})
    async with connected_bot(workspace, shared) as first, connected_bot(workspace, other) as second:
        bot = ConnectedBot(
            first.core, first.under_way, first.client, first.url, first.schedule, beside=(second.under_way,)
        )
        thread, message = await answered(bot, leo, sam)
        for person in (leo, maya, sam):
            await person.react(message, "white_check_mark")
        await bot.idle(leo)
        shown = await card(leo, thread)
        await all_at_once(shown, leo, maya, sam, leo, maya, sam)
        await bot.idle(leo)
        assert (await card(leo, thread))["text"].endswith("an example and a golden question.")
        examples, golden = await kept(bot)
        assert (len(examples), len(golden)) == (1, 1)


async def test_a_kill_between_keeping_and_the_cards_edit_leaves_it_kept_once_and_the_card_says_so(
    tmp_path: Path, models_dir: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "deploys.md").write_text("# Deploys\n\nDeploys run on Tuesdays.\n")
    async with opened_slack() as slack, Driver(slack.workspace.url, "U0SAM", timeout=60) as sam:
        maya, env = slack.maya, slack.environment(tmp_path, models_dir)
        slack.models.script(answer("On Tuesdays. [1]"))
        async with running(tmp_path, env) as first:
            thread = await maya.post("C0HELP", f"{SWITCHBOARD} {ASKED}")
            await maya.wait_for_reply("C0HELP", thread, lambda m: "actions" in str(m.get("blocks")))
            message = {"channel": "C0HELP", "ts": await sam.post("C0HELP", LONG, thread=thread)}
            await maya.react(message, "white_check_mark")
            shown = await maya.wait_for_reply("C0HELP", thread, lambda m: "Shall I keep it?" in m["text"])
            await maya.fault("chat.update", "rate_limited", retry_after=600)
            await maya.click(shown, "keep_answer", state=checked(shown))
            await maya.wait_for_call("chat.update", ts=shown["ts"])
            first.kill()
            await first.wait()
        assert "Shall I keep it?" in (await card(maya, thread, "C0HELP"))["text"]
        async with running(tmp_path, env):
            await maya.wait_for_reply("C0HELP", thread, lambda m: "Kept by" in m["text"])
        assert "an example, a golden question and a document" in (await card(maya, thread, "C0HELP"))["text"]
    with closing(sqlite3.connect(tmp_path / "data" / "switchboard.db")) as database:
        for table in ("examples", "golden_questions", "knowledge_saved"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,), table  # noqa: S608
