"""Crashes, restarts, full disks and closed sockets: every question ends in an answer or a sentence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from connected_bot import BOTH_DOORS, SWITCHBOARD, ConnectedBot, connected_bot
from model_server import ModelServer, Reply
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from sqlalchemy.exc import OperationalError

from bot.config import Settings
from bot.storage.tables import inbox
from deploy.workspace import Workspace
from deploy.workspace.driver import Driver
from handlers.bolt import Bolt


async def test_a_question_that_a_dead_process_left_is_answered_by_the_next(
    workspace: Workspace, settings: Settings, maya: Driver, server: ModelServer
) -> None:
    gate = asyncio.Event()
    server.script(Reply(text="Never finished.", gate=gate))
    async with connected_bot(workspace, settings, drain_seconds=0) as first:
        ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
        await server.until_asked()
        begun = await maya.wait_for_reply("C0GENERAL", ts, lambda m: bool(m.get("streaming")))
        assert [kept.attempts for kept in await first.core.inbox.waiting()][-1:] == [1]
    (handed_back,) = (await maya.history("C0GENERAL", ts))[1:]
    assert "I was restarted here" in handed_back["text"]
    gate.set()
    server.script("On Tuesdays. [1]")
    async with connected_bot(workspace, settings) as second:
        await second.idle(maya)
        (whole,) = (await maya.history("C0GENERAL", ts))[1:]
        assert whole["ts"] == begun["ts"]
        assert whole["text"].startswith("On Tuesdays.")
        assert "actions" in str(whole["blocks"])
        assert await second.core.inbox.waiting() == []


async def test_a_question_that_fails_each_time_is_given_up_with_a_sentence(
    workspace: Workspace, settings: Settings, maya: Driver, server: ModelServer
) -> None:
    gate = asyncio.Event()
    server.script(Reply(text="Never finished.", gate=gate))
    async with connected_bot(workspace, settings, drain_seconds=0) as first:
        ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
        await maya.wait_for_reply("C0GENERAL", ts, lambda m: bool(m.get("streaming")))
        async with first.core.engine.begin() as connection:  # as three that were killed leave it
            await connection.execute(sa.update(inbox).values(attempts=4))
    async with connected_bot(workspace, settings) as second:
        await maya.wait_for_reply("C0GENERAL", ts, lambda m: "I was interrupted each time" in m["text"])
        await second.idle(maya)
        assert await second.core.inbox.waiting() == []
    gate.set()


async def test_what_arrives_once_the_bot_is_ending_is_answered_by_the_next_process(
    workspace: Workspace, settings: Settings, maya: Driver, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatch, answered = Bolt.async_dispatch, asyncio.Queue[int]()

    async def noted(self: Bolt, request: AsyncBoltRequest) -> BoltResponse:
        response = await dispatch(self, request)
        answered.put_nowait(response.status)
        return response

    monkeypatch.setattr(Bolt, "async_dispatch", noted)
    server.script("On Tuesdays. [1]")
    async with connected_bot(workspace, settings) as first:
        await first.under_way.drain(20)  # the door is still open, as it is for what was already on its way
        ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
        assert await answered.get() == 503
        assert await first.core.inbox.waiting() == []
    async with connected_bot(workspace, settings) as second:
        await maya.wait_for_reply("C0GENERAL", ts, lambda m: m["text"].startswith("On Tuesdays."))
        await second.idle(maya)


@BOTH_DOORS
async def test_what_arrived_before_the_end_is_answered_before_anything_closes(
    bot: ConnectedBot, maya: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived, gate, keep = asyncio.Event(), asyncio.Event(), bot.core.inbox.keep

    async def slow_disk(event_id: str, kind: str, payload: dict[str, object], **more: Any) -> bool:
        if payload["event"]["type"] == "app_mention":  # type: ignore[index]
            arrived.set()
        await gate.wait()
        return await keep(event_id, kind, payload, **more)

    monkeypatch.setattr(bot.core.inbox, "keep", slow_disk)
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    await arrived.wait()
    ending = asyncio.create_task(bot.under_way.drain(20))
    gate.set()
    await ending
    assert await bot.core.inbox.waiting() == []
    assert "actions" in str((await maya.history("C0GENERAL", ts))[-1]["blocks"])


@BOTH_DOORS
async def test_an_event_that_cannot_be_kept_is_not_acknowledged_and_comes_again(
    bot: ConnectedBot, maya: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = bot.core.inbox.keep
    failures = 0

    async def full_disk(event_id: str, kind: str, payload: dict[str, object], **more: Any) -> bool:
        nonlocal failures
        if payload["event"]["type"] == "app_mention" and failures == 0:  # type: ignore[index]
            failures += 1
            raise OperationalError("INSERT", {}, OSError("database or disk is full"))
        return await keep(event_id, kind, payload, **more)

    monkeypatch.setattr(bot.core.inbox, "keep", full_disk)
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    await maya.sent("app_mention")
    await maya.quiet()
    await maya.control("redeliver", event_id=(await maya.sent("app_mention"))[0]["event_id"], times=1)
    await maya.wait_for_reply("C0GENERAL", ts)
    assert failures == 1


@BOTH_DOORS
async def test_a_command_that_cannot_be_kept_says_so_and_gives_the_words_back(
    bot: ConnectedBot, maya: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full_disk(*_: object, **__: object) -> bool:
        raise OperationalError("INSERT", {}, OSError("database or disk is full"))

    monkeypatch.setattr(bot.core.inbox, "keep", full_disk)
    await maya.command("/ask", "when do deploys run?")
    told = await maya.wait_for_ephemeral("C0GENERAL", lambda m: "I could not keep your request" in m["text"])
    assert told["text"].endswith("\n>/ask when do deploys run?")


async def test_an_unexpected_error_reaches_the_person_with_the_reference_of_the_log(
    bot: ConnectedBot, maya: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(bot.core.conversations, "record", broken)
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    assert reply["text"].startswith("Something went wrong on my side.")
    reference = reply["text"].rpartition("(reference ")[2].rstrip(")")
    await bot.idle(maya)
    async with bot.core.engine.connect() as connection:
        query = sa.select(inbox.c.problem).where(inbox.c.state == "failed")
        assert reference in str((await connection.execute(query)).scalars().all())


async def test_a_closed_socket_costs_no_answer(bot: ConnectedBot, maya: Driver) -> None:
    await maya.control("close_sockets", how="disconnect")
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    await maya.wait_for_reply("C0GENERAL", ts)


async def test_slacks_rate_limit_costs_no_answer(bot: ConnectedBot, maya: Driver) -> None:
    await maya.fault("chat.startStream", "rate_limited", times=1, retry_after=1)
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    reply = await maya.wait_for_reply("C0GENERAL", ts)
    assert "actions" in str(reply["blocks"])


async def test_an_answer_that_its_channel_takes_no_more_comes_as_a_direct_message(
    bot: ConnectedBot, maya: Driver, server: ModelServer
) -> None:
    gate = asyncio.Event()
    server.script(Reply(text="On Tuesdays.", pieces=["On ", "Tuesdays."], gate=gate))
    ts = await maya.post("C0GENERAL", f"{SWITCHBOARD} when do deploys run?")
    await maya.wait_for_reply("C0GENERAL", ts, lambda m: "On" in m["text"])
    await maya.control("set_member", channel="C0GENERAL", user="U0SWITCH", member=False)
    gate.set()
    told = await maya.wait_for_message(maya.dm, lambda m: "could not answer there" in m["text"])
    assert "(reference " in told["text"]
    answer = await maya.wait_for_message(maya.dm, lambda m: "actions" in str(m.get("blocks")))
    assert answer["text"].startswith("On Tuesdays.")
