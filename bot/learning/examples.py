"""Reviewed questions and answers: few-shot context for questions like them."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.audit import Action, Change, record
from bot.bases import Bases
from bot.domain import Example
from bot.errors import ChangedMeanwhile, NotAllowed, UnknownExample
from bot.learning.editor import Editor, may_change
from bot.learning.example_shelf import ExampleShelf, Shelf
from bot.learning.example_twins import Step, Steps, steps, twin
from bot.learning.golden_questions import follow
from bot.learning.nearness import VOTERS, lead, vote_purity
from bot.learning.reviewed import Draft, Reviewed, readers_told, reviewed_of
from bot.learning.variety import relevance, varied
from bot.storage.example_tables import example_uses
from bot.storage.tables import examples, feedback
from bot.storage.upsert import insert
from knowledge.access import readable
from knowledge.documents import Vector
from knowledge.embedding.base import Embedder

POOL = 20
"""So many of the nearest examples are chosen among."""
NEAREST = 4
"""So many cosines tell the selector how near examples are, as its weights were fitted."""
_HIDDEN = "It may be out of date: a document that you may not read says otherwise."
_GONE = "This example is not there any more, or you may not read it. `/examples` lists those that you may."


@dataclass(frozen=True, slots=True)
class NearExamples:
    """Examples, best first; `near`, `lead` and `purity` as `Evidence` words them, over all that the audience may
    read."""

    examples: tuple[Example, ...] = ()
    near: tuple[float, ...] = ()
    lead: float = math.nan
    purity: float = math.nan


class Examples:
    """The examples in SQL. `zone`: where the days are counted after which examples end."""

    def __init__(
        self,
        engine: AsyncEngine,
        embedder: Embedder,
        bases: Bases,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: tzinfo = UTC,
    ) -> None:
        self._engine = engine
        self._bases = bases
        self._clock = clock
        self._zone = zone
        self._shelf = ExampleShelf(engine, embedder)

    def today(self) -> date:
        """The day that it is."""
        return self._clock().astimezone(self._zone).date()

    async def save(
        self,
        question: str,
        answer: str,
        readers: Iterable[str],
        by: str,
        *,
        answered: str | None = None,
        tags: Sequence[str] = (),
        author: str = "",
        valid_until: date | None = None,
    ) -> Example:
        """Keeps an example for those `readers` (scopes); `by` is the person who reviewed it, `author` the one whose
        words the answer is.

        `answered`: the id of the question that it is the answer to, where the bot gave it: then it is only for who may
        read what that rests on, too.
        """
        row = await self.new(Draft.of(question, answer, tags, valid_until), readers, by, author=author)
        if answered is not None:  # first: an example that is there has its basis
            await self._bases.copy(answered, row["id"])
        async with self._engine.begin() as connection:
            await self.put(connection, row)
        names = ("id", "question", "answer", "saved_by", "author")
        told = {name: row[name] for name in names}
        return Example(**told, readers=frozenset(row["readers"]), tags=tuple(row["tags"]))

    async def new(self, draft: Draft, readers: Iterable[str], by: str, *, author: str = "") -> dict[str, Any]:
        """A row of the table for `put`."""
        vectors = await self._shelf.vectors_of(draft.question, draft.answer)
        return _columns(draft) | vectors | self._born(uuid.uuid4().hex, frozenset(readers), by, author)

    async def put(self, connection: AsyncConnection, row: Mapping[str, Any]) -> None:
        """Keeps a new one, in the transaction of whoever writes down more than that."""
        await connection.execute(examples.insert().values(row))
        change = Change(action=Action.EXAMPLE_SAVED, subject=f"example {row['id']}", after=readers_told(row["readers"]))
        await record(connection, change, by=row["saved_by"], at=self._clock())

    async def like(self, question: str, readers: Collection[str]) -> Reviewed | None:
        """The example in use that asks the same and is for the same readers; the nearest of them."""
        question = Draft.of(question, "").question
        shelf = await self._shelf.current()
        (vectors,) = [await self._shelf.vectors_of(question, "")]
        found = twin(shelf, question, np.frombuffer(vectors["vector"], "<f4"), frozenset(readers))
        return await self.one(shelf.examples[found].id) if found is not None else None

    async def take_in(self, drafts: Sequence[Draft], readers: Collection[str], editor: Editor) -> Steps:
        """Keeps many at once, all or none, each merged with what asks the same. Raises ChangedMeanwhile where somebody
        changes what they are merged with."""
        shelf = await self._shelf.current()
        known = {one.example.id: one for one in await self.listed(editor.scopes)}
        theirs = frozenset(id for id, one in known.items() if may_change(one, editor))
        vectors = await self._shelf.all_vectors_of([(draft.question, draft.answer) for draft in drafts])
        questions = np.array([np.frombuffer(each["vector"], "<f4") for each in vectors])
        found = await asyncio.to_thread(steps, shelf, known, drafts, questions, frozenset(readers), theirs)
        async with self._engine.begin() as connection:
            for step in found.steps:
                await self._take(connection, step, vectors[step.number], frozenset(readers), editor.person)
            if found.steps:
                new = sum(step.into is None for step in found.steps)
                after = f"{new} new, {len(found.steps) - new} changed, {readers_told(readers)}"
                change = Change(action=Action.EXAMPLES_IMPORTED, subject="examples", after=after)
                await record(connection, change, by=editor.person, at=self._clock())
        return found

    async def _take(
        self, connection: AsyncConnection, step: Step, vectors: dict[str, Any], readers: frozenset[str], by: str
    ) -> None:
        if step.into is None:
            row = _columns(step.draft) | vectors | self._born(uuid.uuid4().hex, readers, by, by)
            await connection.execute(examples.insert().values(row))
            return
        there = step.into
        values = _columns(step.draft) | _NO_FLAG | {"reviewed_by": by, "author": by}
        values |= {"answer_vector": vectors["answer_vector"], "version": examples.c.version + 1}
        here = (examples.c.id == there.example.id) & (examples.c.version == there.version)
        if not (await connection.execute(examples.update().where(here).values(values))).rowcount:
            raise ChangedMeanwhile(
                "Somebody changed one of these examples meanwhile, so nothing was taken in. Try again."
            )
        await follow(connection, there.example.id, values)

    async def edit(
        self,
        id: str,
        version: int,
        draft: Draft,
        editor: Editor,
        *,
        author: str | None = None,
        answered: str | None = None,
    ) -> Reviewed:
        """Writes the draft in its place; its flag goes, since it was reviewed. Raises NotAllowed, UnknownExample, and
        ChangedMeanwhile where it is not as it was in that version. `author`: whose words the answer is now, None: as
        before; `answered` as in `save`."""
        before = await self._changeable(id, editor)
        vectors = await self._shelf.vectors_of(draft.question, draft.answer)
        if answered is not None:
            await self._bases.copy(answered, id)
        values = _columns(draft) | vectors | _NO_FLAG | {"reviewed_by": editor.person}
        if author is not None:
            values["author"] = author
        changed = ", ".join(name for name, old in _columns(_draft_of(before)).items() if values[name] != old)
        change = Change(action=Action.EXAMPLE_CHANGED, subject=f"example {id}", after=changed or "nothing")
        if not await self._change(id, values, change, editor.person, examples.c.version == version):
            now = await self.one(id)
            if now is None:
                raise UnknownExample(_GONE)
            raise ChangedMeanwhile("Somebody changed this example while you were writing.")
        return await self._known(id)

    async def retire(self, id: str, editor: Editor, why: str = "") -> None:
        """It is not used any more, and stays in the table. Raises NotAllowed or UnknownExample."""
        await self._changeable(id, editor)
        values = {"retired_by": editor.person, "retired_at": self._clock(), "retired_why": why}
        change = Change(action=Action.EXAMPLE_RETIRED, subject=f"example {id}", reason=why)
        await self._change(id, values, change, editor.person, examples.c.retired_at.is_(None))

    async def restore(self, id: str, editor: Editor) -> None:
        """It is used again. Raises NotAllowed or UnknownExample."""
        await self._changeable(id, editor)
        values = dict.fromkeys(("retired_by", "retired_at", "retired_why"))
        change = Change(action=Action.EXAMPLE_RESTORED, subject=f"example {id}")
        await self._change(id, values, change, editor.person, examples.c.retired_at.is_not(None))

    async def flag(self, id: str, why: str, by: str, document: str | None = None) -> bool:
        """It may be out of date: it counts less until somebody has looked at it. `why`: a sentence that stands beside
        it; where it has words of a document in it, `document` is its id, and who may not read that is not shown them.
        Whether it is new: the first flag stays, and of an example that is gone or retired nothing is said."""
        values = {"flagged_by": by, "flagged_at": self._clock(), "flagged_why": why, "flagged_document": document}
        change = Change(action=Action.EXAMPLE_FLAGGED, subject=f"example {id}")
        fresh = examples.c.flagged_at.is_(None) & examples.c.retired_at.is_(None)
        return await self._change(id, values, change, by, fresh)

    async def confirm(self, id: str, editor: Editor) -> None:
        """It is right as it is: the flag goes. Raises NotAllowed or UnknownExample."""
        await self._changeable(id, editor)
        change = Change(action=Action.EXAMPLE_CONFIRMED, subject=f"example {id}")
        await self._change(
            id, _NO_FLAG | {"reviewed_by": editor.person}, change, editor.person, examples.c.flagged_at.is_not(None)
        )

    async def used(self, question_id: str, ids: Iterable[str]) -> None:
        """These were in the prompt that answered a question; said again, it changes nothing."""
        async with self._engine.begin() as connection:
            for id in sorted(set(ids)):
                use = insert(connection, example_uses).values(example_id=id, question_id=question_id)
                new = await connection.execute(use.on_conflict_do_nothing().returning(example_uses.c.example_id))
                if new.first() is not None:
                    more = examples.update().where(examples.c.id == id).values(hits=examples.c.hits + 1)
                    await connection.execute(more)

    async def nearest(
        self,
        vector: Vector,
        scopes: frozenset[str],
        k: int,
        *,
        leave_out: Callable[[Example], bool] | None = None,
    ) -> NearExamples:
        """The `k` examples for a question's vector that an audience with `scopes` may read: near to it and varied, best
        first.

        Those that `leave_out` is true of are passed over; it sees them with their similarity.
        """
        shelf, today = await self._shelf.current(), self.today()
        if not shelf.examples:
            return NearExamples()
        similarities = shelf.questions @ vector
        open_to = np.array([readable(example.readers, scopes) for example in shelf.examples]) & shelf.lasting(today)
        wanted, found = max(k, POOL), list[tuple[int, Example]]()
        nearest = np.argsort(-similarities, kind="stable")
        nearest = nearest[open_to[nearest]]
        for begin in range(0, len(nearest), wanted):
            some = [
                (n, replace(shelf.examples[n], similarity=float(similarities[n]))) for n in nearest[begin:][:wanted]
            ]
            closed = await self._bases.closed([one.id for _, one in some], scopes)
            some = [(n, one) for n, one in some if one.id not in closed]
            found += [(n, one) for n, one in some if leave_out is None or not leave_out(one)]
            if len(found) >= wanted:
                break
        found = found[:wanted]
        near = [one for _, one in found]
        return NearExamples(
            _chosen(shelf, found, vector, k),
            tuple(one.similarity for one in near[:NEAREST]),
            _lead(near, similarities[open_to]),
            vote_purity(near[:VOTERS]),
        )

    async def all(self, scopes: frozenset[str]) -> tuple[Example, ...]:
        """Every example in use that an audience with `scopes` may read, oldest first."""
        shelf, today = await self._shelf.current(), self.today()
        lasting = zip(shelf.examples, shelf.lasting(today).tolist(), strict=True)
        open_to = [example for example, lasts in lasting if lasts and readable(example.readers, scopes)]
        closed = await self._bases.closed([example.id for example in open_to], scopes)
        return tuple(example for example in open_to if example.id not in closed)

    async def listed(self, scopes: frozenset[str] | None) -> list[Reviewed]:
        """All that somebody may read, also ended and retired ones, newest first. None: everything."""
        found = await self._read(sa.true())
        if scopes is None:
            return found
        found = [one for one in found if readable(one.example.readers, scopes)]
        closed = await self._bases.closed([one.example.id for one in found], scopes)
        return await self._without_words([one for one in found if one.example.id not in closed], scopes)

    async def one(self, id: str, scopes: frozenset[str] | None = None) -> Reviewed | None:
        """The example of this id, where an audience with `scopes` may read it (None: everything)."""
        found = await self._read(examples.c.id == id)
        if not found:
            return None
        if scopes is not None:
            hidden = not readable(found[0].example.readers, scopes)
            if hidden or await self._bases.closed([id], scopes):
                return None
            found = await self._without_words(found, scopes)
        return found[0]

    async def _without_words(self, found: list[Reviewed], scopes: frozenset[str]) -> list[Reviewed]:
        """Flags without the words of documents that an audience with `scopes` may not read."""
        open_to = await self._bases.open_to({one.flag.document for one in found if one.flag} - {""}, scopes)
        return [
            replace(one, flag=replace(one.flag, why=_HIDDEN))
            if one.flag is not None and one.flag.document and one.flag.document not in open_to
            else one
            for one in found
        ]

    async def delete(self, id: str, *, by: str) -> None:
        """Forgets an example; one that is not there is none the less gone."""
        async with self._engine.begin() as connection:
            await connection.execute(example_uses.delete().where(example_uses.c.example_id == id))
            gone = await connection.execute(examples.delete().where(examples.c.id == id))
            if gone.rowcount:
                change = Change(action=Action.EXAMPLE_REMOVED, subject=f"example {id}")
                await record(connection, change, by=by, at=self._clock())

    async def _changeable(self, id: str, editor: Editor) -> Reviewed:
        found = await self.one(id, editor.scopes)
        if found is None:
            raise UnknownExample(_GONE)
        if not may_change(found, editor):
            raise NotAllowed(
                f"<@{found.example.saved_by}> reviewed this example: they can change it, and so can an admin."
            )
        return found

    async def _change(
        self, id: str, values: dict[str, Any], change: Change, by: str, only: sa.ColumnElement[bool]
    ) -> bool:
        """Whether it was as `only` says, and is changed."""
        async with self._engine.begin() as connection:
            statement = examples.update().where(examples.c.id == id, only)
            done = await connection.execute(statement.values(values | {"version": examples.c.version + 1}))
            if done.rowcount:
                await follow(connection, id, values)
                await record(connection, change, by=by, at=self._clock())
            return bool(done.rowcount)

    async def _known(self, id: str) -> Reviewed:
        found = await self.one(id)
        if found is None:
            raise UnknownExample(_GONE)
        return found

    async def _read(self, which: sa.ColumnElement[bool]) -> list[Reviewed]:
        used = example_uses.join(feedback, feedback.c.question_id == example_uses.c.question_id)
        thumbs = (
            sa.select(
                example_uses.c.example_id,
                sa.func.count().filter(feedback.c.value > 0).label("up"),
                sa.func.count().filter(feedback.c.value < 0).label("down"),
            )
            .select_from(used)
            .group_by(example_uses.c.example_id)
            .subquery()
        )
        columns = [examples.c[name] for name in examples.c.keys() if not name.endswith("vector")]  # noqa: SIM118
        counts = [sa.func.coalesce(thumbs.c[name], 0).label(name) for name in ("up", "down")]
        joined = examples.outerjoin(thumbs, thumbs.c.example_id == examples.c.id)
        query = sa.select(*columns, *counts).select_from(joined).where(which)
        async with self._engine.connect() as connection:
            rows = await connection.execute(query.order_by(examples.c.saved_at.desc(), examples.c.id))
            return [reviewed_of(row) for row in rows]

    def _born(self, id: str, readers: Collection[str], by: str, author: str) -> dict[str, Any]:
        return {"id": id, "readers": sorted(readers), "saved_by": by, "author": author, "saved_at": self._clock()}


_NO_FLAG: dict[str, Any] = dict.fromkeys(("flagged_by", "flagged_at", "flagged_why", "flagged_document"))


def _columns(draft: Draft) -> dict[str, Any]:
    """What somebody wrote, as the table keeps it."""
    last = draft.valid_until.isoformat() if draft.valid_until else None
    return {"question": draft.question, "answer": draft.answer, "tags": list(draft.tags), "valid_until": last}


def _draft_of(one: Reviewed) -> Draft:
    example = one.example
    return Draft(question=example.question, answer=example.answer, tags=example.tags, valid_until=one.valid_until)


def _chosen(shelf: Shelf, found: Sequence[tuple[int, Example]], vector: Vector, k: int) -> tuple[Example, ...]:
    places = [place for place, _ in found]
    questions, answers = shelf.questions[places], shelf.answers[places]
    worth = relevance(questions @ vector, answers @ vector, [one.flagged for _, one in found])
    return tuple(replace(found[n][1], relevance=float(worth[n])) for n in varied(worth, questions, answers, k))


def _lead(found: Sequence[Example], similarities: Vector) -> float:
    return lead(found[0].similarity, similarities) if found else math.nan
