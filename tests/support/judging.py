"""Answers, what people made of them, and evaluations, as learning reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import (
    Audience,
    Choice,
    Option,
    Pin,
    Place,
    PlaceKind,
    Price,
    Question,
    Receipt,
    StrategyName,
    Versions,
)
from bot.learning.experience import Judged, Way
from bot.learning.replay import Replay
from bot.selection.questions import Questions

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
RAG: Way = (StrategyName.RAG, "writer")
PLAIN: Way = (StrategyName.ZERO_SHOT, "writer")
SHOTS: Way = (StrategyName.FEW_SHOT, "writer")


def option(way: Way = RAG, quality: float = 0.7, utility: float | None = None, **fields: Any) -> Option:
    """An option that costs nothing unless its utility says so."""
    return Option(
        strategy=way[0],
        model=way[1],
        quality=quality,
        cost=None,
        latency=1.0,
        utility=quality if utility is None else utility,
        **fields,
    )


def choice(*options: Option, **fields: Any) -> Choice:
    """The first option taken."""
    options = options or (option(),)
    return Choice(option=options[0], options=options, reasons=("The documents answer this closely.",), **fields)


def judged(value: float, made: Choice | None = None, *, weight: float = 1.0, **fields: Any) -> Judged:
    """A label of Ana's, of now."""
    values: dict[str, Any] = {"question_id": "q", "text": "How?", "person": "U0ANA", "at": NOW, "asked_at": NOW}
    made = made or choice()
    return Judged(value=value, weight=weight, choice=made, **{**values, "propensity": made.propensity, **fields})


async def answered(
    engine: AsyncEngine,
    id: str,
    made: Choice | None = None,
    *,
    text: str = "How do I roll back?",
    asker: str = "U0ANA",
    channel: str = "C1",
    at: datetime = NOW,
    outcome: str = "answered",
) -> Question:
    """A question that was asked and answered, as the assistant keeps it."""
    place = Place(workspace="T1", channel=channel, kind=PlaceKind.CHANNEL, thread="1.1")
    question = Question(id=id, text=text, asker=asker, place=place, audience=Audience.everyone(), asked_at=at)
    receipt = Receipt(
        question_id=id,
        choice=made or choice(),
        citations=(),
        usage=None,
        price=Price(amount=None, version=None),
        seconds=1.0,
        outcome=outcome,
        created_at=at,
    )
    kept = Questions(engine)
    await kept.keep(question)
    await kept.finish(id, "So.", receipt)
    return question


def versions(index: str = "i1", estimates: str = "e1") -> Versions:
    return Versions(estimates=estimates, prices="p1", index=index)


def pinned(made: Choice, scope: str = "person") -> Choice:
    return replace(made, pins=(Pin(scope=scope, model="writer"),))


def replay(
    expected: Sequence[Sequence[float]],
    quality: Sequence[Sequence[float]],
    *,
    ways: Sequence[Way] = (RAG, PLAIN),
    groups: Sequence[str] | None = None,
    at: datetime = NOW,
    **tables: Any,
) -> Replay:
    """An evaluation that cost nothing and took no time unless told; each question is its own group."""
    n = len(expected)
    nothing = np.zeros((n, len(ways)))
    return Replay(
        at=at,
        ways=tuple(ways),
        ids=tuple(f"g{number}" for number in range(n)),
        texts=tuple(f"Golden question {number}?" for number in range(n)),
        groups=tuple(groups or (f"group {number}" for number in range(n))),
        features=({},) * n,
        expected=np.array(expected, dtype=float).reshape(n, len(ways)),
        quality=np.array(quality, dtype=float).reshape(n, len(ways)),
        **{"cost": nothing, "seconds": nothing, **tables},
    )


def telling(n: int = 60, right: float = 0.9) -> Replay:
    """An evaluation in which the estimates know which of two ways is right, so that choosing by question pays."""
    rng = np.random.default_rng(7)
    first = rng.random(n) < 0.5
    good = rng.random((n, 2)) < np.where(np.column_stack([first, ~first]), right, 0.3)
    return replay(np.where(np.column_stack([first, ~first]), 0.9, 0.2).tolist(), good.astype(float).tolist())


def alike(n: int = 60) -> Replay:
    """An evaluation in which the first way is better throughout, while the estimates hold the ways to differ."""
    rng = np.random.default_rng(8)
    expected = rng.random((n, 2))
    good = rng.random((n, 2)) < np.array([0.9, 0.5])
    return replay(expected.tolist(), good.astype(float).tolist())
