"""Streams and the status of threads, as the Web API has them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver

JSON = dict[str, Any]
TO_MAYA: JSON = {"recipient_team_id": "T0LOCAL", "recipient_user_id": "U0MAYA"}


async def begin(client: AsyncWebClient, maya: Driver, text: str = "begun") -> tuple[str, str]:
    """A question of Maya's and an open stream below it: their ts."""
    thread = await maya.post("C0GENERAL", "question")
    stream = await client.chat_startStream(channel="C0GENERAL", thread_ts=thread, markdown_text=text, **TO_MAYA)
    return thread, stream["ts"]


async def test_a_stream_in_a_channel_needs_to_know_for_whom_it_is(client: AsyncWebClient, maya: Driver) -> None:
    thread = await maya.post("C0GENERAL", "question")
    with pytest.raises(SlackApiError, match="missing_recipient_team_id"):
        await client.chat_startStream(channel="C0GENERAL", thread_ts=thread)
    with pytest.raises(SlackApiError, match="missing_recipient_user_id"):
        await client.chat_startStream(channel="C0GENERAL", thread_ts=thread, recipient_team_id="T0LOCAL")
    with pytest.raises(SlackApiError, match="team_not_found"):
        await client.chat_startStream(
            channel="C0GENERAL", thread_ts=thread, recipient_team_id="T0OTHER", recipient_user_id="U0MAYA"
        )
    direct = await maya.post(maya.dm, "question")
    stream = await client.chat_startStream(channel=maya.dm, thread_ts=direct, markdown_text="answer")
    await client.chat_stopStream(channel=maya.dm, ts=stream["ts"])
    assert (await maya.wait_for_reply(maya.dm, direct))["text"] == "answer"


async def test_a_stream_that_was_stopped_takes_no_more(client: AsyncWebClient, maya: Driver) -> None:
    _, ts = await begin(client, maya)
    await client.chat_stopStream(channel="C0GENERAL", ts=ts, metadata={"event_type": "a", "event_payload": {"b": 1}})
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text="more")
    await client.chat_update(channel="C0GENERAL", ts=ts, text="rewritten", blocks=[])
    message = (await client.conversations_replies(channel="C0GENERAL", ts=ts))["messages"][-1]
    assert message["text"] == "rewritten"
    assert message["metadata"]["event_payload"] == {"b": 1}


async def test_a_stream_that_expired_keeps_its_text_and_takes_no_more(client: AsyncWebClient, maya: Driver) -> None:
    thread, ts = await begin(client, maya)
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        await client.chat_update(channel="C0GENERAL", ts=ts, text="not now")
    assert await maya.control("expire_stream", channel="C0GENERAL", ts=ts) == {"ok": True, "expired": True}
    assert (await maya.wait_for_reply("C0GENERAL", thread))["text"] == "begun"
    for call in (client.chat_appendStream, client.chat_stopStream):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await call(channel="C0GENERAL", ts=ts, markdown_text="more")


async def test_a_stream_ends_by_itself(maya_in_a_hurry: tuple[AsyncWebClient, Driver]) -> None:
    client, maya = maya_in_a_hurry
    thread, ts = await begin(client, maya)
    await maya.wait_for_reply("C0GENERAL", thread)
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text="more")


@pytest.fixture
async def maya_in_a_hurry() -> Any:
    async with Workspace(port=0, stream_seconds=0.05) as workspace, Driver(workspace.url) as maya:
        yield AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url), maya


@pytest.mark.parametrize(
    ("chunk", "error"),
    [
        ({"type": "markdown_text", "text": "x" * 12_001}, "msg_too_long"),
        ({"type": "markdown_text"}, "invalid_chunks"),
        ({"type": "task_update", "id": "1", "title": "t", "status": "done"}, "invalid_chunks"),
        ({"type": "plan_update"}, "invalid_chunks"),
        ({"type": "unheard_of"}, "invalid_chunks"),
        ({"type": "blocks", "blocks": [{"type": "section"}]}, "invalid_blocks"),
    ],
)
async def test_chunks_that_slack_refuses_change_nothing(
    chunk: JSON, error: str, client: AsyncWebClient, maya: Driver
) -> None:
    thread, ts = await begin(client, maya)
    with pytest.raises(SlackApiError, match=error):
        await client.chat_appendStream(channel="C0GENERAL", ts=ts, chunks=[chunk])
    await client.chat_stopStream(channel="C0GENERAL", ts=ts)
    assert (await maya.wait_for_reply("C0GENERAL", thread))["text"] == "begun"


async def test_more_than_twelve_thousand_characters_at_once_are_refused(client: AsyncWebClient, maya: Driver) -> None:
    _, ts = await begin(client, maya)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text="x" * 12_001)
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text="x" * 12_000)
    with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
        await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text="x" * 2_000)


async def test_blocks_of_a_stream_stay_where_they_came(client: AsyncWebClient, maya: Driver) -> None:
    thread, ts = await begin(client, maya)
    divider = {"type": "blocks", "blocks": [{"type": "divider"}]}
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, chunks=[divider])
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text="ended")
    await client.chat_stopStream(channel="C0GENERAL", ts=ts, blocks=[{"type": "divider"}])
    reply = await maya.wait_for_reply("C0GENERAL", thread)
    assert [block["type"] for block in reply["blocks"]] == ["markdown", "divider", "markdown", "divider"]
    assert reply["text"] == "begun\nended"


