"""The rows that people allow: examples, answers that got 👍, and answers that were taken of two."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.bases import Bases
from bot.domain import Example, PlaceKind
from bot.errors import UnusableGolden
from bot.evaluation.thumbs import golden_from_thumbs
from bot.learning.labels import Signal
from bot.storage.tables import alternatives, comparisons, examples, labels, questions
from bot.strategies.citing import uncited
from bot.tuning.consents import Consented
from bot.tuning.row import Row
from knowledge import access

_AT_ONCE = 500


@dataclass(slots=True)
class Gathered:
    """What may be learned from, and how many others were left out, by the reason."""

    rows: list[Row] = field(default_factory=list)
    preferences: list[Row] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


NO_CONSENT = "somebody's words that they do not allow to be trained on"
NOT_READABLE = "not readable by everyone whom the model is for"
FLAGGED = "examples that may be out of date, until somebody has looked: `/examples flagged`"
STAYS = "said where only some models may be asked"


class Gathering:
    """Reads the tables. `scopes`: the audience that the model is for: every row is readable by it, now.

    `closed`: channels whose words not every model may see.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        bases: Bases,
        consented: Consented,
        scopes: frozenset[str],
        closed: Collection[str] = (),
    ) -> None:
        self._engine = engine
        self._bases = bases
        self._consented = consented
        self._scopes = scopes
        self._closed = frozenset(closed)

    async def run(self, kept: Iterable[Example]) -> Gathered:
        """All of it. `kept`: the examples that this audience may read and that are in use."""
        found = Gathered()
        await self._examples(tuple(kept), found)
        await self._thumbs(found)
        await self._choices(found)
        return found

    async def _examples(self, kept: tuple[Example, ...], found: Gathered) -> None:
        ids = [example.id for example in kept]
        async with self._engine.connect() as connection:
            saved = {row.id: row.saved_at async for row in _in(connection, [examples.c.id, examples.c.saved_at], ids)}
            texts = [example.question for example in kept]
            askers: defaultdict[str, set[str]] = defaultdict(set)
            async for row in _in(connection, [questions.c.text, questions.c.asker], texts):
                askers[row.text].add(row.asker)
        for example in kept:
            # The answer is its author's words; what the bot said is whose who reviewed it.
            author = example.author or example.saved_by
            public = access.readable(example.readers, access.PUBLIC)
            allowed = all(map(self._consented.allows, {author, *askers[example.question]}))
            if not allowed or (self._consented.public_only and not public):
                found.left_out[NO_CONSENT] += 1
            elif example.flagged:
                found.left_out[FLAGGED] += 1
            elif example.id in saved:
                found.rows.append(
                    Row(
                        origin="person" if example.author else "example",
                        subject=example.id,
                        asker=min(askers[example.question], default=""),
                        author=author,
                        said_at=saved[example.id],
                        question=example.question,
                        answer=without_marks(example.answer),
                    )
                )

    async def _thumbs(self, found: Gathered) -> None:
        try:
            liked = await golden_from_thumbs(self._engine, self._bases, self._scopes, closed=self._closed)
        except UnusableGolden:
            return
        async with self._engine.connect() as connection:
            rows = {row.id: row async for row in _in(connection, [questions], [one.id for one in liked.questions])}
        for one in liked.questions:
            row = rows[one.id]
            if self._may_be_used(row, found):
                found.rows.append(_row(row, "thumb", row.answer))

    async def _choices(self, found: Gathered) -> None:
        """Of two answers to one question, those that more people took than left, beside those that more left."""
        async with self._engine.connect() as connection:
            groups = [
                *await connection.execute(sa.select(alternatives.c.first_id, alternatives.c.question_id)),
                *[[one[0] for one in row.answers] for row in await connection.execute(sa.select(comparisons))],
            ]
            signals = sa.select(labels.c.question_id, labels.c.signal)
            votes: Counter[str] = Counter()
            wanted = labels.c.signal.in_([Signal.KEPT.value, Signal.DROPPED.value])
            for id, signal in await connection.execute(signals.where(wanted)):
                votes[id] += 1 if signal == Signal.KEPT.value else -1
            ids = sorted({id for group in groups for id in group if votes[id]})
            rows = {row.id: row async for row in _in(connection, [questions], ids)}
        closed = await self._bases.closed(ids, self._scopes)
        for group in groups:
            taken = [id for id in group if votes[id] > 0 and id in rows]
            left = [id for id in group if votes[id] < 0 and id in rows]
            for one, other in ((one, other) for one in taken for other in left):
                self._choice(rows[one], rows[other], closed, found)

    def _choice(self, taken: Any, left: Any, closed: Collection[str], found: Gathered) -> None:
        if not taken.answer or not left.answer or taken.answer == left.answer:
            return
        if taken.id in closed or left.id in closed:
            found.left_out[NOT_READABLE] += 1
        elif self._may_be_used(taken, found):
            found.preferences.append(_row(taken, "choice", taken.answer, without_marks(left.answer)))

    def _may_be_used(self, row: Any, found: Gathered) -> bool:
        """Whether a question's words may be trained on; counts it where not."""
        public = row.place_kind in (PlaceKind.CHANNEL, PlaceKind.CONSOLE) and not row.private
        if row.channel in self._closed:
            found.left_out[STAYS] += 1
        elif not public and not frozenset(row.scopes) <= self._scopes:
            found.left_out[NOT_READABLE] += 1
        elif not self._consented.allows(row.asker) or (self._consented.public_only and not public):
            found.left_out[NO_CONSENT] += 1
        else:
            return True
        return False


def without_marks(answer: str) -> str:
    """An answer without the numbers of its sources, which a tuned model is not shown."""
    return uncited(answer).strip()


def _row(row: Any, origin: Any, answer: str, rejected: str | None = None) -> Row:
    return Row(
        origin=origin,
        subject=row.id,
        asker=row.asker,
        author="",
        said_at=row.asked_at,
        question=row.text,
        answer=without_marks(answer),
        rejected=rejected,
    )


async def _in(connection: AsyncConnection, columns: list[Any], values: Iterable[str]) -> AsyncIterator[Any]:
    """The rows whose first column (of a table: its id) is one of many values."""
    wanted = sorted(set(values))
    key = columns[0].c.id if isinstance(columns[0], sa.Table) else columns[0]
    for start in range(0, len(wanted), _AT_ONCE):
        for row in await connection.execute(sa.select(*columns).where(key.in_(wanted[start : start + _AT_ONCE]))):
            yield row
