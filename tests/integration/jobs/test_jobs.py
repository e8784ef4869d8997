from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from judging import NOW, RAG, answered
from sqlalchemy.ext.asyncio import AsyncEngine
from week_reports import empty, report

from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.costs.periods import Month, Span, Week
from bot.costs.report import WeeklyReport, weekly_report
from bot.costs.report_words import headline
from bot.domain import Mean, Price, Usage
from bot.inbox import Inbox
from bot.jobs.cron import parse_cron
from bot.jobs.learning_job import NIGHTLY, learning_job
from bot.jobs.prune_job import KEPT, prune_job
from bot.jobs.report_job import MONTHLY, days_job, report_job
from bot.jobs.schedule import Schedule
from bot.learning.feedback import Feedback
from bot.learning.labels import Labels, Signal
from bot.learning.learning import Learning
from bot.limits import Limits
from bot.replies import Replies
from bot.storage.cost_tables import ledger_days
from bot.storage.door_tables import asked_lately
from bot.storage.tables import inbox

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 11, 16, 9, tzinfo=BERLIN)


async def test_the_report_of_last_week_is_posted_on_monday_and_only_then(engine: AsyncEngine) -> None:
    ledger, feedback = Ledger(engine), Feedback(engine, clock=lambda: MONDAY - timedelta(days=2))
    row = await ledger.open(
        Call(
            question_id="q1",
            purpose="answer",
            attempt=1,
            provider="openai",
            model="small",
            strategy="rag",
            channel="C1",
            asker="U1",
            started_at=MONDAY - timedelta(days=3),
        )
    )
    usage = Usage(prompt_tokens=1, completion_tokens=1)
    price = Price(amount=Decimal("0.0042"), version="override")
    await ledger.settle(row, outcome="answered", seconds=1, usage=usage, price=price)
    await feedback.give("q1", "U1", 1)
    posted: list[WeeklyReport] = []

    async def make(week: Span, channel: str) -> WeeklyReport:
        return await weekly_report(ledger, feedback.counts, week)

    async def post(channel: str, report: WeeklyReport, due: datetime) -> None:
        assert due == MONDAY
        posted.append(report)

    schedule = Schedule(engine, BERLIN, clock=lambda: MONDAY - timedelta(days=1))
    schedule.add("report", "0 9 * * mon", report_job(Week, BERLIN, make, post, "C0"), catch_up=True)
    await schedule.start()
    for minutes in range(3):
        await schedule.run_due(MONDAY + timedelta(minutes=minutes))
    await schedule.close()
    (report,) = posted
    assert headline(report) == "Last week cost $0.0042, for 1 answer."
    assert str(report.week) == "9–15 November 2026"
    assert report.thumbs == (1, 0)


async def test_pruning_forgets_finished_events_of_long_ago_and_no_others(engine: AsyncEngine) -> None:
    long_ago = MONDAY - KEPT - timedelta(minutes=1)
    events = {"done": ("done", long_ago), "failed": ("failed", long_ago), "unfinished": ("waiting", long_ago)}
    events["recent"] = ("done", MONDAY - KEPT)
    async with engine.begin() as connection:
        for id, (state, received_at) in events.items():
            values = {"event_id": id, "kind": "message", "payload": {}, "state": state, "attempts": 1}
            await connection.execute(inbox.insert().values(**values, received_at=received_at))
    now = [MONDAY - timedelta(minutes=2)]
    limits = Limits(engine, lambda: now[0], person=1, channel=1)
    assert await limits.admit("U1", "C1", "once") is None
    now[0] = MONDAY
    await prune_job(Inbox(engine), Replies(engine), limits)(MONDAY)
    async with engine.connect() as connection:
        left = (await connection.execute(sa.select(inbox.c.event_id))).scalars().all()
        counted = (await connection.execute(sa.select(asked_lately))).all()
    assert set(left) == {"unfinished", "recent"}
    assert counted == []


async def test_every_night_what_people_made_of_answers_is_learned(engine: AsyncEngine) -> None:
    learning = Learning(engine, lambda: NOW, cost_weight=0.0, latency_weight=0.0)
    assert await learning.means() == {}
    await answered(engine, "q1")
    await Labels(engine, lambda: NOW).add("q1", "U1", Signal.DOWN)
    schedule = Schedule(engine, BERLIN, clock=lambda: NOW)
    schedule.add("learning", NIGHTLY, learning_job(learning, tuple), catch_up=True)
    await schedule.start()
    await schedule.run_due(NOW + timedelta(hours=1))
    assert await learning.means() == {}
    await schedule.run_due(NOW + timedelta(days=1))
    await schedule.close()
    assert await learning.means() == {RAG: Mean(1.0, 0.0)}


async def test_channels_get_reports_of_their_own_costs_and_one_that_fails_keeps_no_other_from_its_own() -> None:
    made: list[tuple[str, str]] = []
    posted: list[str] = []

    async def make(span: Span, channel: str) -> WeeklyReport:
        made.append((span.id, channel))
        return empty() if channel == "C2" else report()

    async def post(channel: str, found: WeeklyReport, due: datetime) -> None:
        if channel == "C1":
            raise ConnectionError("C1 is away")
        posted.append(channel)

    work = report_job(Week, BERLIN, make, post, "C0", ("C1", "C2", "C3", "C0"))
    with pytest.raises(ConnectionError, match="C1 is away"):
        await work(MONDAY)
    assert made == [("week-2026-11-09", channel) for channel in ("", "C1", "C2", "C3")]
    assert posted == ["C0", "C3"]  # C2 had no calls, and is told nothing


async def test_the_month_before_is_reported_on_the_first_and_needs_no_channel_of_its_own() -> None:
    made: list[tuple[str, str]] = []

    async def make(span: Span, channel: str) -> WeeklyReport:
        made.append((span.id, channel))
        return report()

    async def post(channel: str, found: WeeklyReport, due: datetime) -> None:
        assert channel == "C3"

    first = parse_cron(MONTHLY, BERLIN).after(MONDAY)
    assert first is not None
    await report_job(Month, BERLIN, make, post, "", ("C3",))(first)
    assert made == [("month-2026-11-01", "C3")]
    assert first == datetime(2026, 12, 1, 9, tzinfo=BERLIN)


async def test_every_night_the_days_that_are_over_are_added_up(engine: AsyncEngine) -> None:
    ledger = Ledger(engine)
    call = Call(
        question_id="q1", purpose="answer", attempt=1, provider="openai", model="small", strategy="rag", channel="C1",
        asker="U1", started_at=datetime.now(BERLIN) - timedelta(days=3),
    )  # fmt: skip
    price, usage = Price(amount=Decimal("0.5"), version="override"), Usage(prompt_tokens=1, completion_tokens=1)
    await ledger.settle(await ledger.open(call), outcome="answered", seconds=1, usage=usage, price=price)
    await days_job(ledger.days, BERLIN)(MONDAY)
    async with engine.connect() as connection:
        kept = (await connection.execute(sa.select(ledger_days.c.value))).scalars().all()
    assert 2 <= len(kept) <= 3  # today is not over
    assert sum(len(day["cells"]) for day in kept) == 1
