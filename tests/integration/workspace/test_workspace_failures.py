"""What goes wrong on request: rate limits, server errors, lost sockets, second deliveries, streams that end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import APP_TOKEN, BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver, Refused

JSON = dict[str, Any]


async def test_a_rate_limit_says_when_to_come_back(maya: Driver, client: AsyncWebClient) -> None:
    await maya.fault("chat.postMessage", "rate_limited", retry_after=7)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0GENERAL", text="hello")
    assert refused.value.response["error"] == "ratelimited"
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "7"
    await client.chat_postMessage(channel="C0GENERAL", text="hello")
    assert [call["ok"] for call in await maya.calls("chat.postMessage")] == [False, True]


async def test_the_sdks_retry_handlers_get_over_the_faults(maya: Driver, client: AsyncWebClient) -> None:
    client.retry_handlers += [
        AsyncRateLimitErrorRetryHandler(max_retry_count=2),
        AsyncServerErrorRetryHandler(max_retry_count=2),
    ]
    await maya.fault("*", "rate_limited", retry_after=0)
    await maya.fault("chat.postMessage", "http_500")
    await client.chat_postMessage(channel="C0GENERAL", text="hello")
    calls = await maya.calls("chat.postMessage")
    assert [call.get("error") for call in calls] == ["ratelimited", "internal_error", None]
    assert len(await maya.history("C0GENERAL")) == 1


async def test_any_error_can_be_asked_for_and_taken_back(maya: Driver, client: AsyncWebClient) -> None:
    await maya.fault("chat.update", "error", error="edit_window_closed", times=100)
    with pytest.raises(SlackApiError, match="edit_window_closed"):
        await client.chat_update(channel="C0GENERAL", ts="1.1", text="x")
    await maya.fault("*", "none")
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel="C0GENERAL", ts="1.1", text="x")
    with pytest.raises(Refused, match="kind is rate_limited"):
        await maya.fault("*", "explosion")


@pytest.mark.parametrize("how", ["disconnect", "hard"])
async def test_the_app_recovers_from_a_closed_socket(
    how: str, app: AsyncApp, handler: AsyncSocketModeHandler, maya: Driver
) -> None:
    heard: list[str] = []
    both = asyncio.Event()

    @app.event("message")
    async def listen(event: JSON) -> None:
        heard.append(event["text"])
        if len(heard) == 2:
            both.set()

    await maya.post("C0GENERAL", "before")
    await maya.quiet()
    assert await maya.control("close_sockets", how=how) == {"ok": True, "closed": 1}
    await maya.post("C0GENERAL", "after")
    await asyncio.wait_for(both.wait(), 10)
    assert heard == ["before", "after"]
    assert len(await maya.calls("apps.connections.open")) == 2


async def test_an_event_can_be_delivered_twice(app: AsyncApp, handler: AsyncSocketModeHandler, maya: Driver) -> None:
    heard: list[str] = []
    twice = asyncio.Event()

    @app.event("message")
    async def listen(body: JSON) -> None:
        heard.append(body["event_id"])
        if len(heard) == 2:
            twice.set()

    await maya.post("C0GENERAL", "hello")
    await maya.quiet()
    await maya.control("redeliver", last=True, times=1)
    await asyncio.wait_for(twice.wait(), 10)
    assert heard[0] == heard[1]
    with pytest.raises(Refused, match="no such event"):
        await maya.control("redeliver", event_id="Ev0NONE")


@pytest.fixture
async def bare_socket(workspace: Workspace) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A socket whose envelopes the test acknowledges itself, or not."""
    client = AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url)
    opened = await client.apps_connections_open(app_token=APP_TOKEN)
    async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as socket:
        hello = await socket.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        yield socket


@pytest.mark.parametrize("ack_seconds", [0.1])
async def test_an_event_without_acknowledgement_comes_again(
    bare_socket: aiohttp.ClientWebSocketResponse, maya: Driver
) -> None:
    await maya.post("C0GENERAL", "hello")
    first, second = await bare_socket.receive_json(), await bare_socket.receive_json()
    assert (first["retry_attempt"], first["retry_reason"]) == (0, "")
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert first["envelope_id"] != second["envelope_id"]
    assert first["accepts_response_payload"] is False
    await bare_socket.send_json({"envelope_id": second["envelope_id"]})
    await maya.quiet()
    (body,) = await maya.sent()
    assert "workspace_failure" not in body


