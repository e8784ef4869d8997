"""How much documents helped: the thumbs of answers that cited them move what was found by a few places at most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import PlaceKind
from bot.storage.tables import feedback, questions
from knowledge import access
from knowledge.documents import Passage

PLACES = 2.0
"""By so many places the best and the worst score would move a passage; no score reaches either."""
DOUBT = 4.0
"""So many people who say nothing are counted with those who say something: few votes say little."""
HALF_LIFE = timedelta(days=90)
READ_BACK = timedelta(days=365)
MOST = 5000
"""So many of the newest thumbs are read."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A thumb on an answer that cited a document: 1 or -1. `readers`: the scopes of those who could read it."""

    document: str
    person: str
    value: int
    at: datetime
    readers: frozenset[str]


class Helpfulness:
    """Votes on documents, read anew where thumbs changed."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._engine = engine
        self._clock = clock
        self._stamp: Any = None
        self._votes: dict[str, list[Vote]] = {}

    async def ordered(self, passages: Sequence[Passage], scopes: frozenset[str]) -> tuple[Passage, ...]:
        """The same passages, moved by the votes of answers that an audience with `scopes` could read too."""
        votes, now = await self._current(), self._clock()
        scores = {
            id: score([vote for vote in votes.get(id, ()) if access.readable(vote.readers, scopes)], now)
            for id in {passage.document_id for passage in passages}
        }
        return tuple(passages[place] for place in moved([scores[passage.document_id] for passage in passages]))

    async def _current(self) -> dict[str, list[Vote]]:
        counted = sa.select(sa.func.count(), sa.func.sum(feedback.c.value), sa.func.max(feedback.c.given_at))
        async with self._engine.connect() as connection:
            stamp = tuple((await connection.execute(counted)).one())
            if stamp != self._stamp:
                self._votes = await self._read(connection)
                self._stamp = stamp
        return self._votes

    async def _read(self, connection: Any) -> dict[str, list[Vote]]:
        given = (feedback.c.person, feedback.c.value, feedback.c.given_at)
        where = (
            questions.c.receipt,
            questions.c.place_kind,
            questions.c.channel,
            questions.c.asker,
            questions.c.private,
        )
        query = (
            sa.select(*given, *where)
            .join(questions, questions.c.id == feedback.c.question_id)
            .where(feedback.c.given_at > self._clock() - READ_BACK)
            .order_by(feedback.c.given_at.desc())
            .limit(MOST)
        )
        found: defaultdict[str, list[Vote]] = defaultdict(list)
        for row in await connection.execute(query):
            cited = {str(each.get("document") or "") for each in (row.receipt or {}).get("citations") or ()}
            for document in cited - {""}:
                found[document].append(Vote(document, row.person, row.value, row.given_at, _readers(row)))
        return dict(found)


def score(votes: Iterable[Vote], now: datetime) -> float:
    """Between -1 and 1: what each person says in all, one voice at most, older words less, shrunk towards 0."""
    said: defaultdict[str, float] = defaultdict(float)
    weight: defaultdict[str, float] = defaultdict(float)
    for vote in votes:
        counts = 0.5 ** (max(now - vote.at, timedelta()) / HALF_LIFE)
        said[vote.person] += vote.value * counts
        weight[vote.person] += counts
    voices = sum(min(each, 1.0) for each in weight.values())
    total = sum(min(max(each, -1.0), 1.0) for each in said.values())
    return total / (voices + DOUBT)


def moved(scores: Sequence[float]) -> list[int]:
    """The places of what was found, in their new order. One comes before another only where the difference of their
    scores is worth the places between them, so nothing moves by more than 2 · PLACES - 1, and nothing is left out."""
    return sorted(range(len(scores)), key=lambda place: (place - PLACES * scores[place], place))


def _readers(row: Any) -> frozenset[str]:
    if row.private or row.place_kind == PlaceKind.DM:
        return frozenset({access.user(row.asker)})
    if row.place_kind == PlaceKind.CONSOLE:
        return access.PUBLIC
    here = frozenset({access.channel(row.channel)})
    return here | access.PUBLIC if row.place_kind == PlaceKind.CHANNEL else here
