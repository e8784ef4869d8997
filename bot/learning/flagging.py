"""Examples that were made of an answer whose source has changed are flagged."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.learning.examples import Examples
from bot.storage.bases import bases
from bot.storage.tables import examples, questions

BY = "answer recall"


class Flagging:
    """Finds them by what they rest on, and by the words of the question or the answer, which may have been edited."""

    def __init__(self, engine: AsyncEngine, examples: Examples) -> None:
        self._engine = engine
        self._examples = examples

    async def answer(self, question_id: str, why: str) -> None:
        """What the answer to a question leans on has changed. May be called again."""
        same = sa.or_(examples.c.question == questions.c.text, examples.c.answer == questions.c.answer)
        made_of = sa.select(examples.c.id).join(questions, same).where(questions.c.id == question_id)
        rests = sa.exists(sa.select(1).where(bases.c.subject == examples.c.id))
        async with self._engine.connect() as connection:
            ids = (await connection.execute(made_of.where(rests))).scalars().all()
        for id in ids:
            await self._examples.flag(id, why, BY)