@pytest.mark.parametrize("ack_seconds", [0.05])
async def test_an_event_is_given_up_after_three_more_tries(
    bare_socket: aiohttp.ClientWebSocketResponse, maya: Driver
) -> None:
    await maya.post("C0GENERAL", "hello")
    await maya.quiet()
    tries = [(await bare_socket.receive_json())["retry_attempt"] for _ in range(4)]
    assert tries == [0, 1, 2, 3]
    (body,) = await maya.sent()
    assert body["workspace_failure"] == "operation_timeout"


async def test_each_event_goes_to_exactly_one_socket(
    bare_socket: aiohttp.ClientWebSocketResponse, workspace: Workspace, client: AsyncWebClient, maya: Driver
) -> None:
    opened = await client.apps_connections_open(app_token=APP_TOKEN)
    async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as other:
        assert (await other.receive_json())["num_connections"] == 2
        texts = []
        for text in ("one", "two"):
            await maya.post("C0GENERAL", text)
        for socket in (bare_socket, other):
            envelope = await socket.receive_json()
            texts.append(envelope["payload"]["event"]["text"])
            await socket.send_json({"envelope_id": envelope["envelope_id"]})
        await maya.quiet()
    assert sorted(texts) == ["one", "two"]


async def test_a_ticket_opens_one_socket_only(workspace: Workspace, client: AsyncWebClient) -> None:
    opened = await client.apps_connections_open(app_token=APP_TOKEN)
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(opened["url"]):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(opened["url"])


async def test_an_app_that_is_not_there_fails_a_command_at_once(maya: Driver) -> None:
    with pytest.raises(Refused, match="dispatch_failed"):
        await maya.command("/echo")


async def test_events_wait_for_an_app_that_connects_later(
    maya: Driver, workspace: Workspace, client: AsyncWebClient
) -> None:
    await maya.post("C0GENERAL", "early")
    opened = await client.apps_connections_open(app_token=APP_TOKEN)
    async with aiohttp.ClientSession() as session, session.ws_connect(opened["url"]) as socket:
        await socket.receive_json()
        envelope = await socket.receive_json()
        assert envelope["payload"]["event"]["text"] == "early"
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
        await maya.quiet()


async def test_any_event_can_be_sent_to_the_app(app: AsyncApp, handler: AsyncSocketModeHandler, maya: Driver) -> None:
    heard: asyncio.Future[JSON] = asyncio.get_running_loop().create_future()

    @app.event({"type": "message", "subtype": "bot_message"})
    async def listen(body: JSON) -> None:
        heard.set_result(body)

    other = {"type": "message", "subtype": "bot_message", "bot_id": "B0OTHER", "channel": "C0GENERAL", "text": "beep"}
    sent = await maya.control("event", event=other)
    body = await asyncio.wait_for(heard, 10)
    assert body["event_id"] == sent["event_id"]
    assert body["event"]["bot_id"] == "B0OTHER"


async def test_reset_brings_back_the_first_state(maya: Driver, client: AsyncWebClient) -> None:
    await maya.post("C0GENERAL", "hello")
    await client.conversations_join(channel="C0RANDOM")
    await maya.control("reset")
    await maya.wait_for(lambda event: event["type"] == "reset")
    assert await maya.history("C0GENERAL") == []
    assert await maya.calls() == []
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.chat_postMessage(channel="C0RANDOM", text="hello")
    ts = await maya.post("C0GENERAL", "again")
    await client.chat_postMessage(channel="C0GENERAL", text="works", thread_ts=ts)
    assert (await maya.wait_for_reply("C0GENERAL", ts))["text"] == "works"


async def test_malformed_orders_and_acts_are_refused_with_a_sentence(maya: Driver, workspace: Workspace) -> None:
    with pytest.raises(Refused, match="no control 'dance'"):
        await maya.control("dance")
    with pytest.raises(Refused, match="malformed"):
        await maya.control("set_delivery", mode="http")
    with pytest.raises(Refused, match="Nobody can do 'fly'"):
        await maya.act("fly")
    async with aiohttp.ClientSession(workspace.url) as session:
        async with session.post("/_/act", json={"as": "U0NOBODY", "do": "post"}) as response:
            assert "nobody with the id 'U0NOBODY'" in (await response.json())["error"]
        async with session.post("/_/act", data=b"{") as response:
            assert response.status == 400
