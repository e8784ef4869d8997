"""What a person reads where hard budgets are nearly or wholly used up."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from model_server import ModelServer, Reply
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import Budgets
from bot.domain import Answer, StrategyName

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ROLL_BACK = "How do I roll back a deployment?"
POEM = "Write a poem about the sea."
GOOD = dict.fromkeys(StrategyName, 0.99)
BIG = {"rates": {"input": "10", "output": "100"}, "scores": GOOD}
SMALL = {"rates": {"input": "0.1", "output": "1"}, "scores": dict.fromkeys(StrategyName, 0.5)}


@pytest.fixture
def budgets(database: AsyncEngine) -> Budgets:
    return Budgets(database)


@pytest.fixture
def house(build: Any, hosted: Any, server: ModelServer, budgets: Budgets) -> Any:
    big, small = hosted("big", server.url, **BIG), hosted("small", server.url, **SMALL)
    return build(big, small, budgets=budgets)


@pytest.fixture
def leave(budgets: Budgets) -> Any:
    """Lets a hard budget of Ada's have so many dollars."""

    async def set_to(amount: str, **changes: Any) -> None:
        values = {"scope": "workspace", "key": "", "period": "month", "hard": True, "by": "U0ADA", "at": NOW}
        await budgets.set(**{**values, "amount": Decimal(amount), **changes})

    return set_to


def model_of(answer: Answer) -> str:
    return answer.receipt.choice.option.model


async def test_a_model_that_may_cost_more_than_is_left_gives_way_to_a_cheaper_one(house: Any, leave: Any) -> None:
    await leave("5")
    assert model_of(await house.ask(POEM)) == "big"
    await leave("0.02")
    answer = await house.ask(POEM)
    assert (model_of(answer), answer.note) == ("small", "")
    (why,) = {
        option.reason for option in answer.receipt.choice.options if option.model == "big" and "room" in option.reason
    }
    assert why.startswith(
        "The monthly budget of $0.02 for the whole workspace has no room for “big”: an answer may cost $0.0"
    )
    assert why.endswith(" is left until 1 December.")


async def test_a_pinned_model_gives_way_and_the_answer_and_its_receipt_say_so(house: Any, leave: Any) -> None:
    await leave("0.02", scope="person", key="U0ANA", period="day")
    answer = await house.ask(POEM, model="big")
    assert model_of(answer) == "small"
    assert answer.note == "“big” is pinned, but a budget has no room for it now."
    assert "the daily budget of $0.02 for you has no room" in answer.receipt.choice.reasons[0]
    await house.pins.set("channel", "C0HELP", model="small", by="U0ADA")
    assert (await house.ask(POEM)).note == "", "what is pinned and fits is asked"


async def test_without_room_for_any_model_the_documents_are_quoted_and_the_answer_says_why(
    house: Any, leave: Any, server: ModelServer
) -> None:
    await leave("0")
    answer = await house.ask(ROLL_BACK)
    assert model_of(answer) == "offline"
    assert "robotctl rollback" in answer.text
    assert answer.note == (
        "Until 1 December the monthly budget of $0 for the whole workspace has no room for a model that writes, "
        "so this is quoted."
    )
    assert server.chats == []


@pytest.mark.parametrize("pinned", [None, "big"])
async def test_where_nothing_can_be_quoted_either_it_is_said_until_when_and_who_can_raise_it(
    house: Any, leave: Any, server: ModelServer, pinned: str | None
) -> None:
    await leave("0")
    failed = await house.fail(POEM, model=pinned)
    assert failed.ask == "U0ADA"
    assert "the monthly budget of $0 for the whole workspace has no room for it" in failed.sentence
    assert "A new one begins on 1 December; an admin can raise it with `/cost budget`." in failed.sentence
    assert server.chats == []
    assert await house.calls() == []


async def test_a_model_of_unknown_price_is_kept_out_with_that_reason(
    build: Any, hosted: Any, server: ModelServer, budgets: Budgets, leave: Any
) -> None:
    house = build(hosted("riddle", server.url, rates=None), hosted("small", server.url, **SMALL), budgets=budgets)
    await leave("100")
    answer = await house.ask(POEM)
    assert model_of(answer) == "small"
    reasons = {option.reason for option in answer.receipt.choice.options if option.model == "riddle"}
    assert any("its price is not known, so it cannot be held" in reason for reason in reasons)
    await leave("100", hard=False)
    assert model_of(await house.ask(POEM, model="riddle")) == "riddle", "a soft budget holds nothing up"


@pytest.mark.parametrize("pinned", [None, "big"])
async def test_of_many_questions_at_once_those_that_come_too_late_at_the_gate_give_way(
    house: Any, leave: Any, server: ModelServer, pinned: str | None
) -> None:
    """All of them see room for the dear model, and it is there for one."""
    await leave("0.08")
    held = asyncio.Event()  # until the others have come to the gate
    server.answering = lambda request: Reply(held=held if request.body["model"] == "big" else None)
    asked = {asyncio.create_task(house.ask(POEM, model=pinned)) for _ in range(4)}
    while len(left := [task for task in asked if not task.done()]) > 1:
        await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
    held.set()
    answers = await asyncio.gather(*asked)
    late = [answer for answer in answers if model_of(answer) == "small"]
    assert len(late) == 3
    assert [bool(answer.note) for answer in late] == [pinned is not None] * 3
    reasons = {option.reason for answer in late for option in answer.receipt.choice.options if option.model == "big"}
    assert any(
        "other questions that are under way hold what is left" in why or "is left until" in why for why in reasons
    )
    assert sum(call.cost for call in await house.calls()) <= Decimal("0.08")
