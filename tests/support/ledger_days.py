"""Days of the ledger as plain values, to be put together by each test."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.costs.days import Cell, Day

SINCE = datetime(2026, 11, 9, tzinfo=UTC)
CENT = 10**10
"""Picodollars."""


def cell(
    model: str = "small",
    calls: int = 10,
    cost: int = CENT,
    *,
    place: str = "C1",
    purpose: str = "answer",
    outcome: str = "answered",
    tokens: tuple[int, int, int] = (1000, 200, 0),
    retried: tuple[int, int] = (0, 0),
    priced: bool = True,
) -> Cell:
    """`tokens`: of the prompt, of the completion, cached ones; `retried`: calls and their picodollars."""
    given, taken, cached = tokens
    return Cell(
        provider="house", model=model, place=place, strategy="rag", purpose=purpose, outcome=outcome, priced=priced,
        calls=calls, cost=cost, prompt_tokens=given, completion_tokens=taken, cached_tokens=cached,
        retried=retried[0], retried_cost=retried[1],
    )  # fmt: skip


def day(*cells: Cell, answers: int | None = None, since: datetime = SINCE) -> Day:
    """A day of these calls; without `answers` every good answer is one."""
    counted: dict[str, int] = {}
    for each in cells:
        if each.purpose == "answer" and each.good:
            counted[each.place] = counted.get(each.place, 0) + each.calls
    return Day(since=since, cells=cells, answers=tuple(counted.items()) if answers is None else (("C1", answers),))
