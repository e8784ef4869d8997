from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.costs.periods import Month, Period, Week
from bot.costs.report import Sought, weekly_report
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
    today = await cost_summary(ledger, Period.of("today", now, BERLIN), BERLIN)
    assert sentence(today) == "Today cost $0.0042 so far, for 1 answer."
    week = await cost_summary(ledger, Period.of("week", now, BERLIN), BERLIN, by="channel")
    assert [(part.key, part.cost) for part in week.parts] == [("C1", Decimal("1.0042"))]


async def test_the_week_under_way_is_foreseen_from_the_days_that_are_over(engine: AsyncEngine) -> None:
    now = WEEK.since + timedelta(days=2, hours=12)
    for number in range(30):
        at = now - timedelta(days=number)
        await write(engine, f"q{number}", at, "1")
    sought = Sought(now=now)
    found = (await weekly_report(Ledger(engine), no_thumbs, WEEK, sought=sought)).forecast
    assert found is not None
    assert (found.month.first, found.spent, found.left) == (date(2026, 10, 1), Decimal(20), 11)
    assert found.total is not None
    assert abs(found.total - 31) < Decimal("0.5")
    assert found.low is not None
    assert found.low <= 31


async def test_a_report_of_a_channel_tells_of_no_other_one(engine: AsyncEngine) -> None:
    noon = WEEK.since + timedelta(hours=12)
    await write(engine, "q1", noon, "1")
    await write(engine, "q2", noon, "2", channel="C2")
    await write(engine, "q3", noon - timedelta(days=7), "4", channel="C2")
    found = await weekly_report(Ledger(engine), no_thumbs, WEEK, sought=Sought(channel="C2", persons=True))
    assert (found.total.cost, found.previous.cost, found.answers) == (Decimal(2), Decimal(4), 1)
    assert (found.by_channel, found.by_person, found.dearest, found.channel) == ((), (), (), "C2")
    assert found.split is not None
    assert found.split.change == Decimal(-2)


async def test_a_month_is_summed_by_its_days_and_held_against_the_one_before(engine: AsyncEngine) -> None:
    october = Month(date(2026, 10, 1), BERLIN)
    await write(engine, "q1", october.since, "1")
    await write(engine, "q2", october.until - timedelta(seconds=1), "2")
    await write(engine, "q3", october.until, "4")
    await write(engine, "q4", october.since - timedelta(seconds=1), "8")
    found = await weekly_report(Ledger(engine), no_thumbs, october)
    assert (found.total.cost, found.previous.cost) == (Decimal(3), Decimal(8))
    assert [len(found.by_day), len(found.previous_by_day)] == [31, 30]


async def test_persons_are_counted_only_where_that_was_switched_on(engine: AsyncEngine) -> None:
    await write(engine, "q1", WEEK.since + timedelta(hours=12), "1")
    assert (await weekly_report(Ledger(engine), no_thumbs, WEEK)).by_person == ()
    (person,) = (await weekly_report(Ledger(engine), no_thumbs, WEEK, sought=Sought(persons=True))).by_person
    assert (person.key, person.calls, person.cost) == ("U1", 1, Decimal(1))
