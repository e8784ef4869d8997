"""Answers that were shown side by side, and how people voted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import StrategyName
from bot.errors import UnusableQuestion
from bot.learning.labels import Labels, Signal
from bot.storage.tables import comparison_votes, comparisons
from bot.storage.upsert import insert

GONE = "I do not know that comparison any more, so there is nothing to vote on."


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One of the answers: the id that its question was asked under, and what answered."""

    question_id: str
    strategy: StrategyName
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two to four answers to the same question and evidence. `blind`: their names are told after the vote."""

    id: str
    answers: tuple[Compared, ...]
    blind: bool
    asked_by: str


@dataclass(frozen=True, slots=True)
class Preference:
    """How often a model was preferred to another one that answered beside it: `won` of `of` pairs, ties by half."""

    won: float
    of: int


class Comparisons:
    """The comparisons in SQL. A vote is also a label of each answer, from which choosing learns."""

    def __init__(
        self, engine: AsyncEngine, labels: Labels, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._engine = engine
        self._labels = labels
        self._clock = clock

    async def add(self, comparison: Comparison) -> None:
        """Keeps it. Asked again after a crash, it stays as it was."""
        values = {
            "id": comparison.id,
            "question_id": comparison.answers[0].question_id,
            "answers": [[each.question_id, each.strategy.value, each.model] for each in comparison.answers],
            "blind": comparison.blind,
            "asked_by": comparison.asked_by,
            "asked_at": self._clock(),
        }
        async with self._engine.begin() as connection:
            await connection.execute(insert(connection, comparisons).values(**values).on_conflict_do_nothing())

    async def find(self, identifier: str) -> Comparison:
        """The comparison of that id. Raises UnusableQuestion where there is none."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(sa.select(comparisons).where(comparisons.c.id == identifier))).first()
        if row is None:
            raise UnusableQuestion(GONE)
        return Comparison(id=row.id, answers=_answers(row.answers), blind=row.blind, asked_by=row.asked_by)

    async def vote(self, comparison: Comparison, person: str, choice: int | None) -> None:
        """Which answer a person finds best, by its place; None where they are alike. Their last word counts."""
        values = {"choice": choice, "voted_at": self._clock()}
        async with self._engine.begin() as connection:
            statement = insert(connection, comparison_votes).values(comparison=comparison.id, person=person, **values)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["comparison", "person"], set_=values)
            )
        for place, answer in enumerate(comparison.answers):
            if choice is None:
                await self._labels.take_back(answer.question_id, person, Signal.KEPT, Signal.DROPPED)
            else:
                signal = Signal.KEPT if place == choice else Signal.DROPPED
                await self._labels.add(answer.question_id, person, signal)

    async def votes(self, comparison: Comparison) -> tuple[tuple[int, ...], int]:
        """How many votes each answer has, in their order, and how many find them alike."""
        counts, alike = [0] * len(comparison.answers), 0
        query = sa.select(comparison_votes.c.choice).where(comparison_votes.c.comparison == comparison.id)
        async with self._engine.connect() as connection:
            for choice in (await connection.execute(query)).scalars():
                if choice is None:
                    alike += 1
                else:
                    counts[choice] += 1
        return tuple(counts), alike

    async def preferences(self) -> dict[str, Preference]:
        """By the name of each model that was ever voted on beside another one."""
        query = sa.select(comparisons.c.answers, comparison_votes.c.choice).join(
            comparison_votes, comparison_votes.c.comparison == comparisons.c.id
        )
        won: defaultdict[str, float] = defaultdict(float)
        of: defaultdict[str, int] = defaultdict(int)
        async with self._engine.connect() as connection:
            for answers, choice in await connection.execute(query):
                for winner, loser, worth in _pairs([model for _, _, model in answers], choice):
                    won[winner] += worth
                    won[loser] += 1 - worth
                    of[winner] += 1
                    of[loser] += 1
        return {model: Preference(won[model], count) for model, count in of.items()}


def _pairs(models: Sequence[str], choice: int | None) -> list[tuple[str, str, float]]:
    """What a vote says of each two models: the one, the other, what the one gets. Of answers that nobody chose it says
    nothing; two strategies of one model are no pair of models."""
    if choice is None:
        return [(one, other, 0.5) for place, one in enumerate(models) for other in models[place + 1 :] if one != other]
    return [(models[choice], other, 1.0) for other in models if other != models[choice]]


def _answers(rows: Sequence[Sequence[str]]) -> tuple[Compared, ...]:
    return tuple(
        Compared(question_id=question_id, strategy=StrategyName(strategy), model=model)
        for question_id, strategy, model in rows
    )
