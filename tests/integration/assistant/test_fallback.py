"""What steps in where a model cannot answer: the chain, and the selector's next best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from model_server import (
    ModelServer,
    answer,
    context_overflow,
    cut,
    rate_limited,
    server_error,
    unauthorized,
)

from bot.choosing import Fallback
from bot.domain import Evidence, Failed, StrategyName, TextDelta
from bot.errors import UnusableQuestion
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider

Build = Callable[..., Any]
Hosted = Callable[..., tuple[Provider, ModelCard]]
ROLL_BACK = "How do I roll back a deployment?"
ANSWER = "Use robotctl. [1]"
DEAR = {"rates": {"input": "50", "output": "100"}}
DEARER = {"rates": {"input": "500", "output": "1000"}}


@pytest.fixture
def three(hosted: Hosted, server: ModelServer, second_server: ModelServer) -> list[tuple[Provider, ModelCard]]:
    """A cheap model on the first server, a dear and a dearer one on the second."""
    return [
        hosted("first", server.url),
        hosted("second", second_server.url, **DEAR),
        hosted("third", second_server.url, **DEARER),
    ]


async def test_the_chain_says_who_steps_in_and_the_receipt_tells_it_in_its_order(
    build: Build, three: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(server_error(), server_error(), server_error())
    second_server.script(unauthorized(), rate_limited(0), answer(ANSWER))
    house = build(*three, fallback=Fallback(answer=("third", "second")))
    told = await house.ask(ROLL_BACK)
    assert (told.text, told.receipt.choice.option.model, told.note) == (ANSWER, "second", "")
    assert told.receipt.choice.policy == "fallback"
    reasons = told.receipt.choice.reasons
    assert reasons[0].startswith("“first” was chosen first but did not answer in 3 tries, so “third” stepped in. ")
    assert reasons[1].startswith("“third” did not answer either, so “second” stepped in. ")
    assert reasons[2] == "“second” answered at try 2 (before that: rate limited)."
    assert [call.model for call in await house.calls()] == ["first"] * 3 + ["third", "second", "second"]


async def test_behind_the_chain_comes_the_selectors_next_best(
    build: Build, three: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(unauthorized())
    second_server.script(unauthorized(), answer(ANSWER))
    house = build(*three, fallback=Fallback(answer=("third",)))
    assert (await house.ask(ROLL_BACK)).receipt.choice.option.model == "second"


async def test_who_asked_for_a_model_gets_the_next_of_the_chain_and_is_told_so(
    build: Build, three: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(unauthorized())
    second_server.script(ANSWER)
    house = build(*three, fallback=Fallback(answer=("third",)))
    await house.pins.set("channel", "C0HELP", model="first", by="U0MAYA")
    told = await house.ask(ROLL_BACK)
    assert (told.text, told.receipt.choice.option.model) == (ANSWER, "third")
    assert told.note == "“first” is pinned in this channel, but it did not answer: this is from “third”."
    assert told.receipt.choice.pins == ()


async def test_behind_the_chain_nobody_steps_in_for_a_pinned_model(
    build: Build, three: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(unauthorized())
    second_server.script(unauthorized())
    house = build(*three, fallback=Fallback(answer=("third",)))
    failed = await house.fail(ROLL_BACK, model="first")
    assert "“third”" in failed.sentence
    assert failed.receipt.choice.reasons[0].startswith("“first” was chosen first but did not answer")
    assert [call.model for call in await house.calls()] == ["first", "third"]


async def test_a_chain_leads_nowhere_that_a_channels_questions_may_not_go(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    away, card = hosted("away", "https://models.example/v1")
    server.script(unauthorized())
    house = build(
        hosted("first", server.url),
        (away.model_copy(update={"local": False}), card),
        fallback=Fallback(answer=("away",)),
    )
    await house.channels.set_local("C0HELP", True, by="U0ANA")
    assert (await house.ask(ROLL_BACK)).receipt.choice.option.model == "offline"


async def test_once_a_question_waited_too_long_only_what_is_at_once_there_is_asked(
    build: Build, three: Any, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(unauthorized())
    house = build(*three, fallback=Fallback(answer=("third", "second"), seconds=0.0))
    assert (await house.ask(ROLL_BACK)).receipt.choice.option.model == "offline"
    assert second_server.chats == []


@pytest.mark.parametrize("pinned", [None, "first"])
async def test_an_answer_that_breaks_off_is_marked_and_never_goes_on_in_another_models_words(
    build: Build, three: Any, server: ModelServer, second_server: ModelServer, pinned: str | None
) -> None:
    server.script(cut("Use the release tool to"))
    house = build(*three, fallback=Fallback(answer=("second",), hedge_after=30.0))
    events = await house.events(ROLL_BACK, model=pinned)
    shown = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert shown.startswith("Use the release")
    last = events[-1]
    assert isinstance(last, Failed)
    assert "broke off" in last.sentence
    assert await house.assistant.answered(last.question_id) == shown
    assert second_server.chats == []


# A prompt that is too long


LONG = f"{ROLL_BACK} {'We deploy robots by night, and each of them has a name and a number. ' * 90}".strip()


def least_window(house: Any) -> int:
    """The smallest context window that LONG has room in, without any passage."""
    card = house.models.card("first")

    def is_read(window: int) -> bool:
        try:
            smaller = card.model_copy(update={"context_window": window})
            house.assistant.prompt(house.question(LONG), Evidence(), StrategyName.RAG, smaller)
        except UnusableQuestion:
            return False
        return True

    return next(window for window in range(1000, card.context_window) if is_read(window))


def good(price: str) -> dict[str, Any]:
    """What makes a model worth asking rather than the one that only quotes."""
    return {"rates": {"input": price, "output": price}, "scores": {"rag": 1.0}}


@pytest.mark.parametrize("chain", [(), ("large",)])
@pytest.mark.parametrize("spare", [-5, 5], ids=["the question", "the passages"])
async def test_what_does_not_fit_goes_to_a_model_with_a_larger_window_before_passages_are_left_out(
    build: Build,
    hosted: Hosted,
    server: ModelServer,
    second_server: ModelServer,
    chain: tuple[str, ...],
    spare: int,
) -> None:
    window = least_window(build(hosted("first", server.url))) + spare
    second_server.script(ANSWER)
    house = build(
        hosted("small", server.url, context_window=window, **good("0.001")),
        hosted("middle", server.url, context_window=window + 1, **good("0.002")),
        hosted("large", second_server.url, context_window=128_000, **good("0.003")),
        fallback=Fallback(answer=chain),
    )
    told = await house.ask(LONG, strategy=StrategyName.RAG)
    assert (told.text, told.receipt.choice.option.model) == (ANSWER, "large")
    said = f"This is too long for “small” ({window:,} tokens), so “large” (128,000 tokens) took over."
    assert told.receipt.choice.reasons[0] == said
    assert "robotctl rollback" in second_server.chats[0].prompt
    assert server.chats == []


async def test_a_pinned_model_without_a_chain_reads_what_fits(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    window = least_window(build(hosted("first", server.url))) + 5
    house = build(
        hosted("small", server.url, context_window=window), hosted("large", second_server.url, context_window=128_000)
    )
    told = await house.ask(LONG, model="small", strategy=StrategyName.RAG)
    assert told.receipt.choice.option.model == "small"
    assert "robotctl rollback" not in server.chats[0].prompt
    assert second_server.chats == []


async def test_a_server_that_finds_the_prompt_too_long_is_followed_by_a_larger_window(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    server.script(context_overflow())
    second_server.script(ANSWER)
    house = build(
        hosted("small", server.url),
        hosted("same", server.url, **DEAR),
        hosted("large", second_server.url, context_window=128_000, **DEARER),
    )
    told = await house.ask(ROLL_BACK)
    assert told.receipt.choice.option.model == "large"
    assert told.receipt.choice.reasons[0].startswith("This is too long for “small” (8,192 tokens), so “large” (")


# What is no text

SEES = {"modality": ("text", "image")}
IMAGE = frozenset({"image"})


async def test_a_question_with_an_image_goes_to_a_model_that_sees_however_dear(
    build: Build, three: Any, hosted: Hosted, second_server: ModelServer
) -> None:
    house = build(*three, hosted("eye", second_server.url, **SEES, **DEARER))
    told = await house.ask(ROLL_BACK, needs=IMAGE)
    assert told.receipt.choice.option.model == "eye"
    assert "“first” cannot see images." in told.receipt.choice.guards


async def test_where_none_can_see_it_is_refused_with_what_could(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    provider, card = hosted("eye", server.url, **SEES)
    locked = provider.model_copy(update={"api_key_env": "EYE_API_KEY"})
    house = build(hosted("writer", server.url), (locked, card))
    failed = await house.fail(ROLL_BACK, needs=IMAGE)
    assert failed.sentence.startswith(
        "No model that may be asked here can see images. “eye” could, once an admin sets EYE_API_KEY. "
        "Describe it in words instead."
    )
    assert server.chats == []


async def test_a_pinned_model_that_cannot_see_is_refused_with_who_can_or_replaced_by_the_chain(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    pairs = hosted("writer", server.url), hosted("eye", second_server.url, **SEES)
    failed = await build(*pairs).fail(ROLL_BACK, model="writer", needs=IMAGE)
    assert failed.sentence.startswith("“writer” cannot see images. “eye” could: ")
    told = await build(*pairs, fallback=Fallback(answer=("writer",), vision=("eye",))).ask(
        ROLL_BACK, id="q9", model="writer", needs=IMAGE
    )
    assert told.receipt.choice.option.model == "eye"
    assert told.note == "“writer” was asked for with this question, but it cannot see images: this is from “eye”."
    assert server.chats == []
