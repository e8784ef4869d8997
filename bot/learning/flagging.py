"""What was made of an answer whose source has changed is flagged: examples and golden questions."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.learning.examples import Examples
from bot.learning.golden_questions import GoldenQuestions
from bot.storage.bases import bases
from bot.storage.mark_table import marks
from bot.storage.tables import examples, questions

BY = "answer recall"


class Flagging:
    """Finds them by what they rest on, and by the words of the question or the answer, which may have been edited."""

    def __init__(self, engine: AsyncEngine, examples: Examples, golden: GoldenQuestions) -> None:
        self._engine = engine
        self._examples = examples
        self._golden = golden

    async def answer(self, question_id: str, why: str, document: str) -> None:
        """What the answer to a question leans on has changed: that document. May be called again."""
        same = sa.or_(examples.c.question == questions.c.text, examples.c.answer == questions.c.answer)
        made_of = sa.select(examples.c.id).join(questions, same).where(questions.c.id == question_id)
        rests = sa.exists(sa.select(1).where(bases.c.subject == examples.c.id))
        kept = sa.select(marks.c.example_id).where(marks.c.question_id == question_id, marks.c.example_id.is_not(None))
        async with self._engine.connect() as connection:
            ids = (await connection.execute(made_of.where(rests))).scalars().all()
            kept_ids = (await connection.execute(kept)).scalars().all()
        for id in ids:
            await self._examples.flag(id, why, BY)
        for id in kept_ids:  # a person's answer rests on nothing: who reads it may not know that document
            await self._examples.flag(id, why, BY, document)
        await self._golden.flag(question_id, why, BY)
