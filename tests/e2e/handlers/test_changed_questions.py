"""A question that is changed or deleted while it is answered; and what a process leaves that dies at a bad moment."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from connected_bot import SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer, Reply

from bot.config import Settings
from bot.inbox import Inbox
from bot.replies import Replies
from bot.storage.cost_tables import ledger
from bot.storage.work_tables import reply_parts
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from handlers import begun


async def test_an_edit_while_answering_restarts_the_answer_in_the_same_reply_and_a_deletion_takes_it_away(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    gate = asyncio.Event()
    server.script(Reply(text="On Tuesdays, as ever.", gate=gate))
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    first = await maya.wait_for_reply("C0GENERAL", ts, lambda m: m["text"].startswith("On"))
    server.script("You get 30 days. [1]", Reply(text="Never read.", gate=gate))
    await maya.edit({"channel": "C0GENERAL", "ts": ts}, f"{SWITCHBOARD} how many days of vacation are there?")
    await bot.idle(maya)
    (answer,) = (await maya.history("C0GENERAL", ts))[1:]
    assert (answer["ts"], answer["text"]) == (first["ts"], "You get 30 days. [1]")
    assert "actions" in str(answer["blocks"])
    assert server.chats[0].gone.is_set()
    assert "vacation" in server.chats[1].prompt
    async with bot.core.engine.connect() as connection:
        calls = await connection.execute(sa.select(ledger.c.outcome, ledger.c.cost).order_by(ledger.c.id))
        assert [(outcome, cost is not None) for outcome, cost in calls] == [("stopped", True), ("answered", True)]

    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run on holidays?")
    await maya.wait_for_reply("C0GENERAL", ts, lambda m: bool(m.get("streaming")))
    await server.until_asked(3)
    await maya.delete({"channel": "C0GENERAL", "ts": ts})
    await bot.idle(maya)
    assert server.chats[2].gone.is_set()
    state = await maya.control("state")
    assert "Never" not in str(state["messages"])
    assert await bot.core.inbox.waiting() == []


async def test_what_was_begun_for_a_deleted_question_goes_once_slack_takes_it_away(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    server.script(Reply(text="Never read.", gate=asyncio.Event()))
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run on holidays?")
    await maya.wait_for_reply("C0GENERAL", ts, lambda m: m["text"].startswith("Never"))
    for method in ("chat.delete", "chat.update"):
        await maya.fault(method, "error", error="fatal_error")
    await maya.delete({"channel": "C0GENERAL", "ts": ts})
    await maya.wait_for_call("chat.delete")
    refused = next(number for number, call in enumerate(await maya.calls()) if call["method"] == "chat.delete")
    await maya.wait_for_call("chat.delete", after=refused + 1)
    await bot.idle(maya)
    state = await maya.control("state")
    assert [call["ok"] for call in state["calls"] if call["method"] == "chat.delete"] == [False, True]
    assert "Never" not in str(state["messages"])
    assert "reference" not in str(state["ephemerals"])
    assert await bot.core.inbox.waiting() == []


async def test_what_a_process_leaves_at_any_bad_moment_ends_as_one_reply(
    workspace: Workspace, settings: Settings, maya: Driver, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed_before(*_: Any, **__: Any) -> None:
        """Nothing comes of it."""

    gate = asyncio.Event()
    server.script("On Tuesdays. [1]", "On Thursdays. [1]", Reply(text="Never finished.", gate=gate))
    asked: list[str] = []
    with monkeypatch.context() as patch:
        async with connected_bot(workspace, settings, drain_seconds=0) as first:
            patch.setattr(Inbox, "done", killed_before)
            asked.append(await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?"))
            await first.idle(maya)
            patch.setattr(Replies, "settle", killed_before)
            asked.append(await maya.post("C0GENERAL", f"{SWITCHBOARD} when else do deploys run?"))
            await first.idle(maya)
            patch.setattr(Replies, "note", killed_before)
            asked.append(await maya.post("C0GENERAL", f"{SWITCHBOARD} when do robots run?"))
            await maya.wait_for_reply("C0GENERAL", asked[2], lambda m: m["text"].startswith("Never"))
            assert len(server.chats) == 3
    server.script("Robots run on Fridays.")
    async with connected_bot(workspace, settings) as second:
        await second.idle(maya)
        async with second.core.engine.connect() as connection:
            assert set((await connection.execute(sa.select(reply_parts.c.settled))).scalars()) == {True}
        assert await second.core.inbox.waiting() == []
    replies = [(await maya.history("C0GENERAL", ts))[1:] for ts in asked]
    assert [[message["text"] for message in each] for each in replies] == [
        ["On Tuesdays. [1]"],
        ["On Thursdays. [1]"],
        ["Robots run on Fridays."],
    ]
    assert len(server.chats) == 4
    gate.set()


async def test_a_reply_that_was_begun_while_the_clock_was_wrong_is_found_again(
    workspace: Workspace, settings: Settings, maya: Driver, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed_before(*_: Any, **__: Any) -> None:
        """Nothing comes of it."""

    server.script("On Tuesdays. [1]", Reply(text="Never finished.", gate=asyncio.Event()))
    async with connected_bot(workspace, settings, drain_seconds=0):
        ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
        answer = await maya.wait_for_reply("C0GENERAL", ts)
        seen = len(maya.events)
        await maya.click(answer, "another_way")
        view = await maya.wait_for_view(after=seen)
        with monkeypatch.context() as patch:
            patch.setattr(begun, "time", SimpleNamespace(time=lambda: time.time() + 3600))
            patch.setattr(Replies, "note", killed_before)
            await maya.submit_view(view, {"model": "test-model", "strategy": "zero_shot"})
            await maya.wait_for_reply("C0GENERAL", ts, lambda m: m["text"].startswith("Never"))
            await server.until_asked(2)
    server.script("On Tuesdays, at nine.")
    async with connected_bot(workspace, settings) as second:
        await second.idle(maya)
    texts = [message["text"] for message in (await maya.history("C0GENERAL", ts))[1:]]
    assert [text for text in texts if text.startswith("Never")] == []
    assert texts[:2] == ["On Tuesdays. [1]", "On Tuesdays, at nine."]
