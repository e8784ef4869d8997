"""A follow-up is searched for as a question that stands alone."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from model_server import ModelServer, answer, server_error, silence, unauthorized

from bot import rewriting
from bot.domain import Turn
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider

Build = Callable[..., Any]
Hosted = Callable[..., tuple[Provider, ModelCard]]
THREAD = (
    Turn("user", "How do I roll back a deployment?", "U0ANA"),
    Turn("assistant", "Run `robotctl rollback --to previous`. [1]", ""),
)
ALONE = "Which role may roll back a deployment?"


def calls_of(calls: list[Any]) -> list[tuple[str, str, str]]:
    return [(call.purpose, call.model, call.outcome) for call in calls]


async def test_a_cheap_model_makes_the_follow_up_whole_and_the_receipt_tells_what_was_searched(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(hosted("small", server.url))
    server.script(answer(f'"{ALONE}"\n'), answer("A release manager. [1]"))
    told = await house.ask("And who may do it?", history=THREAD)
    assert told.text == "A release manager. [1]"
    assert told.receipt.choice.reasons[-1] == f"The question leans on the thread, so the search was for “{ALONE}”."
    assert "robotctl rollback" in server.chats[0].prompt
    assert "And who may do it?" in server.chats[1].prompt
    assert calls_of(await house.calls()) == [("rewrite", "small", "answered"), ("answer", "small", "answered")]
    amounts = [call.cost for call in await house.calls()]
    assert told.receipt.price.amount == sum(amounts, Decimal(0))


async def test_a_question_that_stands_alone_is_searched_for_as_it_is(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(hosted("small", server.url))
    told = await house.ask("How much of the traffic does a canary release get at first?", history=THREAD)
    assert [call.purpose for call in await house.calls()] == ["answer"]
    assert "leans on the thread" not in " ".join(told.receipt.choice.reasons)


async def test_a_model_that_fails_or_is_silent_leaves_it_to_the_rules(
    build: Build, hosted: Hosted, server: ModelServer, monkeypatch: Any
) -> None:
    monkeypatch.setattr(rewriting, "SECONDS", 1.0)
    house = build(hosted("small", server.url))
    by_rules = "the search was for “How do I roll back a deployment? And who may?”"
    server.script(silence(), answer("A release manager. [1]"))
    told = await house.ask("And who may?", history=THREAD)
    assert by_rules in told.receipt.choice.reasons[-1]
    assert calls_of(await house.calls())[0] == ("rewrite", "small", "stopped")
    server.script(*[server_error()] * 3, answer("A release manager. [1]"))
    told = await house.ask("And who may?", history=THREAD)
    assert by_rules in told.receipt.choice.reasons[-1]


async def test_a_model_that_answers_instead_of_asking_is_not_believed(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(hosted("small", server.url))
    server.script(answer("That is a long story. " * 40), answer("A release manager. [1]"))
    told = await house.ask("And who may?", history=THREAD)
    assert "How do I roll back a deployment? And who may?" in told.receipt.choice.reasons[-1]


async def test_a_dear_model_one_of_unknown_price_and_one_that_thinks_are_not_asked(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(
        hosted("dear", server.url, rates={"input": "10", "output": "90"}),
        hosted("unknown", server.url, rates=None),
        hosted("thinker", server.url, thinking_tokens=2000),
    )
    await house.ask("And who may do it?", history=THREAD)
    assert "rewrite" not in [call.purpose for call in await house.calls()]


async def test_where_the_offline_model_is_pinned_no_other_reads_the_thread(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(hosted("small", server.url))
    await house.pins.set("person", "U0ANA", model="offline", by="U0ANA")
    await house.ask("And how long does it take?", history=THREAD)
    assert server.chats == []


async def test_the_offline_model_answers_a_follow_up_from_what_the_whole_question_finds(build: Build) -> None:
    told = await build().ask("How long does it take?", history=THREAD)
    assert "four minutes" in told.text
    assert "How do I roll back a deployment? How long does it take?" in told.receipt.choice.reasons[-1]


async def test_a_chain_says_who_makes_the_follow_up_whole_and_who_where_that_one_cannot(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    dear = {"rates": {"input": "10", "output": "90"}}
    house = build(
        hosted("small", server.url),
        hosted("dear", second_server.url, **dear),
        hosted("other", second_server.url, **dear),
        rewriters=("other", "dear"),
    )
    second_server.script(unauthorized(), answer(ALONE))
    told = await house.ask("And who may do it?", history=THREAD)
    assert told.receipt.choice.reasons[-1].endswith(f"the search was for “{ALONE}”.")
    assert calls_of(await house.calls())[:2] == [("rewrite", "other", "unauthorized"), ("rewrite", "dear", "answered")]


async def test_a_model_that_is_left_alone_makes_no_follow_up_whole(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    house = build(hosted("small", server.url), hosted("other", second_server.url))
    for _ in range(5):
        house.models.breakers.note("small-house", "small", "unavailable")
    second_server.script(answer(ALONE), answer("A release manager. [1]"))
    await house.ask("And who may do it?", history=THREAD)
    assert calls_of(await house.calls()) == [("rewrite", "other", "answered"), ("answer", "other", "answered")]
