"""Reviewed questions and answers: few-shot context for questions like them."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.bases import Bases
from bot.domain import Example
from bot.storage.tables import examples
from knowledge.access import readable
from knowledge.documents import Vector
from knowledge.embedding.base import Embedder

VOTERS = 10
_BYTES = np.dtype("<f4")
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class _Shelf:
    """All examples with their vectors, as the table was when its stamp was taken."""

    stamp: tuple[int, datetime | None]
    examples: tuple[Example, ...]
    vectors: Vector


@dataclass(frozen=True, slots=True)
class NearExamples:
    """Examples, nearest first; `lead` and `purity` as `Evidence` words them, over all that the audience may read."""

    examples: tuple[Example, ...] = ()
    lead: float = math.nan
    purity: float = math.nan


class Examples:
    """The examples in SQL, with a copy in memory that is renewed when another process changed the table."""

    def __init__(
        self,
        engine: AsyncEngine,
        embedder: Embedder,
        bases: Bases,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._embedder = embedder
        self._bases = bases
        self._clock = clock
        self._shelf: _Shelf | None = None

    async def save(
        self, question: str, answer: str, readers: Iterable[str], by: str, *, answered: str | None = None
    ) -> Example:
        """Keeps an example for those `readers` (scopes); `by` is the person who reviewed it.

        `answered`: the id of the question that it is the answer to, where the bot gave it: then it is only for who may
        read what that rests on, too.
        """
        readers, id = frozenset(readers), uuid.uuid4().hex
        example = Example(id=id, question=question, answer=answer, readers=readers, saved_by=by)
        vector = await self._embedder.embed_query(question)
        statement = examples.insert().values(
            id=example.id,
            question=question,
            answer=answer,
            readers=sorted(example.readers),
            saved_by=by,
            saved_at=self._clock(),
            embedder=self._embedder.name,
            vector=vector.astype(_BYTES).tobytes(),
        )
        if answered is not None:  # first: an example that is there has its basis
            await self._bases.copy(answered, example.id)
        async with self._engine.begin() as connection:
            await connection.execute(statement)
            readable_by = " ".join(sorted(readers))
            change = Change(action=Action.EXAMPLE_SAVED, subject=f"example {id}", after=f"for {readable_by}")
            await record(connection, change, by=by, at=self._clock())
        return example

    async def nearest(
        self,
        vector: Vector,
        scopes: frozenset[str],
        k: int,
        *,
        leave_out: Callable[[Example], bool] | None = None,
    ) -> NearExamples:
        """The `k` examples nearest to a question's vector that an audience with `scopes` may read, nearest first.

        Those that `leave_out` is true of are passed over; it sees them with their similarity.
        """
        shelf = await self._current()
        if not shelf.examples:
            return NearExamples()
        similarities = shelf.vectors @ vector
        open_to = np.array([readable(example.readers, scopes) for example in shelf.examples])
        wanted, found = max(k, VOTERS), list[Example]()
        nearest = np.argsort(-similarities, kind="stable")
        nearest = nearest[open_to[nearest]]
        for begin in range(0, len(nearest), wanted):
            some = [replace(shelf.examples[n], similarity=float(similarities[n])) for n in nearest[begin:][:wanted]]
            closed = await self._bases.closed([one.id for one in some], scopes)
            some = [one for one in some if one.id not in closed]
            found += [one for one in some if leave_out is None or not leave_out(one)]
            if len(found) >= wanted:
                break
        found = found[:wanted]
        return NearExamples(tuple(found[:k]), _lead(found, similarities[open_to]), vote_purity(found[:VOTERS]))

    async def all(self, scopes: frozenset[str]) -> tuple[Example, ...]:
        """Every example that an audience with `scopes` may read, oldest first."""
        shelf = await self._current()
        open_to = [example for example in shelf.examples if readable(example.readers, scopes)]
        closed = await self._bases.closed([example.id for example in open_to], scopes)
        return tuple(example for example in open_to if example.id not in closed)

    async def delete(self, id: str, *, by: str) -> None:
        """Forgets an example; one that is not there is none the less gone."""
        async with self._engine.begin() as connection:
            gone = await connection.execute(examples.delete().where(examples.c.id == id))
            if gone.rowcount:
                change = Change(action=Action.EXAMPLE_REMOVED, subject=f"example {id}")
                await record(connection, change, by=by, at=self._clock())

    async def _current(self) -> _Shelf:
        async with self._engine.connect() as connection:
            query = sa.select(sa.func.count(), sa.func.max(examples.c.saved_at)).select_from(examples)
            count, newest = (await connection.execute(query)).one()
        stamp = (count, newest)
        if self._shelf is None or self._shelf.stamp != stamp:
            self._shelf = await self._read(stamp)
        return self._shelf

    async def _read(self, stamp: tuple[int, datetime | None]) -> _Shelf:
        async with self._engine.connect() as connection:
            query = sa.select(examples).order_by(examples.c.saved_at, examples.c.id)
            rows = (await connection.execute(query)).all()
        vectors = np.zeros((len(rows), self._embedder.dimensions), np.float32)
        stale = [place for place, row in enumerate(rows) if row.embedder != self._embedder.name]
        for place, row in enumerate(rows):
            if row.embedder == self._embedder.name:
                vectors[place] = np.frombuffer(row.vector, _BYTES)
        if stale:
            vectors[stale] = await self._embed_again([rows[place] for place in stale])
        kept = tuple(
            Example(
                id=row.id,
                question=row.question,
                answer=row.answer,
                readers=frozenset(row.readers),
                saved_by=row.saved_by,
            )
            for row in rows
        )
        return _Shelf(stamp, kept, vectors)

    async def _embed_again(self, rows: list[sa.Row[tuple[object, ...]]]) -> Vector:
        """Vectors of another embedding model cannot be compared, so those are made anew and kept."""
        vectors = await self._embedder.embed([row.question for row in rows])
        async with self._engine.begin() as connection:
            for row, vector in zip(rows, vectors, strict=True):
                changed = {"embedder": self._embedder.name, "vector": vector.astype(_BYTES).tobytes()}
                await connection.execute(examples.update().where(examples.c.id == row.id).values(**changed))
        return vectors


def lead(best: float, similarities: Vector) -> float:
    """How many standard deviations the best similarity stands above the mean of all; NaN for fewer than two."""
    if len(similarities) < 2:
        return math.nan
    return (best - float(similarities.mean())) / max(float(similarities.std()), _LEAST_SPREAD)


def vote_purity(nearest: Sequence[Example]) -> float:
    """Share of these examples whose answer is that of the first; NaN where no two answers are alike."""
    answers = [example.answer for example in nearest]
    if len(set(answers)) == len(answers):
        return math.nan
    return answers.count(answers[0]) / len(answers)


def _lead(found: Sequence[Example], similarities: Vector) -> float:
    return lead(found[0].similarity, similarities) if found else math.nan
