"""How an answer is written into a thread, whatever Slack does meanwhile; the answer's events are given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import (
    Answer,
    AnswerEvent,
    Audience,
    Choice,
    Citation,
    Failed,
    Finished,
    Option,
    Place,
    PlaceKind,
    Price,
    Progress,
    Prompt,
    Question,
    Receipt,
    StrategyName,
    TextDelta,
)
from bot.strategies.citing import Citing
from deploy.workspace import BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver
from handlers.reply import ThreadReply

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
Events = AsyncGenerator[AnswerEvent, None]
Reply = Callable[..., ThreadReply]


@pytest.fixture
def client(workspace: Workspace) -> AsyncWebClient:
    return AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url, retry_handlers=[])


@pytest.fixture
async def asked(maya: Driver) -> str:
    """The ts of a question in #general."""
    return await maya.post("C0GENERAL", "What is it?")


@pytest.fixture
def reply(client: AsyncWebClient, asked: str) -> Reply:
    """Makes a writer for an answer under the question. Takes `channel`, `pace` and `lifetime`."""

    def make(*, channel: str = "C0GENERAL", pace: float = 0.01, lifetime: float = 240.0) -> ThreadReply:
        place = Place(workspace="T0LOCAL", channel=channel, kind=PlaceKind.CHANNEL, thread=asked)
        question = Question(id="q1", text="?", asker="U0MAYA", place=place, audience=Audience.everyone(), asked_at=NOW)
        return ThreadReply(client, question, lambda: NOW, pace=pace, lifetime=lifetime)

    return make


def finished(text: str) -> Finished:
    option = Option(strategy=StrategyName.RAG, model="small", quality=0.8, cost=Decimal(0), latency=1.0, utility=0.7)
    receipt = Receipt(
        question_id="q1",
        choice=Choice(option=option, options=(option,), reasons=("It is cheap.",)),
        citations=(),
        usage=None,
        price=Price(amount=Decimal("0.0012"), version="1"),
        seconds=2.3,
        outcome="answered",
        created_at=NOW,
    )
    source = Citation(
        number=1,
        title="The <manual>",
        url="https://docs.example/manual",
        source="docs",
        updated=NOW - timedelta(days=3),
        quote="",
    )
    return Finished(Answer(question_id="q1", text=text, citations=(source,), receipt=receipt))


async def given(*events: AnswerEvent) -> Events:
    for event in events:
        yield event


async def test_tasks_text_sources_and_buttons_stand_in_the_thread(reply: Reply, maya: Driver, asked: str) -> None:
    text = "It is a robot. [1]"
    steps = (
        Progress("search", "started"),
        Progress("search", "done", "Found 2 passages"),
        Progress("write", "started"),
    )
    written = await reply().write(given(*steps, TextDelta("It is "), TextDelta("a robot. [1]"), finished(text)))
    shown = await maya.wait_for_reply("C0GENERAL", asked)
    assert (written.ts, written.outcome, written.text) == (shown["ts"], "answered", text)
    kinds = [block["type"] for block in shown["blocks"]]
    assert kinds == ["markdown", "context", "context", "context_actions", "actions"]
    assert shown["blocks"][0]["text"] == text
    source = shown["blocks"][1]["elements"][0]["text"]
    assert source == "[1] <https://docs.example/manual|The &lt;manual&gt;> · updated 3 days ago"
    assert shown["blocks"][2]["elements"][0]["text"] == "*small* · knowledge search (RAG) · $0.0012 · 2.3 s"
    assert {task["status"] for task in shown["tasks"]} == {"complete"}


async def test_text_shows_before_the_answer_is_whole(reply: Reply, maya: Driver, asked: str) -> None:
    go_on = asyncio.Event()

    async def events() -> Events:
        yield TextDelta("The first half, ")
        await go_on.wait()
        yield TextDelta("the second.")
        yield finished("The first half, the second.")

    writing = asyncio.create_task(reply().write(events()))
    half = await maya.wait_for_reply("C0GENERAL", asked, lambda m: "first half" in m["text"])
    assert half["streaming"]
    go_on.set()
    await writing
    assert (await maya.wait_for_reply("C0GENERAL", asked))["text"] == "The first half, the second."


async def test_marks_that_were_taken_out_are_not_left_in_the_thread(reply: Reply, maya: Driver, asked: str) -> None:
    await reply().write(given(TextDelta("A claim. [7]"), finished("A claim.")))
    shown = await maya.wait_for_reply("C0GENERAL", asked)
    assert shown["blocks"][0]["text"] == "A claim."


