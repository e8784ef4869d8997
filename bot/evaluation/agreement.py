"""How far a judge agrees with people who gave the same answers a thumb."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.evaluation.golden import words
from bot.storage.tables import feedback, questions

GOOD = 0.5
"""A judge's score from here on says that the answer is good."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question, an answer to it, and the judge's score (0 to 1)."""

    question: str
    answer: str
    score: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Share (0 to 1) of `n` answers on which judge and people agree, and Cohen's kappa: None where one side always
    said the same, which leaves nothing to agree on beyond chance."""

    n: int
    share: float
    kappa: float | None


def agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement | None:
    """Of (judge says good, people say good); None without any.

    κ = (p_o − p_e) / (1 − p_e) with p_e from the margins (Cohen 1960, "A coefficient of agreement for nominal scales").
    """
    n = len(pairs)
    if not n:
        return None
    observed = sum(judge == people for judge, people in pairs) / n
    judge_good, people_good = (sum(pair[side] for pair in pairs) / n for side in (0, 1))
    chance = judge_good * people_good + (1 - judge_good) * (1 - people_good)
    one_sided = judge_good in (0, 1) or people_good in (0, 1)
    return Agreement(n, observed, None if one_sided else (observed - chance) / (1 - chance))


async def with_people(engine: AsyncEngine, judged: Iterable[Judged]) -> Agreement | None:
    """The agreement on those of the judged answers that people gave thumbs, word for word, to the same question.

    The majority of the thumbs counts; a tie counts not at all.
    """
    scores = {_key(one.question, one.answer): one.score for one in judged}
    thumbs: defaultdict[tuple[str, str], int] = defaultdict(int)
    query = (
        sa.select(questions.c.text, questions.c.answer, feedback.c.value)
        .join(feedback, feedback.c.question_id == questions.c.id)
        .where(questions.c.answer.is_not(None))
    )
    async with engine.connect() as connection:
        async for row in await connection.stream(query):
            thumbs[_key(row.text, row.answer)] += row.value
    pairs = [(score >= GOOD, thumbs[key] > 0) for key, score in scores.items() if thumbs.get(key)]
    return agreement(pairs)


def _key(question: str, answer: str) -> tuple[str, str]:
    return " ".join(words(question)), " ".join(answer.split())
