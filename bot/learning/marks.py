"""Messages that people marked as the answer to a question, and what became of each: kept once, by whoever is first."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.audit import Action, Change, record
from bot.learning.examples import Examples
from bot.learning.golden_questions import GoldenQuestions
from bot.learning.reviewed import Draft
from bot.storage.mark_table import marks
from bot.storage.tables import questions
from bot.storage.upsert import insert
from bot.worker import Worker, dead

Made = Literal["example", "golden", "document"]
"""What can be made of a person's answer."""
AGAIN = ("withdrawn", "put off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A marked message. `author`: whose words it is; `state`: open, withdrawn, put off or kept; `times`: how often its
    card was opened; `card`: where that stands. `example_id`, `golden_id` and `document` ("wanted", "kept"): what was
    made of it."""

    id: str
    channel: str
    ts: str
    thread: str
    question_id: str
    author: str
    marked_by: str
    state: str
    times: int
    card: str | None
    decided_by: str | None
    example_id: str | None
    golden_id: str | None
    document: str | None

    @property
    def part(self) -> str:
        """What its card is known by among what is said because of its question."""
        return f"m{self.id[:11]}"


class Marks:
    """Marks in SQL."""

    def __init__(
        self,
        engine: AsyncEngine,
        worker: Worker,
        clock: Callable[[], datetime],
        examples: Examples,
        golden: GoldenQuestions,
    ) -> None:
        self._engine = engine
        self._worker = worker
        self._clock = clock
        self._examples = examples
        self._golden = golden

    async def asked_in(self, channel: str) -> bool:
        """Whether anything was asked in a channel for all there to see."""
        query = sa.select(questions.c.id).where(*_aloud(channel)).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def question_of(self, channel: str, thread: str, ts: str) -> str | None:
        """The id of the question in a thread that a message can be the answer to: the newest that the bot has answered
        before it, or could not answer, else the first; None where nothing was asked there for all to see."""
        query = sa.select(questions.c.id, questions.c.answer_ts).where(*_aloud(channel), questions.c.thread == thread)
        async with self._engine.connect() as connection:
            asked = (await connection.execute(query.order_by(questions.c.asked_at))).all()
        before = [row.id for row in asked if row.answer_ts is None or row.answer_ts < ts]
        return before[-1] if before else asked[0].id if asked else None

    async def mark(self, channel: str, ts: str, *, thread: str, question_id: str, author: str, by: str) -> Mark:
        """The one mark of a message, made or opened again; one that is open or kept stays as it is."""
        row: dict[str, Any] = {"id": uuid.uuid4().hex, "channel": channel, "ts": ts, "thread": thread}
        row |= {"question_id": question_id, "author": author, "times": 1}
        opened = {"state": "open", "marked_by": by, "marked_at": self._clock()}
        again = opened | {"times": marks.c.times + 1, "decided_by": None}
        async with self._engine.begin() as connection:
            new = insert(connection, marks).values(**row, **opened)
            await connection.execute(
                new.on_conflict_do_update(index_elements=["channel", "ts"], set_=again, where=marks.c.state.in_(AGAIN))
            )
            return _made_of((await connection.execute(sa.select(marks).where(*_at(channel, ts)))).one())

    async def get(self, id: str) -> Mark | None:
        """One mark; None where there is none such any more."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(marks).where(marks.c.id == id))).first()
        return _made_of(row) if row is not None else None

    async def of(self, channel: str, ts: str) -> Mark | None:
        """The mark of a message; None where nobody marked it."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(marks).where(*_at(channel, ts)))).first()
        return _made_of(row) if row is not None else None

    async def claim(self, id: str) -> bool:
        """Takes a card to post it, also from a process that died meanwhile; False where it stands or another is at
        it."""
        free = marks.c.card.is_(None) & (marks.c.worker.is_(None) | dead(marks.c.worker))
        taking = sa.update(marks).where(marks.c.id == id, free).values(worker=self._worker.id)
        async with self._engine.begin() as connection:
            await connection.run_sync(self._worker.bury)
            return (await connection.execute(taking)).rowcount == 1

    async def posted(self, id: str, ts: str | None) -> None:
        """Where its card stands; None: it could not be posted, and the next one may try."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(marks).where(marks.c.id == id).values(card=ts, worker=None))

    async def withdraw(self, id: str) -> None:
        """Nothing is to be kept of one that is open."""
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(marks).where(marks.c.id == id, _OPEN).values(state="withdrawn"))

    async def put_off(self, mark: Mark, by: str) -> None:
        """Somebody said that nothing is to be kept; of one that was decided meanwhile nothing changes."""
        async with self._engine.begin() as connection:
            if await _decide(connection, mark, state="put off", decided_by=by):
                await record(connection, _change(Action.ANSWER_PUT_OFF, mark), by=by, at=self._clock())

    async def keep(
        self, mark: Mark, by: str, draft: Draft, made: Mapping[Made, frozenset[str]], *, source: str
    ) -> bool:
        """Keeps the words as what was chosen, each with its readers (scopes); whether nobody was first. A document is
        wanted from then on. `source`: a link to the message."""
        row = None
        if "example" in made:
            row = await self._examples.new(draft, made["example"], by, author=mark.author)
        async with self._engine.begin() as connection:
            document = "wanted" if "document" in made else None
            if not await _decide(connection, mark, state="kept", decided_by=by, document=document):
                return False
            example_id = golden_id = None
            if row is not None:
                await self._examples.put(connection, row)
                example_id = str(row["id"])
            if "golden" in made:
                golden_id = await self._golden.put(
                    connection,
                    draft,
                    made["golden"],
                    question_id=mark.question_id,
                    channel=mark.channel,
                    source=source,
                    author=mark.author,
                    by=by,
                    example_id=example_id,
                )
            ids = {"example_id": example_id, "golden_id": golden_id}
            await connection.execute(sa.update(marks).where(marks.c.id == mark.id).values(**ids))
            named = (("example", example_id), ("golden question", golden_id), ("document", document))
            after = ", ".join(f"{what} {id}" for what, id in named if id)
            await record(connection, _change(Action.ANSWER_KEPT, mark, after), by=by, at=self._clock())
        return True

    async def documented(self, id: str, *, kept: bool) -> None:
        """The document that was wanted is there, or cannot be; where nothing else was kept, it may be marked again."""
        nothing = marks.c.example_id.is_(None) & marks.c.golden_id.is_(None)
        failed = {"document": None, "state": sa.case((nothing, "put off"), else_=marks.c.state)}
        values = {"document": "kept"} if kept else failed
        async with self._engine.begin() as connection:
            await connection.execute(sa.update(marks).where(marks.c.id == id).values(**values))


_OPEN = marks.c.state == "open"


def _aloud(channel: str) -> tuple[sa.ColumnElement[bool], ...]:
    return questions.c.channel == channel, ~questions.c.private, questions.c.thread.is_not(None)


async def _decide(connection: AsyncConnection, mark: Mark, **values: object) -> bool:
    """Whether it is open still, as often as it was when it was read, and is decided so."""
    this = (marks.c.id == mark.id, _OPEN, marks.c.times == mark.times)
    return (await connection.execute(sa.update(marks).where(*this).values(**values))).rowcount == 1


def _at(channel: str, ts: str) -> tuple[sa.ColumnElement[bool], ...]:
    return marks.c.channel == channel, marks.c.ts == ts


def _change(action: Action, mark: Mark, after: str = "") -> Change:
    return Change(action=action, subject=f"message {mark.channel} {mark.ts}", after=after)


def _made_of(row: Any) -> Mark:
    return Mark(**{field.name: getattr(row, field.name) for field in fields(Mark)})
