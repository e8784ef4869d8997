"""Channels that change, files that change, and histories that are long."""

from __future__ import annotations

import base64

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.driver import Driver, Refused


@pytest.fixture(autouse=True)
def _connected(handler: AsyncSocketModeHandler) -> None:
    """An app that takes what it is sent."""


async def types(person: Driver) -> list[str]:
    """The types of the events so far, with the subtypes of messages."""
    return [body["event"].get("subtype") or body["event"]["type"] for body in await person.sent()]


async def test_a_channel_that_becomes_private_says_so_and_closes(
    client: AsyncWebClient, maya: Driver, leo: Driver
) -> None:
    await maya.act("leave", channel="C0ENG")
    await leo.control("set_channel", channel="C0ENG", private=True)
    assert "channel_convert_to_private" in await types(leo)
    described = (await client.conversations_info(channel="C0ENG"))["channel"]
    assert (described["is_private"], described["is_channel"]) == (True, False)
    with pytest.raises(Refused, match="not open to you"):
        await maya.post("C0ENG", "May I?")


async def test_a_shared_renamed_archived_and_deleted_channel_is_told(client: AsyncWebClient, maya: Driver) -> None:
    await maya.control("set_channel", channel="C0ENG", shared=True)
    await maya.control("set_channel", channel="C0ENG", name="robots")
    await maya.control("set_channel", channel="C0ENG", archived=True)
    described = (await client.conversations_info(channel="C0ENG"))["channel"]
    assert (described["is_ext_shared"], described["name"], described["is_archived"]) == (True, "robots", True)
    with pytest.raises(SlackApiError, match="is_archived"):
        await client.chat_postMessage(channel="C0ENG", text="Anybody?")
    with pytest.raises(Refused, match="archived"):
        await maya.post("C0ENG", "Anybody?")
    await maya.control("set_channel", channel="C0ENG", deleted=True)
    with pytest.raises(SlackApiError, match="channel_not_found"):
        await client.conversations_info(channel="C0ENG")
    assert await types(maya) == ["channel_shared", "channel_rename", "channel_archive", "channel_deleted"]


async def test_files_are_listed_changed_and_deleted(client: AsyncWebClient, maya: Driver) -> None:
    await maya.post("C0ENG", "The plan", files={"plan.md": b"# Plan"})
    await maya.post("C0ENG", "", files={"alone.md": b"# Alone"})
    files = {file["name"]: file for file in (await client.files_list(channel="C0ENG"))["files"]}
    assert files.keys() == {"plan.md", "alone.md"}
    assert files["plan.md"]["channels"] == ["C0ENG"]
    new = base64.b64encode(b"# Plan B").decode()
    await maya.act("change_file", file=files["plan.md"]["id"], content_base64=new)
    changed = (await client.files_info(file=files["plan.md"]["id"]))["file"]
    assert changed["size"] == 8
    assert changed["updated"] > 0
    for file in files.values():
        await maya.act("delete_file", file=file["id"])
    assert (await client.files_list(channel="C0ENG"))["files"] == []
    assert [message["text"] for message in await maya.history("C0ENG")] == ["The plan"]
    told = await types(maya)
    assert (told.count("file_change"), told.count("file_deleted")) == (1, 2)


async def test_pages_of_files_follow_each_other(client: AsyncWebClient, maya: Driver) -> None:
    await maya.post("C0ENG", "", files={f"{number}.txt": b"text" for number in range(5)})
    pages = [await client.files_list(channel="C0ENG", count=2, page=page) for page in (1, 2, 3)]
    assert [len(page["files"]) for page in pages] == [2, 2, 1]
    assert pages[0]["paging"] == {"count": 2, "total": 5, "page": 1, "pages": 3}


async def test_a_file_leaves_the_channel_with_its_last_message(client: AsyncWebClient, maya: Driver) -> None:
    ts = await maya.post("C0ENG", "The plan", files={"plan.md": b"# Plan"})
    await maya.delete({"channel": "C0ENG", "ts": ts})
    assert (await client.files_list(channel="C0ENG"))["files"] == []


async def test_a_canvas_belongs_to_its_channel(client: AsyncWebClient, maya: Driver) -> None:
    file = (await maya.control("set_canvas", channel="C0ENG", title="Map", html="<h1>Map</h1>"))["file"]
    described = (await client.conversations_info(channel="C0ENG"))["channel"]
    assert described["properties"]["canvas"]["file_id"] == file
    canvas = (await client.files_info(file=file))["file"]
    assert (canvas["filetype"], canvas["title"]) == ("quip", "Map")
    await maya.control("set_canvas", channel="C0ENG", title="Map", html="<h1>New map</h1>")
    assert await types(maya) == ["file_created", "file_change"]


async def test_old_messages_come_in_pages_as_small_as_the_workspace_wants(client: AsyncWebClient, maya: Driver) -> None:
    old = [{"user": "U0LEO", "text": f"number {n}", "ts": f"{1700000000 + n}.000100"} for n in range(7)]
    await maya.control("fill", channel="C0ENG", messages=old)
    await maya.control("set_pages", most=3)
    page = await client.conversations_history(channel="C0ENG", limit=200)
    assert [message["text"] for message in page["messages"]] == ["number 6", "number 5", "number 4"]
    assert page["has_more"] is True
    below = await client.conversations_history(channel="C0ENG", limit=200, latest=page["messages"][-1]["ts"])
    assert [message["text"] for message in below["messages"]] == ["number 3", "number 2", "number 1"]
    assert await maya.sent() == []


async def test_a_fault_may_come_after_some_calls(client: AsyncWebClient, maya: Driver) -> None:
    await maya.fault("auth.test", "error", error="fatal_error", skip=1)
    await client.auth_test()
    with pytest.raises(SlackApiError, match="fatal_error"):
        await client.auth_test()
    await client.auth_test()
