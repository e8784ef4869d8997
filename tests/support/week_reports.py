"""A week's report as plain values, to be changed by each test."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bot.costs.calls import QuestionCost, Total
from bot.costs.periods import Week
from bot.costs.report import DIRECT_MESSAGES, WeeklyReport

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = Week(date(2026, 11, 9), BERLIN)
NOTHING = tuple(Total(key="") for _ in range(7))


def total(cost: str = "0", key: str = "", **values: int) -> Total:
    return Total(key=key, cost=Decimal(cost), **({"calls": 1} | values))


def question(id: str, cost: str, *, channel: str = "C1", kind: str = "channel") -> QuestionCost:
    return QuestionCost(
        question_id=id,
        channel=channel,
        place_kind=kind,
        asked_at=datetime(2026, 11, 10, 9, 30, tzinfo=UTC),
        answer_ts="1.2",
        cost=Decimal(cost),
        calls=2,
        models=("small",),
    )


def report(**changes: Any) -> WeeklyReport:
    days = tuple(total(f"0.{number}", calls=number) for number in range(1, 8))
    values: dict[str, Any] = {
        "week": WEEK,
        "total": total("4.18", calls=300, failures=3),
        "previous": total("4.75", calls=330),
        "answers": 231,
        "by_model": (total("3.18", "large", calls=200), total("1", "small", calls=100, failures=3)),
        "by_strategy": (total("4.10", "rag", calls=290), total("0.08", "", calls=10)),
        "by_channel": (total("4", "C1", calls=200), total("0.18", DIRECT_MESSAGES, calls=100)),
        "by_day": days,
        "previous_by_day": tuple(reversed(days)),
        "dearest": (question("q1", "0.0312"), question("q2", "0.0042", channel="D1", kind="dm")),
        "failures": (("rate_limited", 2), ("timed_out", 1)),
        "thumbs": (41, 6),
    }
    return WeeklyReport(**(values | changes))


def empty() -> WeeklyReport:
    nothing = Total(key="")
    return report(
        total=nothing, previous=nothing, answers=0, by_model=(), by_strategy=(), by_channel=(), by_day=NOTHING,
        previous_by_day=NOTHING, dearest=(), failures=(), thumbs=(0, 0),
    )  # fmt: skip
