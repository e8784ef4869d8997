"""The Web API's permissions, errors and limits, asked by the real SDK."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import APP_TOKEN, BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver

JSON = dict[str, Any]


def plain(text: str) -> JSON:
    return {"type": "plain_text", "text": text}


async def test_a_token_is_needed_and_must_be_the_right_one(workspace: Workspace, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="not_authed"):
        await AsyncWebClient(base_url=workspace.api_url).auth_test()
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await AsyncWebClient("xoxb-somebody-else", base_url=workspace.api_url).auth_test()
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await AsyncWebClient(APP_TOKEN, base_url=workspace.api_url).auth_test()
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        await client.apps_connections_open(app_token=BOT_TOKEN)
    answer = await client.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team"]) == ("U0SWITCH", "B0SWITCH", "Acme Robotics")
    assert "chat:write" in answer.headers["x-oauth-scopes"]


async def test_a_scope_that_the_token_lacks_is_named() -> None:
    async with Workspace(port=0, scopes=["chat:write"]) as workspace:
        client = AsyncWebClient(BOT_TOKEN, base_url=workspace.api_url)
        posted = await client.chat_postMessage(channel="C0GENERAL", text="hello")
        assert posted.headers["x-oauth-scopes"] == "chat:write"
        with pytest.raises(SlackApiError, match="missing_scope") as refused:
            await client.reactions_add(channel="C0GENERAL", timestamp=posted["ts"], name="eyes")
        assert refused.value.response["needed"] == "reactions:write"


async def test_an_unknown_method_is_named_as_such(client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError, match="unknown_method"):
        await client.api_call("chat.shout")


async def test_tokens_are_not_kept_with_the_calls(workspace: Workspace, maya: Driver) -> None:
    async with (
        aiohttp.ClientSession(workspace.url) as session,
        session.post("/api/auth.test", data={"token": BOT_TOKEN}) as response,
    ):
        assert (await response.json())["ok"] is True
    assert BOT_TOKEN not in str(await maya.calls())


async def test_arguments_come_as_form_query_or_json(workspace: Workspace, maya: Driver) -> None:
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    blocks = '[{"type": "divider"}]'
    async with aiohttp.ClientSession(workspace.url, headers=headers) as session:
        for request in (
            session.post("/api/chat.postMessage", data={"channel": "C0GENERAL", "text": "t", "blocks": blocks}),
            session.get("/api/chat.postMessage", params={"channel": "#general", "text": "t", "blocks": blocks}),
            session.post("/api/chat.postMessage", json={"channel": "general", "text": "t", "blocks": blocks}),
        ):
            async with request as response:
                assert (await response.json())["ok"] is True
        async with session.post("/api/chat.postMessage", json=["no object"]) as response:
            assert (await response.json())["error"] == "json_not_object"
    assert [message["blocks"][0]["type"] for message in await maya.history("C0GENERAL")] == ["divider"] * 3


async def test_a_private_channel_is_not_there_for_those_outside(
    maya: Driver, client: AsyncWebClient, leo: Driver
) -> None:
    await client.conversations_info(channel="G0FIN")
    await maya.control("set_member", channel="G0FIN", user="U0SWITCH", member=False)
    for call in (client.conversations_info, client.conversations_history, client.conversations_members):
        with pytest.raises(SlackApiError, match="channel_not_found"):
            await call(channel="G0FIN")
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client.chat_postMessage(channel="G0FIN", text="hello")
    listed = await client.conversations_list(types="public_channel,private_channel")
    assert "G0FIN" not in [channel["id"] for channel in listed["channels"]]
    assert "G0FIN" not in [channel["id"] for channel in (await leo.boot())["channels"]]
    assert "G0FIN" in [channel["id"] for channel in (await maya.boot())["channels"]]


async def test_events_of_a_private_channel_are_seen_by_its_members_only(maya: Driver, leo: Driver) -> None:
    await maya.post("G0FIN", "the budget")
    await leo.post("C0GENERAL", "lunch?")
    await leo.wait_for_message("C0GENERAL")
    assert [event["channel"] for event in leo.events if event["type"] == "message"] == ["C0GENERAL"]


async def test_a_public_channel_must_be_joined_before_it_is_used(client: AsyncWebClient, maya: Driver) -> None:
    ts = await maya.post("C0RANDOM", "hello")
    for refused in (
        client.chat_postMessage(channel="C0RANDOM", text="hello"),
        client.conversations_history(channel="C0RANDOM"),
        client.reactions_add(channel="C0RANDOM", timestamp=ts, name="eyes"),
        client.chat_postEphemeral(channel="C0RANDOM", user="U0MAYA", text="hello"),
    ):
        with pytest.raises(SlackApiError, match="not_in_channel"):
            await refused
    assert (await client.conversations_info(channel="C0RANDOM"))["channel"]["is_member"] is False
    await client.conversations_join(channel="C0RANDOM")
    await client.chat_postMessage(channel="C0RANDOM", text="hello")
    (joined,) = await maya.sent("member_joined_channel")
    assert (joined["event"]["user"], joined["event"]["channel"]) == ("U0SWITCH", "C0RANDOM")
    with pytest.raises(SlackApiError, match="method_not_supported_for_channel_type"):
        await client.conversations_join(channel="G0FIN")


async def test_inviting_and_leaving_reach_the_page_and_the_app(maya: Driver, leo: Driver) -> None:
    await maya.act("invite", channel="G0FIN", user="U0LEO")
    joined = await leo.wait_for(lambda event: event["type"] == "channel_joined")
    assert joined["channel"]["is_member"] is True
    (body,) = await maya.sent("member_joined_channel")
    assert (body["event"]["inviter"], body["event"]["channel_type"]) == ("U0MAYA", "G")
    await leo.act("leave", channel="G0FIN")
    assert "G0FIN" not in [channel["id"] for channel in (await leo.boot())["channels"]]
    assert len(await maya.sent("member_left_channel")) == 1


async def test_the_bot_changes_its_own_messages_only(client: AsyncWebClient, maya: Driver) -> None:
    ts = await maya.post("C0GENERAL", "mine")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel="C0GENERAL", ts=ts, text="yours")
    with pytest.raises(SlackApiError, match="cant_delete_message"):
        await client.chat_delete(channel="C0GENERAL", ts=ts)
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel="C0GENERAL", ts="1700000000.000001", text="nobody's")
    assert (await maya.history("C0GENERAL"))[0]["text"] == "mine"


async def test_an_update_keeps_the_blocks_unless_it_brings_others(client: AsyncWebClient, maya: Driver) -> None:
    blocks = [{"type": "divider", "block_id": "line"}]
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="one", blocks=blocks))["ts"]
    await client.chat_update(channel="C0GENERAL", ts=ts, text="two")
    assert (await maya.history("C0GENERAL"))[0]["blocks"] == blocks
    await client.chat_update(channel="C0GENERAL", ts=ts, text="two", blocks=[])
    assert "blocks" not in (await maya.history("C0GENERAL"))[0]


async def test_threads_must_exist_and_have_one_level(client: AsyncWebClient, maya: Driver) -> None:
    ts = await maya.post("C0GENERAL", "question")
    reply = await client.chat_postMessage(channel="C0GENERAL", text="a", thread_ts=ts)
    assert reply["message"]["parent_user_id"] == "U0MAYA"
    with pytest.raises(SlackApiError, match="cannot_reply_to_message"):
        await client.chat_postMessage(channel="C0GENERAL", text="a", thread_ts=reply["ts"])
    with pytest.raises(SlackApiError, match="thread_not_found"):
        await client.chat_postMessage(channel="C0GENERAL", text="a", thread_ts="1700000000.000001")
    broadcast = await client.chat_postMessage(channel="C0GENERAL", text="b", thread_ts=ts, reply_broadcast=True)
    assert [message["ts"] for message in await maya.history("C0GENERAL")] == [ts, broadcast["ts"]]


async def test_long_texts_are_cut_or_refused_as_slack_does(client: AsyncWebClient, maya: Driver) -> None:
    posted = await client.chat_postMessage(channel="C0GENERAL", text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_update(channel="C0GENERAL", ts=posted["ts"], text="&" * 1_000)
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_postMessage(channel="C0GENERAL", markdown_text="x" * 12_001)
    with pytest.raises(SlackApiError, match="no_text"):
        await client.api_call("chat.postMessage", json={"channel": "C0GENERAL", "text": " "})
    posted = await client.chat_postMessage(channel="C0GENERAL", markdown_text="**bold**")
    assert posted["message"]["blocks"][0]["type"] == "markdown"


BUTTON = {"type": "button", "text": plain("Go"), "action_id": "go"}
CHART: JSON = {"type": "pie", "segments": [{"label": "a", "value": 1}]}


@pytest.mark.parametrize(
    "block",
    [
        {"type": "unheard_of"},
        {"type": "section"},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}},
        {"type": "section", "text": {"type": "mrkdwn", "text": ""}},
        {"type": "header", "text": plain("x" * 151)},
        {"type": "header", "text": {"type": "mrkdwn", "text": "x"}},
        {"type": "context", "elements": [plain("x")] * 11},
        {"type": "actions", "elements": [{**BUTTON, "action_id": str(number)} for number in range(26)]},
        {"type": "actions", "elements": [BUTTON, BUTTON]},
        {"type": "actions", "elements": [{**BUTTON, "text": plain("x" * 76)}]},
        {"type": "actions", "elements": [{**BUTTON, "value": "x" * 2001}]},
        {"type": "actions", "elements": [{"type": "static_select", "action_id": "s", "options": []}]},
        {"type": "context_actions", "elements": [BUTTON]},
        {"type": "image", "image_url": "http://127.0.0.1/x.png"},
        {"type": "markdown", "text": "x" * 12_001},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]},
        {"type": "table", "rows": [["plain"]]},
        {"type": "data_table", "rows": [[{"type": "raw_text", "text": "x"}]] * 2},
        {"type": "data_table", "caption": "c", "rows": [[{"type": "raw_text", "text": "x"}]]},
        {"type": "data_visualization", "title": "x" * 51, "chart": CHART},
        {"type": "data_visualization", "title": "t", "chart": {"type": "donut"}},
        {"type": "data_visualization", "title": "t", "chart": {**CHART, "segments": CHART["segments"] * 7}},
        {"type": "data_visualization", "title": "t", "chart": {"type": "bar", "series": [{"name": "n", "data": []}]}},
        {"type": "input", "label": plain("l"), "element": {"type": "button", "text": plain("x")}},
    ],
)
async def test_blocks_that_slack_refuses_are_refused_with_the_place(block: JSON, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel="C0GENERAL", text="t", blocks=[block])
    assert refused.value.response["error"] == "invalid_blocks"
    assert "json-pointer:/blocks/0" in refused.value.response["response_metadata"]["messages"][0]


async def test_every_kind_of_block_that_slack_shows_is_taken(client: AsyncWebClient) -> None:
    cell = {"type": "raw_text", "text": "x"}
    series = [{"name": "cost", "data": [{"label": "Mon", "value": 1.5}]}]
    bars = {"type": "bar", "series": series, "axis_config": {"categories": ["Mon"], "y_label": "USD"}}
    feedback = {
        "type": "feedback_buttons",
        "action_id": "rate",
        "positive_button": {"text": plain("Good"), "value": "up"},
        "negative_button": {"text": plain("Bad"), "value": "down"},
    }
    options = [{"text": plain("One"), "value": "1"}]
    blocks: list[JSON] = [
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*a*"}], "accessory": BUTTON},
        {"type": "divider"},
        {"type": "header", "text": plain("Title")},
        {"type": "markdown", "text": "# Title"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]},
        {"type": "context_actions", "elements": [feedback]},
        {"type": "actions", "elements": [{"type": "overflow", "action_id": "o", "options": options}]},
        {"type": "image", "image_url": "http://127.0.0.1/x.png", "alt_text": "x"},
        {"type": "table", "rows": [[cell, cell]]},
        {"type": "data_table", "caption": "Costs", "rows": [[cell], [cell]]},
        {"type": "data_visualization", "title": "Costs", "chart": bars},
        {
            "type": "input",
            "label": plain("l"),
            "element": {"type": "radio_buttons", "action_id": "r", "options": options},
        },
    ]
    answer = await client.chat_postMessage(channel="C0GENERAL", text="all", blocks=blocks)
    assert all(block["block_id"] for block in answer["message"]["blocks"])


async def test_a_message_holds_fifty_blocks_and_thirteen_thousand_characters(client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0GENERAL", text="t", blocks=[{"type": "divider"}] * 50)
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel="C0GENERAL", text="t", blocks=[{"type": "divider"}] * 51)
    long = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
    await client.chat_postMessage(channel="C0GENERAL", text="t", blocks=[long] * 4)
    with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
        await client.chat_postMessage(channel="C0GENERAL", text="t", blocks=[long] * 5)


@pytest.mark.parametrize(
    "view",
    [
        {"type": "modal", "blocks": []},
        {"type": "modal", "title": plain("x" * 25), "blocks": []},
        {"type": "modal", "title": plain("t"), "blocks": [{"type": "divider"}] * 101},
        {"type": "modal", "title": plain("t"), "blocks": [], "private_metadata": "x" * 3001},
        {"type": "modal", "title": plain("t"), "blocks": [{"type": "markdown", "text": "x"}]},
        {"type": "modal", "title": plain("t"), "blocks": [{"type": "input", "label": plain("l"), "element": BUTTON}]},
        {"type": "home", "blocks": []},
        {"type": "panel", "blocks": []},
    ],
)
async def test_views_that_slack_refuses_are_refused(view: JSON, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await client.views_open(trigger_id="1.2.3", view=view)
    assert refused.value.response["error"] == "invalid_arguments"
    assert refused.value.response["response_metadata"]["messages"]


async def test_people_and_channels_can_be_looked_up(client: AsyncWebClient) -> None:
    people = await client.users_list(limit=2)
    assert [person["id"] for person in people["members"]] == ["U0MAYA", "U0LEO"]
    rest = await client.users_list(limit=10, cursor=people["response_metadata"]["next_cursor"])
    assert [person["name"] for person in rest["members"]] == ["ana", "sam", "switchboard"]
    maya = (await client.users_info(user="U0MAYA"))["user"]
    assert (maya["is_admin"], maya["real_name"]) == (True, "Maya Chen")
    found = await client.users_lookupByEmail(email=maya["profile"]["email"])
    assert found["user"]["id"] == "U0MAYA"
    with pytest.raises(SlackApiError, match="users_not_found"):
        await client.users_lookupByEmail(email="nobody@example.org")
    with pytest.raises(SlackApiError, match="user_not_found"):
        await client.users_info(user="U0NOBODY")
    members = await client.conversations_members(channel="G0FIN")
    assert members["members"] == ["U0MAYA", "U0ANA", "U0SWITCH"]
    mine = await client.users_conversations(types="public_channel,private_channel")
    assert "G0FIN" in [channel["id"] for channel in mine["channels"]]
    assert "C0RANDOM" not in [channel["id"] for channel in mine["channels"]]
    assert (await client.team_info())["team"]["name"] == "Acme Robotics"
    assert (await client.bots_info(bot="B0SWITCH"))["bot"]["user_id"] == "U0SWITCH"


async def test_a_message_to_a_person_opens_their_direct_messages(client: AsyncWebClient, maya: Driver) -> None:
    opened = await client.conversations_open(users="U0MAYA")
    assert opened["channel"]["id"] == "D0MAYA"
    await client.chat_postMessage(channel="U0MAYA", text="hello")
    assert (await maya.wait_for_message(maya.dm))["text"] == "hello"


async def test_files_are_uploaded_in_three_steps_and_shown(client: AsyncWebClient, maya: Driver) -> None:
    ts = await maya.post("C0GENERAL", "the numbers, please")
    await client.files_upload_v2(
        channel="C0GENERAL", thread_ts=ts, filename="costs.csv", content="model,usd\n", initial_comment="Here:"
    )
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    (file,) = reply["files"]
    assert (reply["text"], file["name"], file["mimetype"]) == ("Here:", "costs.csv", "text/csv")
    assert await maya.file(file) == b"model,usd\n"
    assert (await client.files_info(file=file["id"]))["file"]["size"] == 10
    (shared,) = await maya.sent("file_shared")
    assert shared["event"]["file_id"] == file["id"]


async def test_a_persons_file_reaches_the_app_which_may_read_it(
    maya: Driver, client: AsyncWebClient, workspace: Workspace
) -> None:
    await maya.post(maya.dm, "look", files={"note.txt": b"remember"})
    (message,) = await maya.sent("message")
    assert message["event"]["subtype"] == "file_share"
    address = message["event"]["files"][0]["url_private"]
    async with aiohttp.ClientSession() as session:
        async with session.get(address, headers={"Authorization": f"Bearer {BOT_TOKEN}"}) as response:
            assert await response.read() == b"remember"
        async with session.get(address, allow_redirects=False) as response:
            assert response.status == 302
    await maya.post("C0RANDOM", "not for the bot", files={"private.txt": b"secret"})
    (shown,) = (await maya.history("C0RANDOM"))[0]["files"]
    with pytest.raises(SlackApiError, match="file_not_found"):
        await client.files_info(file=shown["id"])


async def test_search_finds_what_the_bot_may_read(client: AsyncWebClient, maya: Driver) -> None:
    await maya.post("C0ENG", "The gripper needs new firmware.")
    await maya.post(maya.dm, "My gripper is private.")
    found = await client.api_call("assistant.search.context", json={"query": "gripper"})
    assert [message["channel_id"] for message in found["results"]["messages"]] == ["C0ENG"]
