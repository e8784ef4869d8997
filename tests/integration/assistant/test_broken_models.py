"""A model whose circuit breaker is open is left alone, and tried again by one question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from model_server import ModelServer, Reply, answer, server_error

from bot.choosing import Fallback
from bot.domain import Audience
from bot.models.breakers import PAUSE_SECONDS

Build = Callable[..., Any]
Hosted = Callable[..., Any]
ROLL_BACK = "How do I roll back a deployment?"
WHY = "“first” failed 5 of its last 5 calls; it is tried again at 09:01."
DEAR = {"rates": {"input": "50", "output": "100"}}


class Watch:
    """A monotonic clock that the test winds."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def break_(house: Any, server: ModelServer) -> None:
    """Two questions whose tries all fail."""
    server.script(*[server_error()] * 6)
    await house.ask(ROLL_BACK)
    await house.ask(ROLL_BACK)
    assert len(server.chats) == 6


async def test_a_model_that_keeps_failing_is_not_asked_until_one_question_finds_it_well_again(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer, watch: Watch
) -> None:
    house = build(hosted("first", server.url), hosted("second", second_server.url, **DEAR), monotonic=watch)
    await break_(house, server)
    told = await house.ask(ROLL_BACK)
    assert told.receipt.choice.option.model == "second"
    assert told.receipt.choice.reasons[0] == f"The choice would have been another: {WHY}"
    assert {option.reason for option in told.receipt.choice.options if option.model == "first"} >= {WHY}
    assert len(server.chats) == 6

    watch.seconds = PAUSE_SECONDS
    held = asyncio.Event()
    server.script(Reply(text="Use robotctl. [1]", held=held))
    probe = asyncio.create_task(house.ask(ROLL_BACK))
    await server.until_asked(7)
    assert (await house.ask(ROLL_BACK)).receipt.choice.option.model == "second"
    held.set()
    assert (await probe).receipt.choice.option.model == "first"
    assert (await house.ask(ROLL_BACK)).receipt.choice.option.model == "first"
    assert len(server.chats) == 8


async def test_a_pinned_model_that_is_broken_is_not_waited_for(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer, watch: Watch
) -> None:
    pairs = hosted("first", server.url), hosted("second", second_server.url, **DEAR)
    house = build(*pairs, fallback=Fallback(answer=("second",)), monotonic=watch)
    await break_(house, server)
    told = await house.ask(ROLL_BACK, model="first")
    assert told.receipt.choice.option.model == "second"
    assert told.receipt.choice.reasons[0] == f"“first” was asked for with this question. {WHY} So “second” stepped in."
    assert told.note == "“first” was asked for with this question, but it fails at present: this is from “second”."
    alone = build(*pairs, monotonic=watch)
    for _ in range(5):
        alone.models.breakers.note("first-house", "first", "unavailable")
    failed = await alone.fail(ROLL_BACK, id="q9", model="first")
    assert failed.sentence.startswith(f"“first” was asked for with this question. {WHY} Ask again then")
    assert len(server.chats) == 6


async def test_where_nothing_else_can_answer_the_sentence_says_when_to_ask_again(
    build: Build, hosted: Hosted, server: ModelServer, watch: Watch
) -> None:
    house = build(hosted("first", server.url), monotonic=watch)
    await break_(house, server)
    failed = await house.fail("Tell me a joke", audience=Audience(frozenset({"user:U9"})))
    assert failed.sentence.startswith(f"{WHY} Ask again then, or take another model by `/model`.")


async def test_an_answer_that_a_person_stops_says_nothing_against_the_model(
    build: Build, hosted: Hosted, server: ModelServer, watch: Watch
) -> None:
    house = build(hosted("first", server.url), monotonic=watch)
    for number in range(1, 7):
        server.script(Reply(pieces=["Use ", "robotctl"], held=asyncio.Event()))
        task = asyncio.create_task(house.events(ROLL_BACK))
        await server.until_asked(number)
        task.cancel()
        await asyncio.wait([task])
    server.script(answer("Use robotctl. [1]"))
    assert (await house.ask(ROLL_BACK)).receipt.choice.option.model == "first"
