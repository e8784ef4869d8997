from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.ledger import Call, Ledger
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
from bot.selection.latencies import Latencies
from bot.selection.questions import Questions

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


async def test_a_question_that_is_asked_again_after_a_crash_keeps_what_is_known_of_it(engine: AsyncEngine) -> None:
    kept = Questions(engine)
    await kept.keep(asked("How"))
    await kept.finish("q1", "So.", RECEIPT)
    await kept.keep(asked("How?"))
    assert await kept.asked("q1") == asked("How?")
    assert await kept.answered("q1") == "So."


async def test_a_models_latency_is_the_median_of_its_answered_calls(engine: AsyncEngine) -> None:
    ledger = Ledger(engine)
    for seconds, outcome in ((1.0, "answered"), (2.0, "answered"), (9.0, "answered"), (60.0, "timed_out")):
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
        price = Price(amount=None, version=None)
        await ledger.settle(row, outcome=outcome, seconds=seconds, usage=None, price=price)
    assert await Latencies(engine).medians() == {("house", "writer"): 2.0}
