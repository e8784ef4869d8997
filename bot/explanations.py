"""All that is known of how a question was answered: its receipt, every model call, and what people made of it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.calls import Row
from bot.costs.ledger import Ledger
from bot.domain import Option, Question, Receipt, StrategyName
from bot.learning.alternatives import Alternatives
from bot.selection import receipts
from bot.selection.questions import Questions
from bot.storage.tables import feedback, labels, questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One question with all that became of it.

    `receipt` is None where it ended before anything was chosen. `first`: the id of the question that this one is
    another way of; `later`: those that are another way of this one. `people`: who did what with the answer, as
    (person, signal).
    """

    question: Question
    answer: str | None
    receipt: Receipt | None
    calls: tuple[Row, ...]
    first: str | None = None
    later: tuple[str, ...] = ()
    people: tuple[tuple[str, str], ...] = ()


class Explanations:
    """Reads what the other rooms wrote down."""

    def __init__(self, engine: AsyncEngine, ledger: Ledger, alternatives: Alternatives) -> None:
        self._engine = engine
        self._ledger = ledger
        self._alternatives = alternatives
        self._questions = Questions(engine)

    async def of(self, question_id: str) -> Explanation | None:
        """Everything about a question; None where there is none of this id."""
        question = await self._questions.asked(question_id)
        if question is None:
            return None
        return Explanation(
            question=question,
            answer=await self._questions.answered(question_id),
            receipt=await self._questions.receipt(question_id),
            calls=tuple(await self._ledger.of(question_id)),
            first=await self._alternatives.first_of(question_id),
            later=await self._alternatives.later_than(question_id),
            people=await self._people(question_id),
        )

    async def last(self, most: int) -> list[tuple[Question, Receipt | None]]:
        """The last questions that were asked, newest first."""
        query = sa.select(questions).order_by(questions.c.asked_at.desc(), questions.c.id).limit(most)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query)).all()
        return [(Questions.made_of(row), receipts.from_json(row.receipt) if row.receipt else None) for row in rows]

    async def beginning_with(self, prefix: str, most: int) -> list[str]:
        """The ids that begin so, newest first; `most` at the most."""
        query = (
            sa.select(questions.c.id)
            .where(questions.c.id.startswith(prefix, autoescape=True))
            .order_by(questions.c.asked_at.desc(), questions.c.id)
            .limit(most)
        )
        async with self._engine.connect() as connection:
            return list((await connection.execute(query)).scalars())

    async def other_ways(self, question_id: str) -> tuple[Option, ...]:
        """Options that could be taken for a question and were not tried yet, best first.

        Where it is itself another way of an earlier question, that one's options count: in its own, a person had
        narrowed the choice.
        """
        first = question_id
        while (earlier := await self._alternatives.first_of(first)) is not None:
            first = earlier
        family = [first]
        for one in family:  # it grows while it is read
            family += await self._alternatives.later_than(one)
        found = {one: await self._questions.receipt(one) for one in family}
        tried = {_way(receipt.choice.option) for receipt in found.values() if receipt is not None}
        receipt = found[first]
        options = receipt.choice.options if receipt is not None else ()
        left = [option for option in options if option.available and _way(option) not in tried]
        return tuple(sorted(left, key=lambda option: -option.utility))

    async def _people(self, question_id: str) -> tuple[tuple[str, str], ...]:
        thumbs = sa.select(feedback.c.person, feedback.c.value).where(feedback.c.question_id == question_id)
        signals = sa.select(labels.c.person, labels.c.signal).where(labels.c.question_id == question_id)
        async with self._engine.connect() as connection:
            told = [(person, "up" if value > 0 else "down") for person, value in await connection.execute(thumbs)]
            told += [(person, signal) for person, signal in await connection.execute(signals)]
        return tuple(sorted(set(told)))


def _way(option: Option) -> tuple[StrategyName, str]:
    return option.strategy, option.model
