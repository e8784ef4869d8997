from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.ledger import Call, Ledger
from bot.costs.periods import Period, Week
from bot.costs.report import weekly_report
from bot.costs.summary import cost_summary, sentence
from bot.domain import Price, Usage
from bot.storage.tables import questions

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = Week(date(2026, 10, 19), BERLIN)  # clocks go back on its Sunday


async def write(
    engine: AsyncEngine, id: str, at: datetime, cost: str | None, *, channel: str = "C1", kind: str = "channel"
) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            questions.insert().values(
                id=id, text="?", asker="U1", workspace="T1", channel=channel, place_kind=kind, scopes=[], asked_at=at
            )
        )
    ledger = Ledger(engine)
    row = await ledger.open(
        Call(
            question_id=id,
            purpose="answer",
            attempt=1,
            provider="openai",
            model="small",
            strategy="rag",
            channel=channel,
            asker="U1",
            started_at=at,
        )
    )
    price = Price(amount=None if cost is None else Decimal(cost), version=None if cost is None else "override")
    usage = Usage(prompt_tokens=1, completion_tokens=1)
    await ledger.settle(row, outcome="answered", seconds=1, usage=usage, price=price)


async def no_thumbs(_since: datetime, _until: datetime) -> tuple[int, int]:
    return 0, 0


async def test_a_week_is_summed_day_by_day_in_its_zone_also_where_clocks_change(engine: AsyncEngine) -> None:
    for number, moment in enumerate(
        (
            WEEK.since,
            datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
            datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
            WEEK.until - timedelta(seconds=1),
            WEEK.until,
            WEEK.since - timedelta(seconds=1),
        )
    ):
        await write(engine, f"q{number}", moment, "0.1")
    found = await weekly_report(Ledger(engine), no_thumbs, WEEK)
    assert found.total.cost == Decimal("0.4")
    assert found.previous.cost == Decimal("0.1")
    assert [day.calls for day in found.by_day] == [1, 0, 0, 0, 0, 0, 3]
    assert [day.calls for day in found.previous_by_day] == [0, 0, 0, 0, 0, 0, 1]
    assert found.answers == 4
    assert found.change == 3


async def test_thumbs_are_those_of_the_week(engine: AsyncEngine) -> None:
    asked: list[tuple[datetime, datetime]] = []

    async def thumbs(since: datetime, until: datetime) -> tuple[int, int]:
        asked.append((since, until))
        return 3, 1

    found = await weekly_report(Ledger(engine), thumbs, WEEK)
    assert found.thumbs == (3, 1)
    assert asked == [(WEEK.since, WEEK.until)]
    assert not found.empty


async def test_a_week_without_calls_is_empty(engine: AsyncEngine) -> None:
    assert (await weekly_report(Ledger(engine), no_thumbs, WEEK)).empty


async def test_direct_messages_appear_as_one_place(engine: AsyncEngine) -> None:
    noon = WEEK.since + timedelta(hours=12)
    await write(engine, "q1", noon, "1", channel="D1", kind="dm")
    await write(engine, "q2", noon, "2", channel="D2", kind="dm")
    await write(engine, "q3", noon, None)
    found = await weekly_report(Ledger(engine), no_thumbs, WEEK)
    assert [(place.key, place.cost) for place in found.by_channel] == [
        ("direct messages", Decimal(3)),
        ("C1", Decimal(0)),
    ]
    assert found.unknown == (("small", 1),)
    assert [question.question_id for question in found.dearest] == ["q2", "q1"]


async def test_cost_answers_a_period_of_the_zone(engine: AsyncEngine) -> None:
    now = datetime(2026, 10, 21, 22, 30, tzinfo=UTC)  # the 22nd in Berlin
    await write(engine, "today", now, "0.0042")
    await write(engine, "yesterday", now - timedelta(hours=1), "1")
    await write(engine, "last month", now - timedelta(days=30), "5", channel="D1", kind="dm")
    ledger = Ledger(engine)
    today = await cost_summary(ledger, Period.of("today", now, BERLIN))
    assert sentence(today) == "Today cost $0.0042 so far, for 1 answer."
    week = await cost_summary(ledger, Period.of("week", now, BERLIN), by="channel")
    assert [(part.key, part.cost) for part in week.parts] == [("C1", Decimal("1.0042"))]
