"""Answers that people judged: each label with the choice behind it, and how much it counts."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Choice, StrategyName
from bot.learning.labels import WORTH, Signal
from bot.storage.tables import labels, questions

PERSON_WEEK = 5.0
"""What all labels of one person in one week may count together: a thousand thumbs are worth no more than five."""
READ_OF_A_PERSON = 500
"""The newest of a person's labels that are read, so that a flood neither crowds others out nor fills the memory."""
READ, READ_AT_ONCE = 20_000, 500
"""How many labels are read in all, the newest, and how many of their receipts are held at once."""
READ_BACK = timedelta(days=365)
HALF_LIFE = timedelta(days=90)
"""After this long a label counts half: models, documents and questions change."""
OUTDATED = 0.5
"""What a label still counts where the index (for knowledge search) or the estimates have changed since."""
CONFIGURED = "configured"
_NOBODYS = frozenset({CONFIGURED, "trial"})
"""Pins that nobody set for the sake of the question; which side of a trial it is on is a draw with known chances."""

_CHOICE = TypeAdapter(Choice)
log = structlog.get_logger("bot.learning")

Way = tuple[StrategyName, str]
"""A strategy with the name of a model."""


def named(way: Way) -> str:
    """For example "rag · gpt-x"."""
    return f"{way[0].value} · {way[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One label with the choice that it speaks of. `value`: 0 to 1, how good the answer was; `weight`: how much that
    counts; `person` gave it `at`. `propensity`: how likely the option was to be taken, None where a person or a draft
    decided."""

    question_id: str
    text: str
    person: str
    at: datetime
    asked_at: datetime
    value: float
    weight: float
    choice: Choice
    propensity: float | None

    @property
    def way(self) -> Way:
        """What answered."""
        return self.choice.option.strategy, self.choice.option.model


class Experience:
    """The labels in SQL, joined with the receipts of their questions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def stamp(self) -> str:
        """Changes whenever a label comes or goes."""
        query = sa.select(sa.func.count(), sa.func.max(labels.c.given_at)).select_from(labels)
        async with self._engine.connect() as connection:
            count, newest = (await connection.execute(query)).one()
        return f"{count} labels until {newest.isoformat() if newest else 'never'}"

    async def read(self, now: datetime, since: Mapping[str, datetime] | None = None) -> tuple[Judged, ...]:
        """All that counts now, oldest first. `since`: for the name of a model that changed the moment of the change;
        what it answered before says nothing any more."""
        turn = sa.func.row_number().over(partition_by=labels.c.person, order_by=labels.c.given_at.desc())
        newest = sa.select(labels, turn.label("turn")).where(labels.c.given_at >= now - READ_BACK).subquery()
        query = (
            sa.select(newest, questions.c.text, questions.c.asked_at, questions.c.receipt)
            .join(questions, questions.c.id == newest.c.question_id)
            .where(newest.c.turn <= READ_OF_A_PERSON, questions.c.receipt.is_not(None))
            .order_by(newest.c.given_at.desc(), newest.c.question_id, newest.c.person, newest.c.signal)
            .limit(READ)
        )
        found: list[Judged] = []
        async with self._engine.connect() as connection:
            rows = await connection.stream(query.execution_options(yield_per=READ_AT_ONCE))
            async for part in rows.partitions():
                found += await asyncio.to_thread(_understood, part)
        return _weighed(found[::-1], now, since or {})


def _understood(rows: Sequence[sa.Row[tuple[object, ...]]]) -> list[Judged]:
    return [judged for row in rows if row.receipt and (judged := _judged(row)) is not None]


def _weighed(found: Sequence[Judged], now: datetime, since: Mapping[str, datetime]) -> tuple[Judged, ...]:
    kept = [one for one in found if one.asked_at >= since.get(one.way[1], one.asked_at)]
    # Capped before they age, else an old flood would count as much as a new one.
    return tuple(replace(one, weight=one.weight * share) for one, share in _fresh(_capped(kept), now))


def _judged(row: sa.Row[tuple[object, ...]]) -> Judged | None:
    try:
        worth = WORTH[Signal(row.signal)]
        choice = _CHOICE.validate_python(row.receipt["choice"])
    except (ValidationError, KeyError, ValueError):
        log.warning("label_unreadable", question=row.question_id, signal=row.signal)
        return None
    # How likely a draft is to be unsure, or a model to fail, is not known, so what they decided has no chance either.
    fixed = choice.policy in ("person", "draft", "fallback") or any(pin.scope not in _NOBODYS for pin in choice.pins)
    return Judged(
        question_id=row.question_id,
        text=row.text,
        person=row.person,
        at=row.given_at,
        asked_at=row.asked_at,
        value=worth.value,
        weight=worth.weight,
        choice=choice,
        propensity=None if fixed else choice.propensity,
    )


def _fresh(found: Sequence[Judged], now: datetime) -> Iterable[tuple[Judged, float]]:
    """Each with the share (0 to 1) that age and outdated versions leave of its weight."""
    versions = [one.choice.versions for one in sorted(found, key=lambda one: one.asked_at) if one.choice.versions]
    newest = versions[-1] if versions else None
    for one in found:
        share = 0.5 ** (max(now - one.at, timedelta()) / HALF_LIFE)
        if newest is not None and (made := one.choice.versions) is not None:
            if made.index != newest.index and one.way[0] is StrategyName.RAG:
                share *= OUTDATED
            if made.estimates != newest.estimates:
                share *= OUTDATED
        yield one, share


def _capped(found: Sequence[Judged]) -> list[Judged]:
    """With the weights of a person's week scaled down where they are more than PERSON_WEEK together."""
    sums: defaultdict[tuple[str, int, int], float] = defaultdict(float)
    for one in found:
        sums[_week(one)] += one.weight
    return [replace(one, weight=one.weight * min(1.0, PERSON_WEEK / sums[_week(one)])) for one in found]


def _week(one: Judged) -> tuple[str, int, int]:
    calendar = one.at.isocalendar()
    return one.person, calendar.year, calendar.week
