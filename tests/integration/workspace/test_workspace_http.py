"""An app that is reached by signed HTTP: a real Bolt app behind a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import SIGNING_SECRET, Workspace
from deploy.workspace.driver import Driver, Refused

JSON = dict[str, Any]


class Door:
    """The app's HTTP address; answers the next `refusals` requests with 503, and keeps every request's headers."""

    def __init__(self, app: AsyncApp) -> None:
        self._app = app
        self.refusals = 0
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def events(self, request: web.Request) -> web.Response:
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        return await to_aiohttp_response(await self._app.async_dispatch(await to_bolt_request(request)))


@pytest.fixture
def http_app(client: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=client, signing_secret=SIGNING_SECRET, raise_error_for_unhandled_request=False)


@pytest.fixture
async def door(http_app: AsyncApp) -> AsyncIterator[Door]:
    door = Door(http_app)
    server = web.Application()
    server.router.add_post("/slack/events", door.events)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield door
    await runner.cleanup()


@pytest.fixture
async def over_http(door: Door, maya: Driver) -> Driver:
    """Maya, whose workspace reaches the app at its door; failed events come again at once."""
    await maya.control("set_delivery", mode="http", events_url=door.url, retry_seconds=[0, 0, 0], verify=True)
    return maya


async def test_a_mention_is_answered_over_http(http_app: AsyncApp, over_http: Driver) -> None:
    @http_app.event("app_mention")
    async def answer(event: JSON, say: Any) -> None:
        await say(text="hello", thread_ts=event["ts"])

    ts = await over_http.post("C0GENERAL", "<@U0SWITCH> hello?")
    assert (await over_http.wait_for_reply("C0GENERAL", ts))["text"] == "hello"


async def test_commands_clicks_and_modals_work_over_http(http_app: AsyncApp, over_http: Driver) -> None:
    @http_app.command("/echo")
    async def echo(ack: Any, body: JSON, client: AsyncWebClient) -> None:
        element = {"type": "plain_text_input", "action_id": "typed"}
        label = {"type": "plain_text", "text": "Say"}
        view = {
            "type": "modal",
            "callback_id": "m",
            "title": label,
            "submit": label,
            "blocks": [{"type": "input", "block_id": "b", "label": label, "element": element}],
        }
        await client.views_open(trigger_id=body["trigger_id"], view=view)
        button = {"type": "button", "action_id": "press", "text": label}
        await ack({"text": "pressed?", "blocks": [{"type": "actions", "elements": [button]}]})

    @http_app.action("press")
    async def press(ack: Any, respond: Any) -> None:
        await ack()
        await respond(text="pressed", replace_original=True)

    @http_app.view("m")
    async def submit(ack: Any) -> None:
        await ack(response_action="errors", errors={"b": "No."})

    await over_http.command("/echo")
    await over_http.click(await over_http.wait_for_ephemeral("C0GENERAL"), "press")
    await over_http.wait_for_ephemeral("C0GENERAL", lambda message: message["text"] == "pressed")
    answer = await over_http.submit_view(await over_http.wait_for_view(), {"typed": "x"})
    assert answer == {"response_action": "errors", "errors": {"b": "No."}}


async def test_plain_text_answers_a_command(http_app: AsyncApp, over_http: Driver) -> None:
    @http_app.command("/echo")
    async def echo(ack: Any, body: JSON) -> None:
        await ack(body["text"])

    await over_http.command("/echo", "as it is")
    assert (await over_http.wait_for_ephemeral("C0GENERAL"))["text"] == "as it is"


async def test_an_event_that_was_refused_comes_again_with_its_number(
    http_app: AsyncApp, door: Door, over_http: Driver
) -> None:
    heard = asyncio.Event()

    @http_app.event("message")
    async def listen() -> None:
        heard.set()

    door.headers.clear()
    door.refusals = 2
    await over_http.post("C0GENERAL", "hello")
    await asyncio.wait_for(heard.wait(), 10)
    numbers = [headers.get("x-slack-retry-num") for headers in door.headers]
    assert numbers == [None, "1", "2"]
    assert door.headers[-1]["x-slack-retry-reason"] == "http_error"


async def test_an_event_is_given_up_after_three_retries(door: Door, over_http: Driver) -> None:
    door.headers.clear()
    door.refusals = 100
    await over_http.post("C0GENERAL", "hello")
    await over_http.quiet()
    assert len(door.headers) == 4
    (body,) = await over_http.sent()
    assert body["workspace_failure"] == "http_error"
    with pytest.raises(Refused, match="dispatch_failed"):
        await over_http.command("/echo")


async def test_a_wrong_secret_is_refused_by_the_app_and_noticed(door: Door, maya: Driver) -> None:
    with pytest.raises(Refused, match="did not answer the challenge"):
        await maya.control("set_delivery", mode="http", events_url=door.url, signing_secret="wrong", verify=True)


async def test_a_workspace_can_start_with_an_events_address(door: Door) -> None:
    async with Workspace(port=0, events_url=door.url) as workspace, Driver(workspace.url) as maya:
        await maya.post("C0GENERAL", "hello")
        await maya.control("set_delivery", mode="socket")
        (body,) = await maya.sent()
        assert "workspace_failure" not in body
