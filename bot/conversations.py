"""What was said in each thread: the assistant's memory of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.bases import Bases
from bot.domain import Turn
from bot.storage.tables import conversations
from bot.storage.upsert import insert

KEY = ("channel", "thread", "ts")


class Conversations:
    """Messages by channel, thread and `ts` (Slack's message id, which sorts by time)."""

    def __init__(self, engine: AsyncEngine, bases: Bases) -> None:
        self._engine = engine
        self._bases = bases

    async def record(
        self,
        channel: str,
        thread: str,
        ts: str,
        role: Literal["user", "assistant"],
        author: str,
        text: str,
        question_id: str | None = None,
    ) -> None:
        """Keeps a message; the same message again replaces it, unless it was deleted.

        `author` is "" for the assistant's own.
        """
        values = {"role": role, "author": author, "text": text, "question_id": question_id}
        async with self._engine.begin() as connection:
            statement = insert(connection, conversations).values(
                channel=channel, thread=thread, ts=ts, deleted=False, **values
            )
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=KEY, set_=values, where=conversations.c.deleted.is_(False)
                )
            )

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """The message now says `text`. A message that was never recorded stays unknown."""
        statement = (
            sa.update(conversations)
            .where(
                conversations.c.channel == channel,
                conversations.c.ts == ts,
                conversations.c.deleted.is_(False),
            )
            .values(text=text)
        )
        async with self._engine.begin() as connection:
            await connection.execute(statement)

    async def delete(self, channel: str, thread: str, ts: str) -> None:
        """The message is gone: its text is forgotten at once, and it is no turn any more.

        Events are worked off side by side, so the deletion is kept also where the message was not recorded yet.
        """
        gone = {"text": "", "deleted": True}
        async with self._engine.begin() as connection:
            statement = insert(connection, conversations).values(
                channel=channel, thread=thread, ts=ts, role="user", author="", **gone
            )
            await connection.execute(statement.on_conflict_do_update(index_elements=KEY, set_=gone))

    async def turns(
        self, channel: str, thread: str, scopes: frozenset[str], *, before: str | None = None
    ) -> tuple[Turn, ...]:
        """The thread's messages, oldest first, up to but without the one with `ts` = `before`.

        Answers that rest on what an audience with `scopes` may not read now are left out: more people may read the
        thread than when they were given.
        """
        columns = (conversations.c.role, conversations.c.text, conversations.c.author, conversations.c.question_id)
        query = sa.select(*columns).where(*_in_thread(channel, thread)).order_by(conversations.c.ts)
        if before is not None:
            query = query.where(conversations.c.ts < before)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        answered = {row.question_id for row in rows if row.role == "assistant" and row.question_id}
        allowed = await self._bases.answers_for(answered, scopes)
        return tuple(
            Turn(row.role, row.text, row.author, (row.question_id or "") if row.role == "assistant" else "")
            for row in rows
            if row.role == "user" or not row.question_id or row.question_id in allowed
        )

    async def speakers(self, channel: str, thread: str, *, before: str) -> tuple[tuple[str, str], ...]:
        """Who spoke in the thread before `ts` = `before`, in its order, as (role, author) of each message."""
        query = (
            sa.select(conversations.c.role, conversations.c.author)
            .where(*_in_thread(channel, thread), conversations.c.ts < before)
            .order_by(conversations.c.ts)
        )
        async with self._engine.connect() as connection:
            return tuple((row.role, row.author) for row in await connection.execute(query))

    async def takes_part(self, channel: str, thread: str) -> bool:
        """Whether the assistant has spoken in this thread."""
        query = (
            sa.select(sa.literal(1)).where(*_in_thread(channel, thread), conversations.c.role == "assistant").limit(1)
        )
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def asks(self, channel: str, ts: str) -> bool:
        """Whether a message asked the assistant something."""
        here = (conversations.c.channel == channel, conversations.c.ts == ts, conversations.c.role == "user")
        query = sa.select(conversations.c.ts).where(*here, conversations.c.question_id.is_not(None)).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).first() is not None

    async def answer_before(self, channel: str, thread: str, ts: str) -> str | None:
        """The id of the question that the message right before `ts` answers; None where that is no answer."""
        query = (
            sa.select(conversations.c.role, conversations.c.question_id)
            .where(*_in_thread(channel, thread), conversations.c.ts < ts)
            .order_by(conversations.c.ts.desc())
            .limit(1)
        )
        async with self._engine.connect() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None or row.role != "assistant" else row.question_id

    async def last_answered(self, channel: str, thread: str) -> str | None:
        """The id of the question that the newest answer of a thread answers; None where there is none."""
        answers = (*_in_thread(channel, thread), conversations.c.question_id.is_not(None))
        query = sa.select(conversations.c.question_id).where(*answers, conversations.c.role == "assistant")
        async with self._engine.connect() as connection:
            found: str | None = (await connection.execute(query.order_by(conversations.c.ts.desc()).limit(1))).scalar()
        return found

    async def people(self, channel: str, thread: str) -> frozenset[str]:
        """The user ids of everyone who wrote in this thread."""
        query = sa.select(conversations.c.author).where(*_in_thread(channel, thread), conversations.c.role == "user")
        async with self._engine.connect() as connection:
            return frozenset((await connection.execute(query)).scalars())


def cut(turns: Sequence[Turn], budget: int, count: Callable[[str], int]) -> tuple[Turn, ...]:
    """The newest turns that fit into `budget` tokens together, oldest first. `count` counts a text's tokens."""
    kept: list[Turn] = []
    left = budget
    for turn in reversed(turns):
        left -= count(turn.text)
        if left < 0:
            break
        kept.append(turn)
    return tuple(reversed(kept))


def _in_thread(channel: str, thread: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        conversations.c.channel == channel,
        conversations.c.thread == thread,
        conversations.c.deleted.is_(False),
    )