async def test_a_model_that_calls_everybody_calls_nobody(reply: Reply, maya: Driver, asked: str) -> None:
    go_on = asyncio.Event()

    async def events() -> Events:
        citing = Citing(Prompt(strategy=StrategyName.ZERO_SHOT, question="", messages=()))
        yield TextDelta(citing.feed("Hear ye, all of you: <!chan"))
        await go_on.wait()
        yield TextDelta(citing.feed("nel> and <@U0LEO>"))
        yield TextDelta(citing.close())
        yield finished("Hear ye, all of you: <!channel> and <@U0LEO>")

    writing = asyncio.create_task(reply().write(events()))
    await maya.wait_for_reply("C0GENERAL", asked, lambda m: "Hear ye" in m["text"])
    go_on.set()
    await writing
    for call in [*await maya.calls("chat.startStream"), *await maya.calls("chat.stopStream")]:
        assert "<!" not in str(call["args"])
        assert "<@U0LEO" not in str(call["args"])
    shown = await maya.wait_for_reply("C0GENERAL", asked)
    assert shown["text"] == "Hear ye, all of you: channel and U0LEO"


async def test_many_pieces_go_out_with_few_calls(reply: Reply, maya: Driver, asked: str) -> None:
    pieces = [TextDelta(f"word{number} ") for number in range(200)]
    text = "".join(piece.text for piece in pieces)
    await reply(pace=30.0).write(given(*pieces, finished(text)))
    assert (await maya.wait_for_reply("C0GENERAL", asked))["text"].split() == text.split()
    assert len(await maya.calls("chat.appendStream")) <= 2


async def test_a_refused_stream_becomes_a_message_that_is_updated(reply: Reply, maya: Driver, asked: str) -> None:
    await maya.fault("chat.startStream", "error", error="not_allowed_token_type", times=1)
    await reply().write(given(Progress("search", "started"), TextDelta("An answer."), finished("An answer.")))
    shown = await maya.wait_for_reply("C0GENERAL", asked, lambda m: m["text"] == "An answer.")
    assert shown["blocks"][-1]["type"] == "actions"
    assert await maya.calls("chat.appendStream") == []


async def test_a_stream_that_slack_ended_is_completed_by_an_update(reply: Reply, maya: Driver, asked: str) -> None:
    expired = asyncio.Event()

    async def events() -> Events:
        yield TextDelta("Begun, ")
        await expired.wait()
        yield TextDelta("and ended.")
        yield finished("Begun, and ended.")

    writing = asyncio.create_task(reply().write(events()))
    begun = await maya.wait_for_reply("C0GENERAL", asked, lambda m: "Begun" in m["text"])
    await maya.control("expire_stream", channel="C0GENERAL", ts=begun["ts"])
    expired.set()
    written = await writing
    assert written.ts == begun["ts"]
    thread = await maya.history("C0GENERAL", asked)
    assert [message["text"] for message in thread[1:]] == ["Begun, and ended."]
    assert thread[1]["blocks"][-1]["type"] == "actions"


async def test_a_stream_is_continued_before_slack_ends_it_and_then_made_one(
    reply: Reply, maya: Driver, asked: str
) -> None:
    second = asyncio.Event()

    async def events() -> Events:
        yield TextDelta("One, ")
        await second.wait()
        yield TextDelta("two.")
        yield finished("One, two.")

    writing = asyncio.create_task(reply(lifetime=0.0).write(events()))
    await maya.wait_for_reply("C0GENERAL", asked, lambda m: "One" in m["text"])
    second.set()
    await writing
    thread = await maya.history("C0GENERAL", asked)
    assert [message["text"] for message in thread[1:]] == ["One, two."]


async def test_a_long_answer_becomes_several_messages_with_the_buttons_under_the_last(
    reply: Reply, maya: Driver, asked: str
) -> None:
    paragraphs = [f"Paragraph {number}. " + "word " * 300 for number in range(20)]
    text = "\n\n".join(paragraphs)
    await reply().write(given(TextDelta(text), finished(text)))
    thread = (await maya.history("C0GENERAL", asked))[1:]
    assert len(thread) > 2
    shown = [block["text"] for m in thread for block in m["blocks"] if block["type"] == "markdown"]
    assert " ".join(" ".join(shown).split()) == " ".join(text.split())
    assert [any(b["type"] == "actions" for b in m["blocks"]) for m in thread] == [False] * (len(thread) - 1) + [True]
    assert not any(message.get("streaming") for message in thread)


