from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.domain import (
    Audience,
    Choice,
    Citation,
    Option,
    Pin,
    Place,
    PlaceKind,
    Price,
    Question,
    Receipt,
    StrategyName,
    Usage,
)
from bot.selection.questions import Questions
from bot.selection.usual import RecentCalls, Spread, Usual

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
OPTION = Option(
    strategy=StrategyName.RAG, model="writer", quality=0.8, cost=Decimal("0.000123456789"), latency=2.5, utility=0.7
)
RECEIPT = Receipt(
    question_id="q1",
    choice=Choice(
        option=OPTION,
        options=(OPTION, Option(**{**{n: getattr(OPTION, n) for n in OPTION.__slots__}, "cost": None})),
        reasons=("Because.",),
        pins=(Pin(scope="thread", model="writer"),),
    ),
    citations=(Citation(number=1, title="A › B", url=None, source="docs", updated=NOW, quote="“Quote”"),),
    usage=Usage(prompt_tokens=10, completion_tokens=5, cached_tokens=2, estimated=True),
    price=Price(amount=Decimal("0.10"), version="override"),
    seconds=1.25,
    outcome="answered",
    created_at=NOW,
)


def asked(text: str = "How?") -> Question:
    place = Place(workspace="T1", channel="C1", kind=PlaceKind.PRIVATE_CHANNEL, thread="1.0")
    audience = Audience.of_channel("C1")
    return Question(id="q1", text=text, asker="U1", place=place, audience=audience, asked_at=NOW, private=True)


async def test_a_question_comes_back_as_it_was_asked(engine: AsyncEngine) -> None:
    kept = Questions(engine)
    assert await kept.asked("q1") is None
    await kept.keep(asked())
    assert await kept.asked("q1") == asked()
    assert await kept.receipt("q1") is None
    assert await kept.answered("q1") is None


async def test_a_receipt_comes_back_exact_to_the_last_digit(engine: AsyncEngine) -> None:
    kept = Questions(engine)
    await kept.keep(asked())
    await kept.finish("q1", "So [1].", RECEIPT)
    assert await kept.receipt("q1") == RECEIPT
    assert await kept.answered("q1") == "So [1]."


async def test_a_question_that_is_answered_anew_holds_nothing_of_its_earlier_answer(engine: AsyncEngine) -> None:
    kept = Questions(engine)
    await kept.keep(asked("How"))
    await kept.finish("q1", "So.", RECEIPT)
    await kept.keep(asked("How?"))
    assert await kept.asked("q1") == asked("How?")
    assert await kept.answered("q1") is None
    assert await kept.receipt("q1") is None


async def answered_calls(engine: AsyncEngine, calls: Sequence[tuple[float, int | None, str]]) -> None:
    ledger = Ledger(engine)
    for seconds, tokens, outcome in calls:
        call = Call(
            question_id="q1",
            purpose="answer",
            attempt=1,
            provider="house",
            model="writer",
            strategy="rag",
            channel="C1",
            asker="U1",
            started_at=NOW,
        )
        row = await ledger.open(call)
        usage = None if tokens is None else Usage(prompt_tokens=10, completion_tokens=tokens)
        price = Price(amount=None, version=None)
        await ledger.settle(row, outcome=outcome, seconds=seconds, usage=usage, price=price)


async def test_a_models_latency_is_the_median_of_its_answered_calls(engine: AsyncEngine) -> None:
    calls = ((1.0, None, "answered"), (2.0, None, "answered"), (9.0, None, "answered"), (60.0, None, "timed_out"))
    await answered_calls(engine, calls)
    assert await RecentCalls(engine).usual() == {("house", "writer"): Usual(Spread(2.0, 2.0, 2.0))}


async def test_enough_answered_calls_tell_how_much_time_and_length_vary(engine: AsyncEngine) -> None:
    await answered_calls(engine, [(float(number), 10 * number, "answered") for number in range(1, 12)])
    usual = (await RecentCalls(engine).usual())["house", "writer"]
    assert usual == Usual(Spread(6.0, 2.0, 10.0), Spread(60.0, 20.0, 100.0))
