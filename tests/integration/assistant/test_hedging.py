"""A second model is asked where the first stays silent; only one of them is ever heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from model_server import ModelServer, Reply, answer, cut, silence, unauthorized

from bot.choosing import Fallback
from bot.domain import Failed, TextDelta

Build = Callable[..., Any]
Hosted = Callable[..., Any]
ROLL_BACK = "How do I roll back a deployment?"
DEAR = {"rates": {"input": "50", "output": "100"}}
ASKED = "“first” had said nothing after 0.01 s, so “second” was asked as well; "


@pytest.fixture
def house(build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer) -> Any:
    return build(
        hosted("first", server.url), hosted("second", second_server.url, **DEAR), fallback=Fallback(hedge_after=0.01)
    )


async def test_the_second_that_speaks_first_is_heard_alone_and_the_first_is_stopped(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(silence())
    second_server.script(Reply(pieces=["Use ", "robotctl. [1]"]))
    told = await house.ask(ROLL_BACK)
    assert (told.text, told.receipt.choice.option.model) == ("Use robotctl. [1]", "second")
    assert told.receipt.choice.reasons[0] == f"{ASKED}“second” spoke first, and the other was stopped."
    async with asyncio.timeout(10):
        await server.chats[0].gone.wait()
    calls = {call.model: call for call in await house.calls()}
    assert (calls["first"].outcome, calls["second"].outcome) == ("stopped", "answered")
    assert told.receipt.price.amount == calls["first"].cost + calls["second"].cost


async def test_the_first_that_speaks_before_the_second_is_heard_alone(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    held = asyncio.Event()
    server.script(Reply(pieces=["Use ", "robotctl. [1]"], held=held))
    second_server.script(silence())
    asking = asyncio.create_task(house.ask(ROLL_BACK))
    await second_server.until_asked()
    held.set()
    told = await asking
    assert (told.text, told.receipt.choice.option.model) == ("Use robotctl. [1]", "first")
    assert told.receipt.choice.reasons[0] == f"{ASKED}“first” spoke first, and the other was stopped."
    assert {call.model: call.outcome for call in await house.calls()} == {"first": "answered", "second": "stopped"}


async def test_a_model_that_speaks_in_time_is_the_only_one_asked(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    pairs = hosted("first", server.url), hosted("second", second_server.url, **DEAR)
    await build(*pairs, fallback=Fallback(hedge_after=30.0)).ask(ROLL_BACK)
    assert (len(server.chats), second_server.chats) == (1, [])


async def test_where_one_of_the_two_fails_the_other_answers(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    held = asyncio.Event()
    server.script(Reply(pieces=["Use ", "robotctl. [1]"], held=held))
    second_server.script(unauthorized())
    asking = asyncio.create_task(house.ask(ROLL_BACK))
    await second_server.until_asked()
    held.set()
    told = await asking
    assert told.receipt.choice.option.model == "first"
    assert told.receipt.choice.reasons[0].startswith(ASKED)


async def test_where_both_fail_a_third_steps_in(house: Any, server: ModelServer, second_server: ModelServer) -> None:
    held = asyncio.Event()
    server.script(Reply(held=held, status=401, error=unauthorized().error))
    second_server.script(unauthorized())
    asking = asyncio.create_task(house.ask(ROLL_BACK))
    await second_server.until_asked()
    held.set()
    told = await asking
    assert told.receipt.choice.option.model == "offline"
    assert told.receipt.choice.reasons[0] == f"{ASKED}it did not answer."
    assert told.receipt.choice.reasons[1].startswith(
        "“first” was chosen first but did not answer, so “offline” stepped"
    )
    assert [call.model for call in await house.calls()] == ["first", "second", "offline"]


async def test_what_breaks_off_is_not_gone_on_with_by_the_other(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(silence())
    second_server.script(cut("Use the release tool"))
    events = await house.events(ROLL_BACK)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)).startswith("Use the")
    assert isinstance(events[-1], Failed)
    assert events[-1].receipt.choice.option.model == "second"


async def test_who_stops_while_both_are_silent_stops_both(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(silence())
    second_server.script(silence())
    question = house.question(ROLL_BACK)
    async with aclosing(house.assistant.answer(question)) as events, asyncio.TaskGroup() as tasks:
        async for event in events:
            if event.step == "write":
                break
        waiting = tasks.create_task(anext(events))
        await second_server.until_asked()
        waiting.cancel()
    assert {call.model: call.outcome for call in await house.calls()} == {"first": "stopped", "second": "stopped"}


async def test_who_asked_for_a_model_waits_for_it(house: Any, server: ModelServer, second_server: ModelServer) -> None:
    server.script(answer("Use robotctl. [1]", delay=0.05))
    assert (await house.ask(ROLL_BACK, model="first")).receipt.choice.option.model == "first"
    assert second_server.chats == []


async def test_a_model_that_is_overtaken_again_and_again_is_left_alone(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    for _ in range(5):
        server.script(silence())
        second_server.script("Use robotctl. [1]")
        await house.ask(ROLL_BACK)
    told = await house.ask(ROLL_BACK)
    assert "“first” began too late in 5 of its last 5 calls" in told.receipt.choice.reasons[0]
    assert len(server.chats) == 5
