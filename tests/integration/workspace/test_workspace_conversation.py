"""People and the bot talk: messages, threads and streams over a real Bolt app and Socket Mode."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import Workspace
from deploy.workspace.driver import Driver, DriverTimeout

JSON = dict[str, Any]


async def test_a_mention_is_answered_by_a_stream_that_everybody_sees_growing(
    app: AsyncApp, handler: AsyncSocketModeHandler, maya: Driver, leo: Driver
) -> None:
    go_on = asyncio.Event()

    @app.event("app_mention")
    async def answer(event: JSON, client: AsyncWebClient) -> None:
        stream = await client.chat_stream(
            channel=event["channel"],
            thread_ts=event["ts"],
            recipient_team_id="T0LOCAL",
            recipient_user_id=event["user"],
            buffer_size=1,
        )
        await stream.append(markdown_text="The answer ")
        task = {"type": "task_update", "id": "read", "title": "Reading", "status": "complete"}
        await stream.append(chunks=[task, {"type": "plan_update", "title": "Two steps"}])
        await go_on.wait()
        buttons = {"type": "actions", "elements": [_button("why")]}
        await stream.stop(markdown_text="is **42**.", blocks=[buttons])

    ts = await maya.post("C0GENERAL", "@switchboard what is the answer?")
    growing = await leo.wait_for_reply("C0GENERAL", ts, lambda m: m.get("plan") == "Two steps")
    assert growing["streaming"] is True
    assert growing["text"] == "The answer "
    assert growing["tasks"] == [{"id": "read", "title": "Reading", "status": "complete"}]
    go_on.set()
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    assert reply["text"] == "The answer is **42**."
    assert [block["type"] for block in reply["blocks"]] == ["markdown", "actions"]
    assert reply["tasks"] == growing["tasks"]
    parent = (await maya.history("C0GENERAL"))[-1]
    assert parent["reply_count"] == 1
    assert parent["latest_reply"] == reply["ts"]


async def test_a_mention_is_sent_as_a_message_and_as_an_app_mention(maya: Driver, leo: Driver) -> None:
    ts = await maya.post("C0GENERAL", "@Switchboard, is #help for this & <that>?")
    (message,) = await maya.sent("message")
    (mention,) = await maya.sent("app_mention")
    text = "<@U0SWITCH>, is <#C0HELP|help> for this &amp; &lt;that&gt;?"
    assert message["event"]["text"] == mention["event"]["text"] == text
    assert message["event"]["ts"] == ts == mention["event"]["event_ts"]
    assert message["event"]["channel_type"] == "channel"
    assert message["event_id"] != mention["event_id"]
    assert message["authorizations"][0]["user_id"] == "U0SWITCH"


async def test_a_mention_inside_code_mentions_nobody(maya: Driver) -> None:
    await maya.post("C0GENERAL", "Write `<@U0SWITCH>` or ```@switchboard``` to ask.")
    (message,) = await maya.sent("message")
    assert message["event"]["text"] == "Write `&lt;@U0SWITCH&gt;` or ```@switchboard``` to ask."
    assert await maya.sent("app_mention") == []


async def test_addresses_that_are_typed_arrive_as_links(maya: Driver) -> None:
    await maya.post("C0GENERAL", "See https://example.org/a?b=1&c=2.")
    (message,) = await maya.sent("message")
    assert message["event"]["text"] == "See <https://example.org/a?b=1&amp;c=2>."


async def test_the_app_hears_nothing_from_channels_it_is_not_in(maya: Driver) -> None:
    await maya.post("C0RANDOM", "<@U0SWITCH> can you hear me?")
    assert await maya.sent() == []


async def test_direct_messages_are_messages_of_channel_type_im(maya: Driver) -> None:
    await maya.post(maya.dm, "hello")
    (body,) = await maya.sent()
    assert body["event"]["channel_type"] == "im"
    assert body["event"]["channel"] == "D0MAYA"


async def test_edits_and_deletions_reach_the_app_with_what_was_there_before(maya: Driver) -> None:
    ts = await maya.post("C0GENERAL", "one")
    message = (await maya.history("C0GENERAL"))[-1]
    await maya.edit(message, "two")
    await maya.delete(message)
    changed, deleted = (await maya.sent("message"))[1:]
    assert changed["event"]["subtype"] == "message_changed"
    assert changed["event"]["message"]["text"] == "two"
    assert changed["event"]["message"]["edited"]["user"] == "U0MAYA"
    assert changed["event"]["previous_message"]["text"] == "one"
    assert deleted["event"]["subtype"] == "message_deleted"
    assert deleted["event"]["deleted_ts"] == ts
    assert await maya.history("C0GENERAL") == []


async def test_a_deleted_parent_leaves_a_tombstone_and_its_replies(maya: Driver, client: AsyncWebClient) -> None:
    ts = await maya.post("C0GENERAL", "question")
    await client.chat_postMessage(channel="C0GENERAL", thread_ts=ts, text="answer")
    await maya.delete({"channel": "C0GENERAL", "ts": ts})
    thread = await maya.history("C0GENERAL", thread=ts)
    assert [message.get("subtype") for message in thread] == ["tombstone", None]


async def test_reactions_reach_the_app_and_everybodys_page(maya: Driver, leo: Driver, client: AsyncWebClient) -> None:
    ts = await maya.post("C0GENERAL", "well done")
    await client.reactions_add(channel="C0GENERAL", timestamp=ts, name="eyes")
    message = await leo.wait_for_message("C0GENERAL", lambda m: "reactions" in m)
    await leo.react(message, "eyes")
    both = await maya.wait_for_message("C0GENERAL", lambda m: m.get("reactions", [{}])[0].get("count") == 2)
    assert both["reactions"] == [{"name": "eyes", "users": ["U0SWITCH", "U0LEO"], "count": 2}]
    added = await maya.sent("reaction_added")
    assert [body["event"]["user"] for body in added] == ["U0SWITCH", "U0LEO"]
    assert added[1]["event"]["item"] == {"type": "message", "channel": "C0GENERAL", "ts": ts}
    await leo.unreact(message, "eyes")
    await client.reactions_remove(channel="C0GENERAL", timestamp=ts, name="eyes")
    assert "reactions" not in (await maya.history("C0GENERAL"))[-1]
    with pytest.raises(SlackApiError, match="no_reaction"):
        await client.reactions_remove(channel="C0GENERAL", timestamp=ts, name="eyes")


async def test_history_and_replies_come_in_pages(maya: Driver, client: AsyncWebClient) -> None:
    sent = [await maya.post("C0ENG", f"message {number}") for number in range(5)]
    for number in range(3):
        await client.chat_postMessage(channel="C0ENG", thread_ts=sent[0], text=f"reply {number}")
    first = await client.conversations_history(channel="C0ENG", limit=3)
    assert [message["text"] for message in first["messages"]] == ["message 4", "message 3", "message 2"]
    assert first["has_more"] is True
    cursor = first["response_metadata"]["next_cursor"]
    second = await client.conversations_history(channel="C0ENG", limit=3, cursor=cursor)
    assert [message["ts"] for message in second["messages"]] == [sent[1], sent[0]]
    assert second["messages"][-1]["reply_count"] == 3
    assert second["has_more"] is False
    thread = await client.conversations_replies(channel="C0ENG", ts=sent[0], limit=2)
    assert [message["text"] for message in thread["messages"]] == ["message 0", "reply 0"]
    later = await client.conversations_replies(channel="C0ENG", ts=sent[0], oldest=thread["messages"][-1]["ts"])
    assert [message["text"] for message in later["messages"]] == ["message 0", "reply 1", "reply 2"]


async def test_a_permalink_is_an_address_of_the_page(
    maya: Driver, client: AsyncWebClient, workspace: Workspace
) -> None:
    ts = await maya.post("C0GENERAL", "question")
    answer = await client.chat_postMessage(channel="C0GENERAL", thread_ts=ts, text="answer")
    link = await client.chat_getPermalink(channel="C0GENERAL", message_ts=answer["ts"])
    digits = answer["ts"].replace(".", "")
    assert link["permalink"] == f"{workspace.url}/archives/C0GENERAL/p{digits}?thread_ts={ts}&cid=C0GENERAL"


async def test_an_ephemeral_message_is_seen_by_one_person(maya: Driver, leo: Driver, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel="C0GENERAL", user="U0LEO", text="just for you")
    seen = await leo.wait_for_ephemeral("C0GENERAL")
    assert seen["text"] == "just for you"
    assert [message["text"] for message in await leo.history("C0GENERAL")] == ["just for you"]
    assert await maya.history("C0GENERAL") == []
    assert (await client.conversations_history(channel="C0GENERAL"))["messages"] == []


async def test_unread_messages_are_counted_until_the_channel_is_read(maya: Driver, leo: Driver) -> None:
    await maya.post("C0HELP", "one")
    await maya.post("C0HELP", "two")
    assert (await leo.boot())["unread"] == {"C0HELP": 2}
    await leo.history("C0HELP")
    assert (await leo.boot())["unread"] == {}
    assert (await maya.boot())["unread"] == {}


async def test_a_driver_says_what_was_there_when_it_waited_for_nothing(maya: Driver) -> None:
    await maya.post("C0GENERAL", "is anybody here?")
    with pytest.raises(DriverTimeout, match="is anybody here"):
        await maya.wait_for_message("C0GENERAL", lambda m: m["text"] == "yes", timeout=0.01)


def _button(action_id: str) -> JSON:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": action_id}, "value": "1"}