async def test_a_table_is_shown_as_a_table(reply: Reply, maya: Driver, asked: str) -> None:
    text = "Prices:\n\n| Model | Price |\n|---|---|\n| small | 1 |"
    await reply().write(given(TextDelta(text), finished(text)))
    shown = await maya.wait_for_reply("C0GENERAL", asked)
    assert [block["type"] for block in shown["blocks"]][:2] == ["markdown", "table"]


async def test_a_failure_keeps_what_was_written_and_says_why(reply: Reply, maya: Driver, asked: str) -> None:
    failed = Failed("q1", "The model went away. Please try again.")
    written = await reply().write(given(TextDelta("Half an answer"), failed))
    shown = await maya.wait_for_reply("C0GENERAL", asked)
    assert shown["text"] == "Half an answer\n\nThe model went away. Please try again."
    assert "Reference q1" in str(shown["blocks"])
    assert written.outcome == "failed"


async def test_an_unexpected_error_ends_as_a_sentence_with_its_reference(
    reply: Reply, maya: Driver, asked: str
) -> None:
    async def events() -> Events:
        yield Progress("search", "started")
        raise RuntimeError("sk-secret in the traceback")

    await reply().write(events())
    shown = await maya.wait_for_reply("C0GENERAL", asked)
    assert "Something went wrong on my side" in shown["text"]
    assert "q1" in shown["text"]
    assert "sk-secret" not in str(shown)


async def test_stop_closes_the_answer_and_the_message(reply: Reply, maya: Driver, asked: str) -> None:
    closed = asyncio.Event()

    async def events() -> Events:
        try:
            number = 0
            while True:
                number += 1
                yield TextDelta(f"{number} ")
                await asyncio.sleep(0)
        finally:
            closed.set()

    writer = reply()
    writing = asyncio.create_task(writer.write(events()))
    await maya.wait_for_reply("C0GENERAL", asked, lambda m: "1 " in m["text"])
    writer.stop()
    written = await writing
    assert closed.is_set()
    assert written.outcome == "stopped"
    assert "You stopped this answer." in str((await maya.wait_for_reply("C0GENERAL", asked))["blocks"])


async def test_a_rate_limited_append_loses_no_text(reply: Reply, maya: Driver, asked: str) -> None:
    second = asyncio.Event()

    async def events() -> Events:
        yield TextDelta("One ")
        await second.wait()
        yield TextDelta("two ")
        await asyncio.sleep(0.05)
        yield TextDelta("three.")
        yield finished("One two three.")

    writing = asyncio.create_task(reply().write(events()))
    await maya.wait_for_reply("C0GENERAL", asked, lambda m: "One" in m["text"])
    await maya.fault("chat.appendStream", "rate_limited", times=1, retry_after=1)
    second.set()
    await writing
    thread = await maya.history("C0GENERAL", asked)
    assert [message["text"] for message in thread[1:]] == ["One two three."]


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found", "is_archived"])
async def test_an_answer_that_the_channel_does_not_take_reaches_the_asker_directly(
    reply: Reply, maya: Driver, error: str
) -> None:
    for method in ("chat.startStream", "chat.postMessage"):
        await maya.fault(method, "error", error=error, times=1)
    written = await reply().write(given(TextDelta("The answer."), finished("The answer.")))
    assert written.channel == maya.dm
    told = await maya.wait_for_message(maya.dm, lambda m: "The answer." in m["text"])
    assert told["blocks"][-1]["type"] == "actions"


async def test_blocks_that_slack_refuses_do_not_cost_the_answer(reply: Reply, maya: Driver, asked: str) -> None:
    await maya.fault("chat.stopStream", "error", error="invalid_blocks", times=1)
    await maya.fault("chat.update", "error", error="invalid_blocks", times=1)
    await reply().write(given(TextDelta("Plain."), finished("Plain.")))
    assert (await maya.wait_for_reply("C0GENERAL", asked, lambda m: not m.get("streaming")))["text"] == "Plain."


async def test_a_message_that_somebody_deleted_is_written_again(
    reply: Reply, maya: Driver, client: AsyncWebClient, asked: str
) -> None:
    deleted = asyncio.Event()

    async def events() -> Events:
        yield TextDelta("Begun, ")
        await deleted.wait()
        yield TextDelta("and ended.")
        yield finished("Begun, and ended.")

    writing = asyncio.create_task(reply().write(events()))
    begun = await maya.wait_for_reply("C0GENERAL", asked, lambda m: "Begun" in m["text"])
    await client.chat_delete(channel="C0GENERAL", ts=begun["ts"])
    deleted.set()
    await writing
    thread = await maya.history("C0GENERAL", asked)
    assert [message["text"] for message in thread[1:]] == ["Begun, and ended."]
