"""The buttons under an answer, the message shortcuts, the Home tab and the agent view."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from connected_bot import BOTH_DOORS, SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer, Reply, unauthorized

from bot.audit import Audit
from bot.config import Settings, Slack
from bot.domain import Question
from bot.learning.feedback import Given, Reason, by_reason
from bot.replies import Replies
from bot.selection.questions import Questions
from bot.storage.cost_tables import ledger
from bot.storage.tables import feedback, labels
from bot.storage.work_tables import reply_parts
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON

ALWAYS = (datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1))


@pytest.fixture
async def answer(bot: ConnectedBot, maya: Driver, server: ModelServer) -> JSON:
    """An answer in #general."""
    server.script("Deploys run on Tuesdays. [1]")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    await bot.idle(maya)
    return reply


async def told(person: Driver, words: str, channel: str = "C0GENERAL") -> JSON:
    """The ephemeral message that has these words."""
    return await person.wait_for_ephemeral(channel, lambda m: words in m["text"] or words in str(m.get("blocks")))


async def which_is_better(person: Driver, answer: JSON, channel: str = "C0GENERAL") -> JSON:
    """The message under a second answer that asks which one to keep."""
    return await person.wait_for_message(channel, lambda m: "keep_this" in str(m), thread=answer["thread_ts"])


async def choice_between(bot: ConnectedBot, person: Driver, second: str) -> JSON:
    """The two buttons once more, as somebody sees them who has not loaded the message anew."""
    elements = [{**_button(name), "value": second} for name in ("keep_this", "keep_first")]
    blocks = [{"type": "actions", "elements": elements}]
    posted = await bot.client.chat_postMessage(channel="C0GENERAL", text="Which?", blocks=blocks)
    return await person.wait_for_message("C0GENERAL", lambda m: m["ts"] == posted["ts"])


async def signals(bot: ConnectedBot) -> dict[tuple[str, str], str]:
    """What each person did with each answer."""
    async with bot.core.engine.connect() as connection:
        rows = await connection.execute(sa.select(labels.c.person, labels.c.question_id, labels.c.signal))
        return {(person, question): signal for person, question, signal in rows}


@BOTH_DOORS
async def test_a_thumb_up_counts(bot: ConnectedBot, maya: Driver, leo: Driver, answer: JSON) -> None:
    for person in (maya, leo):
        await person.click(answer, "feedback", value=_value(answer, "positive_button"))
        await told(person, "Thank you")
    assert await bot.core.feedback.counts(*ALWAYS) == (2, 0)


@BOTH_DOORS
async def test_a_thumb_down_counts_at_once_and_takes_a_comment(bot: ConnectedBot, maya: Driver, answer: JSON) -> None:
    await maya.click(answer, "feedback", value=_value(answer, "negative_button"))
    view = await maya.wait_for_view()
    assert await bot.core.feedback.counts(*ALWAYS) == (0, 1)
    await maya.submit_view(view, {"comment": "It moved."})
    await told(maya, "Thank you")
    async with bot.core.engine.connect() as connection:
        columns = (feedback.c.value, feedback.c.reason, feedback.c.comment)
        rows = (await connection.execute(sa.select(*columns))).all()
    assert [tuple(row) for row in rows] == [(-1, None, "It moved.")]


async def test_a_thumb_down_has_a_reason_that_can_be_changed_taken_back_and_read_in_the_receipt(
    bot: ConnectedBot, maya: Driver, leo: Driver, answer: JSON
) -> None:
    await leo.click(answer, "feedback", value=_value(answer, "negative_button"))
    await leo.submit_view(await leo.wait_for_view(), {"reason": "outdated", "comment": "They moved to Mondays."})
    thanks = await told(leo, "Thank you")
    seen = len(leo.events)
    await leo.click(thanks, "change_feedback")
    view = await leo.wait_for_view(after=seen)
    assert "They moved to Mondays." in str(view["blocks"])
    await leo.submit_view(view, {"reason": "wrong"})
    await bot.idle(leo)
    question_id = _value(answer, "why")
    assert await bot.core.feedback.of(question_id, "U0LEO") == Given(-1, Reason.WRONG, "They moved to Mondays.")
    for person, words in ((leo, "You pressed :thumbsdown:: wrong, “They moved to Mondays.”"), (maya, "")):
        seen = len(person.events)
        await person.click(answer, "why")
        shown = str((await person.wait_for_view(after=seen))["blocks"])
        assert ":thumbsup: 0 · :thumbsdown: 1 (1 wrong)" in shown
        assert words in shown
        assert ("They moved" in shown) is bool(words)
    assert by_reason(await bot.core.feedback.reasons(*ALWAYS)) == "👎 by reason: 1 wrong."
    await leo.click(thanks, "take_back_feedback")
    await told(leo, "Taken back")
    assert await bot.core.feedback.counts(*ALWAYS) == (0, 0)
    assert await signals(bot) == {}


