"""What was begun is finished before the parts that it works with are closed, and nothing is begun after."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.errors import Closing
from bot.inbox import Inbox
from handlers.inbound import Inbound
from handlers.shapes import JSON
from handlers.under_way import UnderWay


async def test_draining_waits_for_what_is_under_way_and_for_what_that_begins() -> None:
    under_way, gate, done = UnderWay(), asyncio.Event(), list[str]()

    async def first() -> None:
        await gate.wait()
        under_way.run(second())
        done.append("first")

    async def second() -> None:
        await asyncio.sleep(0)
        done.append("second")

    under_way.run(first())
    draining = asyncio.create_task(under_way.drain(20))
    gate.set()
    await draining
    assert done == ["first", "second"]


async def test_what_is_not_done_in_time_is_stopped_and_nothing_begins_after() -> None:
    under_way = UnderWay()
    endless = under_way.run(asyncio.Event().wait())
    await under_way.drain(0)
    assert endless.cancelled()
    with pytest.raises(Closing):
        under_way.run(asyncio.sleep(0))


async def test_what_waits_to_be_kept_is_waited_for_and_worked_off(sqlite_engine: AsyncEngine) -> None:
    """As for a listener that waits longer for the database than Bolt waits for the listener."""
    inbox, under_way, worked = Inbox(sqlite_engine), UnderWay(), list[JSON]()

    async def work(reference: str, payload: JSON) -> None:
        worked.append(payload)

    async def tell(payload: JSON, sentence: str, reference: str) -> None:
        raise AssertionError(sentence)

    inbound = Inbound(inbox, under_way, {"ask": work}, tell)
    await inbox.worker.start()
    async with sqlite_engine.begin():  # nobody else writes meanwhile
        accepting = asyncio.create_task(inbound.accept("1", "ask", {"text": "when?"}))
        await asyncio.sleep(0)
        draining = asyncio.create_task(under_way.drain(20))
        await asyncio.sleep(0)
        assert under_way.draining
    await draining
    assert worked == [{"text": "when?"}]
    assert await accepting
    assert await inbox.waiting() == []
