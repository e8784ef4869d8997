"""Messages in channels and in direct messages: which are answered, how, and what is kept."""

from __future__ import annotations

import pytest
from connected_bot import BOTH_DOORS, SWITCHBOARD, ConnectedBot
from model_server import ModelServer, answer

from deploy.workspace.driver import Driver
from knowledge.access import MEMBERS, channel

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


@BOTH_DOORS
async def test_a_mention_is_answered_in_its_thread_with_sources(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script("Deploys run on Tuesdays and Thursdays. [1]")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    assert reply["thread_ts"] == ts
    assert reply["text"].startswith("Deploys run on Tuesdays and Thursdays. [1]")
    shown = str(reply["blocks"])
    assert "https://docs.example/deploys.md" in shown
    assert "test-model" in shown
    assert "knowledge search (RAG)" in shown


async def test_a_follow_up_needs_no_mention_and_knows_what_was_said(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    # The second answer makes the follow-up question whole.
    server.script("On Tuesdays. [1]", "Do deploys run on Fridays?", "Never on Fridays. [1]")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    first = await maya.wait_for_reply("C0GENERAL", ts)
    await maya.post("C0GENERAL", "And what about deploys on Fridays?", thread=ts)
    second = await maya.wait_for_message("C0GENERAL", thread=ts, after=_after(first), predicate=_by_bot)
    assert second["text"].startswith("Never on Fridays.")
    assert "when do deploys run?" in server.chats[-1].prompt
    assert "On Tuesdays." in server.chats[-1].prompt


async def test_words_to_somebody_else_in_the_thread_are_not_answered_but_remembered(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("On Tuesdays. [1]", "Ask Leo. [1]")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    await maya.wait_for_reply("C0GENERAL", ts)
    await maya.post("C0GENERAL", "<@U0LEO> is that still right?", thread=ts)
    said = await leo.post("C0GENERAL", "Yes, the deploys calendar says so", thread=ts)
    await bot.idle(maya)
    assert len(server.chats) == 1
    await maya.post("C0GENERAL", f"{SWITCHBOARD} who said something about the deploys calendar?", thread=ts)
    await maya.wait_for_message("C0GENERAL", thread=ts, after=said, predicate=_by_bot)
    assert "the deploys calendar says so" in server.chats[-1].prompt


async def test_a_mention_in_a_thread_that_the_bot_did_not_follow_reads_it_first(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("It means vacation. [1]")
    ts = await leo.post("C0GENERAL", "My PTO balance is odd")
    await maya.post("C0GENERAL", f"{SWITCHBOARD} how many vacation days are there?", thread=ts)
    await leo.wait_for_message("C0GENERAL", thread=ts, after=ts, predicate=_by_bot)
    assert "My PTO balance is odd" in server.chats[-1].prompt


@BOTH_DOORS
async def test_a_direct_message_is_answered_without_a_mention_also_in_a_thread(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script("30 days. [1]", "Yes, everybody. [1]")
    ts = await maya.post(maya.dm, "How many vacation days are there?")
    first = await maya.wait_for_reply(maya.dm, ts)
    assert first["text"].startswith("30 days.")
    await maya.post(maya.dm, "Does everybody have that much vacation?", thread=ts)
    second = await maya.wait_for_message(maya.dm, thread=ts, after=_after(first), predicate=_by_bot)
    assert second["text"].startswith("Yes, everybody.")


async def test_a_channel_that_answers_everything_answers_questions_alone(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script("30 days. [1]")
    chatter = await maya.post("C0HELP", "Good morning everybody")
    to_leo = await maya.post("C0HELP", "<@U0LEO> how are you?")
    ts = await maya.post("C0HELP", "How many vacation days are there?")
    reply = await maya.wait_for_reply("C0HELP", ts)
    assert reply["text"].startswith("30 days.")
    await bot.idle(maya)
    assert len(await maya.history("C0HELP", chatter)) == len(await maya.history("C0HELP", to_leo)) == 1


async def test_private_knowledge_answers_its_own_channel_and_no_other(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    question = f"{SWITCHBOARD} what is the robot budget for 2027?"
    in_finance = await maya.post("G0FIN", question)
    await maya.wait_for_reply("G0FIN", in_finance)
    assert "41,000 euros" in server.chats[-1].prompt
    in_general = await maya.post("C0GENERAL", question)
    await maya.wait_for_reply("C0GENERAL", in_general)
    assert all("41,000 euros" not in chat.prompt for chat in server.chats[1:])


async def test_a_direct_message_is_answered_from_what_the_person_may_read(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    question = "What is the robot budget for 2027?"
    await maya.wait_for_reply(maya.dm, await maya.post(maya.dm, question))
    assert "41,000 euros" in server.chats[-1].prompt
    asked = len(server.chats)
    await leo.wait_for_reply(leo.dm, await leo.post(leo.dm, question))
    assert all("41,000 euros" not in chat.prompt for chat in server.chats[asked:])


async def test_a_mention_inside_code_is_no_mention(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    ts = await maya.post("C0GENERAL", "Write `@switchboard hello` to ask it")
    await bot.idle(maya)
    assert len(await maya.history("C0GENERAL", ts)) == 1
    assert server.chats == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SWITCHBOARD, "Ask me something after my name"),
        (f"{SWITCHBOARD} :tada: 🎉", "I can answer questions in words"),
    ],
)
async def test_a_mention_without_words_gets_a_friendly_hint(
    bot: ConnectedBot, maya: Driver, server: ModelServer, text: str, said: str
) -> None:
    ts = await maya.post("C0GENERAL", text)
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    assert said in reply["text"]
    assert server.chats == []


async def test_thanks_are_taken_and_cost_nothing(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    ts = await maya.post(maya.dm, "Thank you! :pray:")
    assert "Glad to help" in (await maya.wait_for_reply(maya.dm, ts))["text"]
    assert server.chats == []


async def test_who_asks_what_the_bot_can_do_gets_the_help_whatever_the_documents_say(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} hi, what can you do?")
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    assert "What I can do" in reply["text"]
    assert "`/ask QUESTION`" in str(reply["blocks"])
    assert server.chats == []


async def test_an_image_alone_gets_a_hint_that_names_it(bot: ConnectedBot, maya: Driver) -> None:
    ts = await maya.post(maya.dm, "", files={"robot.png": PNG})
    reply = await maya.wait_for_reply(maya.dm, ts)
    assert "robot.png" in reply["text"]
    assert "What would you like to know?" in reply["text"]


async def test_another_script_is_answered_like_any_other(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    server.script("火曜日です。")
    ts = await maya.post(maya.dm, "デプロイはいつですか")
    reply = await maya.wait_for_reply(maya.dm, ts)
    assert reply["text"]


async def test_forty_thousand_characters_end_in_an_answer_or_a_reason(bot: ConnectedBot, maya: Driver) -> None:
    ts = await maya.post(maya.dm, "deploy " * 5700 + "?")
    reply = await maya.wait_for_reply(maya.dm, ts)
    assert reply["text"]
    assert "Something went wrong" not in reply["text"]


async def test_the_same_event_three_times_gets_one_answer(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    await maya.wait_for_reply("C0GENERAL", ts)
    for body in await maya.sent("app_mention"):
        await maya.control("redeliver", event_id=body["event_id"], times=2)
    await bot.idle(maya)
    assert len(await maya.history("C0GENERAL", ts)) == 2
    assert len(server.chats) == 1


async def test_messages_of_bots_are_ignored_even_where_everything_is_answered(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    posted = await bot.client.chat_postMessage(channel="C0HELP", text="When do deploys run?")
    await bot.idle(maya)
    assert len(await maya.history("C0HELP", str(posted["ts"]))) == 1
    assert server.chats == []


async def test_an_edit_and_a_deletion_change_what_the_bot_remembers(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script(answer("On Tuesdays. [1]"), answer("Then never. [1]"))
    ts = await maya.post(maya.dm, "When do deploys run, Ottilie?")
    first = await maya.wait_for_reply(maya.dm, ts)
    deleted = await maya.post(maya.dm, ":eyes:", thread=ts)
    hint = await maya.wait_for_message(maya.dm, thread=ts, after=deleted, predicate=_by_bot)
    question = (await maya.history(maya.dm, ts))[0]
    await maya.edit(question, "When do deploys run, Zebedee?")
    await bot.idle(maya)
    assert len(server.chats) == 1
    await maya.post(maya.dm, "And do deploys run on Fridays?", thread=ts)
    await maya.wait_for_message(maya.dm, thread=ts, after=hint["ts"], predicate=_by_bot)
    assert "Zebedee" in server.chats[-1].prompt
    assert "Ottilie" not in server.chats[-1].prompt
    # All of her channels were searched for an answer that she alone reads.
    hers = MEMBERS | {channel("G0FIN")}
    turns = await bot.core.conversations.turns(maya.dm, ts, hers)
    assert first["text"] in [turn.text for turn in turns]


async def test_a_deleted_follow_up_is_forgotten(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    await maya.wait_for_reply("C0GENERAL", ts)
    slip = await maya.post("C0GENERAL", "<@U0LEO> my badge number is 4711", thread=ts)
    await bot.idle(maya)
    assert "4711" in str(await bot.core.conversations.turns("C0GENERAL", ts, MEMBERS))
    await maya.delete(next(m for m in await maya.history("C0GENERAL", ts) if m["ts"] == slip))
    await bot.idle(maya)
    assert "4711" not in str(await bot.core.conversations.turns("C0GENERAL", ts, MEMBERS))


@BOTH_DOORS
async def test_a_model_is_switched_for_a_thread_by_a_mention(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} model use offline")
    told = await maya.wait_for_reply("C0GENERAL", ts)
    assert "offline" in told["text"]
    assert "in this thread" in told["text"]
    await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?", thread=ts)
    reply = await maya.wait_for_message("C0GENERAL", thread=ts, after=told["ts"], predicate=_by_bot)
    assert "Tuesdays" in reply["text"]
    assert server.chats == []


def _by_bot(message: dict[str, object]) -> bool:
    return message["user"] == "U0SWITCH" and not message.get("streaming") and bool(message["text"])


def _after(message: dict[str, object]) -> str:
    return str(message["ts"])
