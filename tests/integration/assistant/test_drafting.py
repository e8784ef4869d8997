"""A cheap draft that nobody sees, and a dearer answer only where the draft was unsure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest
from model_server import ModelServer, Reply, answer, no_logprobs, unauthorized

from bot.domain import Finished, Pin, Progress, StrategyName, TextDelta
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider

Build = Callable[..., Any]
Hosted = Callable[..., tuple[Provider, ModelCard]]
ROLL_BACK = "How do I roll back a deployment?"
USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
SMALL = {"rates": {"input": "0.1", "output": "1"}, "scores": {"rag": 0.80, "zero_shot": 0.5}}
LARGE = {"rates": {"input": "2", "output": "12"}, "scores": {"rag": 0.82, "zero_shot": 0.5}}


@pytest.fixture
def pair(hosted: Hosted, server: ModelServer, second_server: ModelServer) -> tuple[tuple[Provider, ModelCard], ...]:
    """A cheap model and a dear one that is a little better."""
    return hosted("small", server.url, **SMALL), hosted("large", second_server.url, **LARGE)


@pytest.fixture
def house(build: Build, pair: tuple[tuple[Provider, ModelCard], ...]) -> Any:
    return build(*pair, escalate=True)


async def test_an_unsure_draft_is_never_seen_and_both_calls_are_paid_for(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(Reply(pieces=["Perhaps ", "by fax. [1]"], logprobs=[-0.4, -0.7], usage=USAGE))
    second_server.script(answer("With robotctl. [1]", usage=USAGE))
    question = house.question(ROLL_BACK)
    events = await house.events(question)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "With robotctl. [1]"
    assert Progress("draft", "done", "small was not sure") in events
    receipt = await house.assistant.receipt(question.id)
    assert receipt.choice.option.model == "large"
    assert receipt.choice.policy == "draft"
    said = "A draft by “small” was unsure (0.42), so “large” answered; the draft cost $0.0002."
    assert receipt.choice.reasons[0] == said
    assert receipt.price.amount == Decimal("0.0002") + Decimal("0.0032")
    calls = await house.calls()
    assert [(call.purpose, call.model, call.outcome, call.cost) for call in calls] == [
        ("draft", "small", "answered", Decimal("0.0002")),
        ("answer", "large", "answered", Decimal("0.0032")),
    ]


async def test_a_sure_draft_is_the_answer_with_its_sources_and_nobody_else_is_asked(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(answer("With robotctl. [1] Not [7].", logprobs=-0.05, usage=USAGE))
    told = await house.ask(ROLL_BACK)
    assert told.text == "With robotctl. [1] Not."
    assert [citation.title for citation in told.citations] == ["Deploying"]
    assert (told.receipt.choice.option.model, told.receipt.price.amount) == ("small", Decimal("0.0002"))
    assert "sure enough to be the answer (uncertainty 0.05" in told.receipt.choice.reasons[0]
    assert second_server.chats == []
    assert [call.purpose for call in await house.calls()] == ["draft"]


@pytest.mark.parametrize(("text", "model"), [("With robotctl. [1]", "small"), ("It is said to be easy.", "large")])
async def test_a_server_without_log_probabilities_is_judged_by_what_the_draft_cites(
    house: Any, server: ModelServer, second_server: ModelServer, text: str, model: str
) -> None:
    server.script(no_logprobs(), answer(text))
    second_server.script("With robotctl. [1]")
    told = await house.ask(ROLL_BACK)
    assert (told.text, told.receipt.choice.option.model) == ("With robotctl. [1]", model)
    assert len(await house.calls()) == (1 if model == "small" else 2)


async def test_a_draft_that_does_not_come_is_answered_by_the_dearer_model(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(unauthorized())
    second_server.script("With robotctl. [1]")
    told = await house.ask(ROLL_BACK)
    assert told.receipt.choice.option.model == "large"
    assert told.receipt.choice.reasons[0].startswith("A draft by “small” did not come (")
    assert [(call.purpose, call.outcome) for call in await house.calls()] == [
        ("draft", "unauthorized"),
        ("answer", "answered"),
    ]


async def test_where_the_dearer_model_fails_the_unsure_draft_is_better_than_nothing(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(answer("With robotctl, I think. [1]", logprobs=-1.0))
    second_server.script(unauthorized())
    told = await house.ask(ROLL_BACK)
    assert (told.text, told.receipt.choice.option.model) == ("With robotctl, I think. [1]", "small")
    assert "but “large” did not answer, so the draft is shown" in told.receipt.choice.reasons[0]
    assert len(server.chats) == 1


async def test_where_both_fail_the_offline_model_steps_in(
    house: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(unauthorized())
    second_server.script(unauthorized())
    told = await house.ask(ROLL_BACK)
    assert told.receipt.choice.option.model == "offline"
    assert told.receipt.choice.reasons[0].startswith("“large” was chosen first but did not answer")
    assert [call.model for call in await house.calls()] == ["small", "large", "offline"]


async def test_a_draft_that_is_stopped_is_charged_and_nothing_of_it_is_shown(house: Any, server: ModelServer) -> None:
    server.script(Reply(pieces=["Perhaps ", "by fax."], gate=asyncio.Event(), usage=USAGE))
    question = house.question(ROLL_BACK)
    async with aclosing(house.assistant.answer(question)) as events, asyncio.TaskGroup() as tasks:
        async for event in events:
            assert not isinstance(event, TextDelta | Finished)
            if event == Progress("draft", "started"):
                break
        waiting = tasks.create_task(anext(events))
        await server.until_asked()
        waiting.cancel()
    (call,) = await house.calls()
    assert (call.purpose, call.outcome) == ("draft", "stopped")


async def test_nothing_is_drafted_unless_it_is_configured(
    build: Build, pair: tuple[tuple[Provider, ModelCard], ...], server: ModelServer, second_server: ModelServer
) -> None:
    house = build(*pair)
    await house.ask(ROLL_BACK)
    assert [call.purpose for call in await house.calls()] == ["answer"]
    assert all("logprobs" not in request.body for request in server.chats + second_server.chats)


@pytest.mark.parametrize("pin", [{"model": "small"}, {"strategy": StrategyName.RAG}])
async def test_who_pinned_a_model_or_a_strategy_gets_no_draft(house: Any, pin: dict[str, Any]) -> None:
    told = await house.ask(ROLL_BACK, **pin)
    assert [call.purpose for call in await house.calls()] == ["answer"]
    assert Pin(scope="question", **pin) in told.receipt.choice.pins


async def test_a_channel_whose_questions_stay_here_gets_no_draft(
    build: Build, hosted: Hosted, pair: tuple[tuple[Provider, ModelCard], ...]
) -> None:
    away, card = hosted("away", "https://models.example/v1", rates={"input": "90", "output": "90"})
    house = build(*pair, (away.model_copy(update={"local": False}), card), escalate=True)
    await house.channels.set_local("C0HELP", True, by="U0ANA")
    await house.ask(ROLL_BACK)
    assert [call.purpose for call in await house.calls()] == ["answer"]
