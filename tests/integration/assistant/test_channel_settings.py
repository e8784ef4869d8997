"""What admins set for a channel, and that no word of a channel that stays here leaves this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from model_server import ModelServer, answer, unauthorized
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import StrategyName, Turn
from bot.errors import NotAllowed
from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.selection.channels import Channels, ChannelSettings
from bot.selection.data_rules import STAYS, DataRules
from bot.selection.pins import EVERYWHERE
from bot.selection.value import Value

Build = Callable[..., Any]
Hosted = Callable[..., tuple[Provider, ModelCard]]
HERE, ELSEWHERE = "C0HELP", "C0OTHER"
THREAD = (Turn("user", "How do I roll back a deployment?", "U0ANA"), Turn("assistant", "Run it. [1]", ""))


def away(hosted: Hosted, name: str = "away", **fields: Any) -> tuple[Provider, ModelCard]:
    """A model that could be called but runs elsewhere; nothing listens there, so a call would fail the test."""
    provider, card = hosted(name, "http://198.51.100.1:9/v1/", **fields)
    return provider.model_copy(update={"local": False}), card


async def test_a_channel_has_the_configured_settings_until_it_gets_its_own(engine: AsyncEngine) -> None:
    channels = Channels(engine, value=Value.BEST, stay_local=("C1",))
    assert await channels.of("C2") == ChannelSettings(value=Value.BEST, is_own=False, stay_local=False)
    await channels.set_value("C2", Value.FRUGAL, "U1")
    await channels.set_local("C2", True, "U1")
    assert await channels.of("C2") == ChannelSettings(value=Value.FRUGAL, is_own=True, stay_local=True)
    await channels.set_value("C2", None, "U1")
    assert await channels.of("C2") == ChannelSettings(value=Value.BEST, is_own=False, stay_local=True)
    await channels.set_local("C2", False, "U1")
    assert not (await channels.of("C2")).stay_local


async def test_what_the_configuration_keeps_here_no_command_lets_go(engine: AsyncEngine) -> None:
    channels = Channels(engine, stay_local=("C1",))
    with pytest.raises(NotAllowed, match=r"selection\.stay_local"):
        await channels.set_local("C1", False, "U1")
    await channels.set_local("C1", True, "U1")
    assert (await channels.of("C1")).stay_local


async def test_a_channels_value_decides_which_model_answers_there(
    build: Build, hosted: Hosted, server: ModelServer, second_server: ModelServer
) -> None:
    rates = {"input": "40", "output": "40"}
    good = hosted("good", server.url, rates=rates, scores={"rag": 0.95})
    house = build(good, hosted("cheap", second_server.url, scores={"rag": 0.7}))
    await house.channels.set_value(HERE, Value.BEST, "U1")
    await house.channels.set_value(ELSEWHERE, Value.FRUGAL, "U1")
    told = [await house.ask("How do I roll back a deployment?", channel=each) for each in (HERE, ELSEWHERE)]
    assert [each.receipt.choice.option.model for each in told] == ["good", "cheap"]
    assert [each.receipt.choice.value for each in told] == ["best", "frugal"]


async def test_a_question_that_stays_here_is_answered_by_a_model_that_runs_here(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(away(hosted, scores={"rag": 1.0}), hosted("near", server.url))
    await house.channels.set_local(HERE, True, "U1")
    server.script(answer("Run it. [1]"))
    told = await house.ask("How do I roll back a deployment?")
    assert told.receipt.choice.option.model == "near"
    assert STAYS in told.receipt.choice.guards
    refused = {option.strategy: option for option in told.receipt.choice.options if option.model == "away"}
    assert not any(option.available for option in refused.values())
    assert refused[StrategyName.RAG].reason == refused[StrategyName.ZERO_SHOT].reason == STAYS


async def test_when_the_model_here_fails_none_elsewhere_steps_in(
    build: Build, hosted: Hosted, server: ModelServer
) -> None:
    house = build(away(hosted), hosted("near", server.url))
    await house.channels.set_local(HERE, True, "U1")
    server.script(unauthorized())
    told = await house.ask("How do I roll back a deployment?")
    assert told.receipt.choice.option.model == "offline"
    assert {call.model for call in await house.calls()} == {"near", "offline"}


async def test_a_follow_up_that_stays_here_is_made_whole_by_no_model_elsewhere(build: Build, hosted: Hosted) -> None:
    house = build(away(hosted))
    await house.channels.set_local(HERE, True, "U1")
    told = await house.ask("And who may do it?", history=THREAD)
    assert told.receipt.choice.option.model == "offline"
    assert [(call.purpose, call.model) for call in await house.calls()] == [("answer", "offline")]


async def test_a_model_elsewhere_that_is_asked_for_is_refused_with_the_way_out(build: Build, hosted: Hosted) -> None:
    house = build(away(hosted))
    await house.channels.set_local(HERE, True, "U1")
    failed = await house.fail("How do I roll back a deployment?", model="away")
    assert failed.sentence.startswith(f"{STAYS} “away” runs elsewhere")
    assert "These run here: “offline”" in failed.sentence
    assert await house.calls() == []


@pytest.mark.parametrize("scope", ["thread", "person", "channel", "workspace"])
async def test_a_pinned_model_elsewhere_is_passed_over_and_the_receipt_says_so(
    build: Build, hosted: Hosted, scope: str
) -> None:
    house = build(away(hosted))
    await house.channels.set_local(HERE, True, "U1")
    keys = {"thread": f"{HERE}:1.1", "person": "U0ANA", "channel": HERE, "workspace": EVERYWHERE}
    await house.pins.set(scope, keys[scope], model="away", by="U1")
    told = await house.ask("How do I roll back a deployment?")
    assert told.receipt.choice.option.model == "offline"
    assert any(
        "“away” is" in reason and "passed over: this channel's" in reason for reason in told.receipt.choice.reasons
    )


async def test_the_configured_default_model_gives_way_where_it_runs_elsewhere(build: Build, hosted: Hosted) -> None:
    house = build(away(hosted), default_model="away")
    await house.channels.set_local(HERE, True, "U1")
    told = await house.ask("How do I roll back a deployment?")
    assert told.receipt.choice.option.model == "offline"


async def test_a_strategy_that_only_a_model_elsewhere_could_do_is_named_and_left_out(
    build: Build, hosted: Hosted
) -> None:
    house = build(away(hosted))
    await house.channels.set_local(HERE, True, "U1")
    told = await house.ask("How do I roll back a deployment?", strategy=StrategyName.ZERO_SHOT)
    assert told.receipt.choice.option.model == "offline"
    assert "could not be used" in told.receipt.choice.reasons[0]


async def test_a_question_that_stays_here_is_not_embedded_elsewhere(build: Build, hosted: Hosted) -> None:
    provider, card = away(hosted, "embedder", task="embedding", dimensions=64)
    house = build((provider, card))
    await house.channels.set_local(HERE, True, "U1")
    rules = DataRules(house.channels, house.models, house.allow_lists)
    elsewhere = f"{card.provider}/{card.model_id}/{card.dimensions}"
    with pytest.raises(NotAllowed, match=r'knowledge\.embedding = "local"'):
        await rules.check_search(HERE, elsewhere)
    await rules.check_search(ELSEWHERE, elsewhere)
    await rules.check_search(HERE, house.knowledge.embedder.name)