async def test_what_somebody_should_not_know_is_told_at_once_to_who_may_look_after_it(
    workspace: Workspace, settings: Settings, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    settings = settings.model_copy(update={"slack": Slack(admins=("U0MAYA", "U0SAM"))})
    async with Driver(workspace.url, as_user="U0SAM") as sam, connected_bot(workspace, settings) as bot:
        server.script("41,000 euros. [1]")
        ts = await maya.post("G0FIN", f"{SWITCHBOARD} what is the robot budget for 2027?")
        answer = await maya.wait_for_reply("G0FIN", ts)
        await bot.idle(maya)
        for _ in range(2):
            seen = len(maya.events)
            await maya.click(answer, "feedback", value=_value(answer, "negative_button"))
            await maya.submit_view(await maya.wait_for_view(after=seen), {"reason": "should not know this"})
            await maya.wait_for_ephemeral("G0FIN", lambda m: "it stands in the audit log" in m["text"])
            await bot.idle(maya)
        first = await maya.wait_for_message(maya.dm, lambda m: "should not know" in m["text"])
        assert "<@U0MAYA> says that an answer in <#G0FIN> told something" in first["text"]
        assert "• “Budget” of the source finance" in first["text"]
        second = await sam.wait_for_message(sam.dm, lambda m: "should not know" in m["text"])
        assert "• one document of the source finance that you may not read" in second["text"]
        assert "Budget" not in second["text"]
        assert "41,000" not in first["text"] + second["text"]
        assert len([m for m in await sam.history(sam.dm) if "should not know" in m["text"]]) == 1
        reported = [entry for entry in await Audit(bot.core.engine).entries() if entry.action == "answer reported"]
        assert [(entry.who, entry.after.split()[:2]) for entry in reported] == [("U0MAYA", ["cited", "finance"])]


@BOTH_DOORS
async def test_why_shows_the_receipt(bot: ConnectedBot, maya: Driver, leo: Driver, answer: JSON) -> None:
    await leo.click(answer, "why")
    view = await leo.wait_for_view()
    shown = str(view["blocks"])
    assert "*test-model* with knowledge search (RAG)" in shown
    assert "*Cost*" in shown
    assert "What was considered" in shown
    assert "https://docs.example/deploys.md" in shown


@BOTH_DOORS
async def test_a_receipt_is_not_shown_to_somebody_who_cannot_read_the_place(
    bot: ConnectedBot, maya: Driver, leo: Driver, answer: JSON
) -> None:
    ts = await maya.post("G0FIN", f"{SWITCHBOARD} what is the robot budget for 2027?")
    secret = await maya.wait_for_reply("G0FIN", ts)
    await bot.idle(maya)
    await leo.click(answer, "why", value=_value(secret, "why"))
    await told(leo, "a place that you cannot read")
    assert [event for event in leo.events if event["type"] == "view_open"] == []


@BOTH_DOORS
async def test_a_button_of_a_forgotten_answer_says_so(bot: ConnectedBot, maya: Driver, answer: JSON) -> None:
    await maya.click(answer, "why", value="no-such-question")
    await told(maya, "I do not know that answer any more")


@BOTH_DOORS
async def test_another_way_asks_again_with_what_was_chosen(
    bot: ConnectedBot, maya: Driver, server: ModelServer, answer: JSON
) -> None:
    await maya.click(answer, "another_way")
    view = await maya.wait_for_view()
    await maya.submit_view(view, {"model": "offline", "strategy": "rag"})
    second = await maya.wait_for_message(
        "C0GENERAL", thread=answer["thread_ts"], after=answer["ts"], predicate=lambda m: "actions" in str(m)
    )
    assert "*offline* · knowledge search (RAG)" in str(second["blocks"])
    assert len(server.chats) == 1


@BOTH_DOORS
async def test_another_way_offers_the_next_best_with_what_is_expected_of_it(
    bot: ConnectedBot, maya: Driver, server: ModelServer, answer: JSON
) -> None:
    await maya.click(answer, "another_way")
    view = await maya.wait_for_view()
    radio = next(block["element"] for block in view["blocks"] if block.get("block_id") == "way")
    assert radio["initial_option"]["text"]["text"] == "Plain prompting · test-model"
    assert radio["initial_option"]["description"]["text"].startswith("expected quality 0.")
    server.script("On Tuesdays, I believe.")
    await maya.submit_view(view)
    second = await maya.wait_for_message(
        "C0GENERAL", lambda m: "I believe" in m["text"] and "actions" in str(m), thread=answer["thread_ts"]
    )
    assert "*test-model* · plain prompting" in str(second["blocks"])
    asked = str((await which_is_better(maya, answer))["blocks"])
    assert "The first: *test-model* · knowledge search (RAG)" in asked
    assert "This one: *test-model* · plain prompting" in asked


@BOTH_DOORS
async def test_what_was_tried_is_not_offered_again(bot: ConnectedBot, maya: Driver, answer: JSON) -> None:
    await maya.click(answer, "another_way")
    await maya.submit_view(await maya.wait_for_view())
    compared = await which_is_better(maya, answer)
    second = await maya.wait_for_message(
        "C0GENERAL", lambda m: "*test-model* · plain prompting" in str(m.get("blocks")), thread=answer["thread_ts"]
    )
    assert second["ts"] < compared["ts"]
    opened = len(maya.events)
    await maya.click(second, "another_way")
    view = await maya.wait_for_view(after=opened)
    assert [block.get("block_id") for block in view["blocks"] if block["type"] == "input"] == ["model", "strategy"]
    assert "I know of no other way that could be taken here" in str(view["blocks"])


@BOTH_DOORS
async def test_the_same_way_again_is_said_to_be_the_same_and_not_compared(
    bot: ConnectedBot, maya: Driver, answer: JSON
) -> None:
    await maya.click(answer, "another_way")
    await maya.submit_view(await maya.wait_for_view(), {"model": "test-model", "strategy": "rag"})
    await maya.wait_for_message(
        "C0GENERAL",
        lambda m: "The same way answered again (*test-model* · knowledge search (RAG)" in m["text"],
        thread=answer["thread_ts"],
    )
    assert "keep_this" not in str(await maya.history("C0GENERAL", answer["thread_ts"]))


@BOTH_DOORS
async def test_of_two_answers_the_one_that_is_kept_is_remembered_and_the_last_word_counts(
    bot: ConnectedBot, maya: Driver, leo: Driver, answer: JSON
) -> None:
    await maya.click(answer, "another_way")
    await maya.submit_view(await maya.wait_for_view())
    compared = await which_is_better(maya, answer)
    first, second = _value(answer, "why"), _value(compared, "keep_this")
    await maya.click(compared, "keep_this")
    await maya.wait_for_message(
        "C0GENERAL",
        lambda m: m["ts"] == compared["ts"] and "Kept by <@U0MAYA>: this answer" in m["text"],
        thread=answer["thread_ts"],
    )
    assert await signals(bot) == {("U0MAYA", second): "kept", ("U0MAYA", first): "dropped"}
    again = await choice_between(bot, maya, second)
    await leo.click(again, "keep_first")
    kept = await maya.wait_for_message("C0GENERAL", lambda m: "Kept by <@U0LEO>: the first answer" in m["text"])
    assert "keep_this" not in str(kept["blocks"])
    for _ in range(2):
        await maya.click(await choice_between(bot, maya, second), "keep_first")
        await bot.idle(maya)
    assert await signals(bot) == {
        ("U0MAYA", second): "dropped",
        ("U0MAYA", first): "kept",
        ("U0LEO", second): "dropped",
        ("U0LEO", first): "kept",
    }


@BOTH_DOORS
async def test_nobody_judges_an_answer_that_they_cannot_read(
    bot: ConnectedBot, maya: Driver, leo: Driver, answer: JSON
) -> None:
    ts = await maya.post("G0FIN", f"{SWITCHBOARD} what is the robot budget for 2027?")
    secret = await maya.wait_for_reply("G0FIN", ts)
    await bot.idle(maya)
    await maya.click(secret, "another_way")
    await maya.submit_view(await maya.wait_for_view())
    compared = await which_is_better(maya, secret, "G0FIN")
    await leo.click(await choice_between(bot, leo, _value(compared, "keep_this")), "keep_this")
    await told(leo, "a place that you cannot read")
    assert await signals(bot) == {}


@BOTH_DOORS
async def test_an_answer_without_another_is_not_judged(bot: ConnectedBot, maya: Driver, answer: JSON) -> None:
    await maya.click(await choice_between(bot, maya, _value(answer, "why")), "keep_this")
    await told(maya, "There is no other answer to compare this one with.")


@BOTH_DOORS
async def test_another_way_that_fails_is_not_offered_to_be_kept(
    bot: ConnectedBot, maya: Driver, server: ModelServer, answer: JSON
) -> None:
    server.script(unauthorized())
    await maya.click(answer, "another_way")
    await maya.submit_view(await maya.wait_for_view())
    await maya.wait_for_message("C0GENERAL", lambda m: "eference" in str(m), thread=answer["thread_ts"])
    await bot.idle(maya)
    assert "keep_this" not in str(await maya.history("C0GENERAL", answer["thread_ts"]))


@BOTH_DOORS
async def test_another_way_for_a_private_answer_stays_private(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    await maya.command("/ask", "when do deploys run?")
    private = await told(maya, "*test-model* ·")
    await maya.click(private, "another_way")
    await maya.submit_view(await maya.wait_for_view(), {"model": "offline"})
    await told(maya, "*offline* ·")
    compared = await told(maya, "Which of the two answers is better?")
    await maya.click(compared, "keep_first")
    await told(maya, "Kept by <@U0MAYA>: the first answer (*test-model*")
    assert await leo.history("C0GENERAL") == []


@BOTH_DOORS
async def test_a_way_that_is_gone_is_refused_in_the_modal(bot: ConnectedBot, maya: Driver, answer: JSON) -> None:
    await maya.click(answer, "another_way")
    view = await maya.wait_for_view()
    picked = {"selected_option": {"text": {"type": "plain_text", "text": "x"}, "value": "gone-for-good"}}
    values = {name: {name: {"type": "static_select", **picked}} for name in ("model", "strategy")}
    refused = await maya.act("submit_view", view_id=view["id"], state={"values": values})
    assert refused["response_action"] == "errors"
    assert set(refused["errors"]) == {"model", "strategy"}


@BOTH_DOORS
async def test_stop_ends_the_answer_and_says_so(bot: ConnectedBot, maya: Driver, server: ModelServer) -> None:
    gate = asyncio.Event()
    server.script(Reply(text="Deploys run on Tuesdays and Thursdays.", gate=gate))
    ts = await maya.post(maya.dm, "When do deploys run?")
    await maya.wait_for_reply(maya.dm, ts, lambda m: bool(m.get("streaming")))
    await server.until_asked()
    await maya.stop(maya.dm, ts)
    await maya.wait_for_reply(maya.dm, ts, lambda m: "You stopped this answer." in str(m.get("blocks")))
    gate.set()
    await bot.idle(maya)
    async with bot.core.engine.connect() as connection:
        outcomes = (await connection.execute(sa.select(ledger.c.outcome).where(ledger.c.purpose == "answer"))).scalars()
        assert list(outcomes) == ["stopped"]


async def test_a_stop_before_the_first_words_ends_the_answer(
    bot: ConnectedBot, maya: Driver, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, keep = asyncio.Event(), Questions.keep

    async def held_up(questions: Questions, question: Question) -> None:
        await gate.wait()
        await keep(questions, question)

    monkeypatch.setattr(Questions, "keep", held_up)
    ts = await maya.post(maya.dm, "When do deploys run?")
    await maya.wait_for_call("assistant.threads.setStatus", thread_ts=ts)  # Slack shows the button from now on
    await maya.stop(maya.dm, ts)  # the next event: with two bots the other one has it
    stopped = await maya.wait_for_reply(maya.dm, ts, lambda m: "You stopped this answer." in str(m.get("blocks")))
    assert stopped["text"] == "I stopped before there was anything to show."
    gate.set()
    await bot.idle(maya)
    assert server.chats == []


async def test_a_stop_that_came_to_another_process_ends_the_answer(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    gate = asyncio.Event()
    server.script(Reply(text="Deploys run on Tuesdays and Thursdays.", gate=gate))
    ts = await maya.post(maya.dm, "When do deploys run?")
    await maya.wait_for_reply(maya.dm, ts, lambda m: bool(m.get("streaming")))
    await server.until_asked()
    other = Replies(bot.core.engine)
    await other.stop("C0GENERAL", None)
    await other.stop(maya.dm, "1700000000.000100")
    async with bot.core.engine.connect() as connection:
        questions = (await connection.execute(sa.select(reply_parts.c.question_id))).scalars().all()
    assert await other.stopped(questions) == frozenset()
    await other.stop(maya.dm, ts)
    assert await other.stopped(questions) == set(questions)
    bot.core.inbox.on_change()  # the look that several processes take each second
    await maya.wait_for_reply(maya.dm, ts, lambda m: "You stopped this answer." in str(m.get("blocks")))
    gate.set()
    await bot.idle(maya)


@BOTH_DOORS
async def test_a_question_about_a_message_is_answered_to_the_person_alone(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("It means a release. [1]")
    ts = await leo.post("C0GENERAL", "The deploys train left")
    message = await maya.wait_for_message("C0GENERAL", lambda m: m["ts"] == ts)
    await maya.shortcut("ask_about", message)
    view = await maya.wait_for_view()
    await maya.submit_view(view, {"question": "What are deploys?", "where": "alone"})
    await told(maya, "It means a release.")
    assert "The deploys train left" in server.chats[-1].prompt
    assert len(await leo.history("C0GENERAL", ts)) == 1


@BOTH_DOORS
async def test_a_question_about_a_message_can_be_answered_in_its_thread(
    bot: ConnectedBot, maya: Driver, leo: Driver, server: ModelServer
) -> None:
    server.script("It means a release. [1]")
    ts = await leo.post("C0GENERAL", "The deploys train left")
    await maya.shortcut("ask_about", await maya.wait_for_message("C0GENERAL", lambda m: m["ts"] == ts))
    await maya.submit_view(await maya.wait_for_view(), {"question": "What are deploys?", "where": "thread"})
    asked = await leo.wait_for_reply("C0GENERAL", ts)
    assert asked["text"] == "<@U0MAYA> asks: What are deploys?"
    reply = await leo.wait_for_message("C0GENERAL", thread=ts, after=asked["ts"])
    assert reply["text"].startswith("It means a release.")


@BOTH_DOORS
async def test_a_good_answer_is_saved_as_an_example(bot: ConnectedBot, maya: Driver, answer: JSON) -> None:
    await maya.shortcut("save_example", answer)
    view = await maya.wait_for_view()
    assert "when do deploys run?" in str(view["blocks"])
    await maya.submit_view(view, {"answer": "On Tuesdays and Thursdays at ten."})
    await told(maya, "Saved.")
    (saved,) = await bot.core.examples.all(frozenset({"everyone"}))
    assert (saved.question, saved.answer) == ("when do deploys run?", "On Tuesdays and Thursdays at ten.")


@BOTH_DOORS
async def test_an_example_from_somebody_else_stays_in_its_channel(bot: ConnectedBot, leo: Driver, answer: JSON) -> None:
    await leo.shortcut("save_example", answer)
    await leo.submit_view(await leo.wait_for_view())
    await told(leo, "the members of <#C0GENERAL>")
    assert await bot.core.examples.all(frozenset({"everyone"})) == ()
    assert len(await bot.core.examples.all(frozenset({"everyone", "outsiders", "channel:C0GENERAL"}))) == 1


@BOTH_DOORS
async def test_the_home_tab_shows_the_costs_of_all_to_admins_alone(
    bot: ConnectedBot, maya: Driver, leo: Driver
) -> None:
    await maya.open_home()
    shown = str((await maya.wait_for_home())["blocks"])
    assert "This week no model was called, so it cost nothing." in shown
    assert "2 documents" in shown
    await leo.open_home()
    shown = str((await leo.wait_for_home())["blocks"])
    assert "This week" not in shown
    assert "This month no model was called for you" in shown


@BOTH_DOORS
async def test_the_model_is_changed_from_the_home_tab(bot: ConnectedBot, maya: Driver) -> None:
    await maya.open_home()
    await maya.click(await maya.wait_for_home(), "change_model")
    await maya.submit_view(await maya.wait_for_view(), {"model": "offline"})
    await maya.wait_for_message(maya.dm, lambda m: "*offline* answers for you" in m["text"])


@BOTH_DOORS
async def test_opening_the_conversation_suggests_what_to_ask(bot: ConnectedBot, maya: Driver) -> None:
    await maya.open_home("messages")
    prompts = await maya.wait_for(lambda event: event["type"] == "prompts")
    assert 1 <= len(prompts["prompts"]) <= 4


@BOTH_DOORS
async def test_a_button_of_an_older_version_is_acknowledged(bot: ConnectedBot, maya: Driver) -> None:
    blocks = [{"type": "actions", "elements": [_button("from_last_year")]}]
    posted = await bot.client.chat_postMessage(channel="C0GENERAL", text="old", blocks=blocks)
    message = await maya.wait_for_message("C0GENERAL", lambda m: m["ts"] == posted["ts"])
    await maya.click(message, "from_last_year")


def _button(action_id: str) -> JSON:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": "Old"}, "value": "1"}


def _value(message: JSON, name: str) -> str:
    """The value behind a feedback button or a button with an action id."""
    for block in message["blocks"]:
        for element in block.get("elements", ()):
            if name in element:
                return str(element[name]["value"])
            if element.get("action_id") == name:
                return str(element["value"])
    raise AssertionError(f"There is no {name}.")