async def test_the_app_hears_of_a_stream_when_it_begins_and_when_it_ends(client: AsyncWebClient, maya: Driver) -> None:
    _, ts = await begin(client, maya)
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text=" and on")
    await client.chat_stopStream(channel="C0GENERAL", ts=ts)
    events = [body["event"] for body in await maya.sent("message")][1:]
    assert [event.get("subtype") for event in events] == [None, "message_changed"]
    assert events[0]["bot_id"] == "B0SWITCH"
    assert events[1]["message"]["text"] == "begun and on"


async def test_a_streamed_task_keeps_what_it_was_told_before(client: AsyncWebClient, maya: Driver) -> None:
    thread, ts = await begin(client, maya)
    for more in ({"status": "in_progress", "details": "three places"}, {"status": "complete", "output": "2 found"}):
        chunk = {"type": "task_update", "id": "s", "title": "Searching", **more}
        await client.chat_appendStream(channel="C0GENERAL", ts=ts, chunks=[chunk])
    await client.chat_stopStream(channel="C0GENERAL", ts=ts)
    (task,) = (await maya.wait_for_reply("C0GENERAL", thread))["tasks"]
    assert (task["status"], task["details"], task["output"]) == ("complete", "three places", "2 found")


@pytest.mark.usefixtures("handler")
async def test_the_stop_button_ends_the_stream_and_tells_the_app(
    app: AsyncApp, client: AsyncWebClient, maya: Driver
) -> None:
    stopped: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()

    @app.event("agent_session_stopped")
    async def stop(event: JSON) -> None:
        stopped.set_result(event)

    thread, ts = await begin(client, maya)
    assert await maya.stop("C0GENERAL", thread) == [ts]
    event = await asyncio.wait_for(stopped, 10)
    assert event["streaming_message_ts"] == [ts]
    assert (event["user"], event["thread_ts"], event["channel"]) == ("U0MAYA", thread, "C0GENERAL")
    assert await maya.stop("C0GENERAL", thread) == []


async def test_a_status_is_shown_until_the_app_answers(client: AsyncWebClient, maya: Driver) -> None:
    thread = await maya.post(maya.dm, "question")
    await client.assistant_threads_setStatus(
        channel_id=maya.dm, thread_ts=thread, status="is searching…", loading_messages=["Looking…"]
    )
    shown = await maya.wait_for(lambda event: event["type"] == "thread_status")
    assert (shown["status"], shown["loading_messages"]) == ("is searching…", ["Looking…"])
    await client.chat_postMessage(channel=maya.dm, thread_ts=thread, text="answer")
    await maya.wait_for(lambda event: event["type"] == "thread_status" and event["status"] == "")
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.assistant_threads_setStatus(
            channel_id=maya.dm, thread_ts=thread, status="x", loading_messages=["…"] * 11
        )


async def test_titles_and_prompts_are_shown_in_the_agents_pane(client: AsyncWebClient, maya: Driver) -> None:
    thread = await maya.post(maya.dm, "question")
    await client.assistant_threads_setTitle(channel_id=maya.dm, thread_ts=thread, title="A question")
    title = await maya.wait_for(lambda event: event["type"] == "thread_title")
    assert (title["thread_ts"], title["title"]) == (thread, "A question")
    prompts = [{"title": "Hello", "message": "Say hello"}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=maya.dm, prompts=prompts, title="Try")
    await maya.wait_for(lambda event: event["type"] == "prompts" and event["prompts"] == prompts)
    assert (await maya.boot())["prompts"] == {maya.dm: {"title": "Try", "prompts": prompts}}
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.assistant_threads_setSuggestedPrompts(channel_id=maya.dm, prompts=prompts * 5)


async def test_an_agents_session_has_a_status_and_a_name(client: AsyncWebClient, maya: Driver) -> None:
    thread = await maya.post(maya.dm, "question")
    answer = await client.agents_sessions_setStatus(
        channel_id=maya.dm, thread_ts=thread, status="processing", title="First"
    )
    assert (answer["status"], answer["title"]) == ("processing", "First")
    await maya.wait_for(lambda event: event["type"] == "thread_status" and event["status"] != "")
    renamed = await client.agents_sessions_rename(channel_id=maya.dm, thread_ts=thread, title="Second")
    assert renamed["title"] == "Second"
    stream = await client.chat_startStream(channel=maya.dm, thread_ts=thread, markdown_text="answer")
    await client.chat_stopStream(channel=maya.dm, ts=stream["ts"], session_status="active")
    await maya.wait_for(lambda event: event["type"] == "thread_status" and event["status"] == "")
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.agents_sessions_setStatus(channel_id=maya.dm, thread_ts=thread, status="asleep")


async def test_what_a_person_looks_at_is_told_to_the_agent(maya: Driver) -> None:
    ts = await maya.post("C0ENG", "look here")
    await maya.act("context", channel="C0ENG", thread_ts=ts)
    (body,) = await maya.sent("app_context_changed")
    assert body["event"]["user"] == "U0MAYA"
    assert [entity["value"] for entity in body["event"]["context"]["entities"]] == [
        {"channel_id": "C0ENG", "message_ts": ts},
        "C0ENG",
    ]
