from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import StrategyName
from bot.errors import UnusableQuestion
from bot.learning.comparisons import Compared, Comparison, Comparisons, Preference
from bot.learning.labels import Labels
from bot.storage.tables import labels


def comparison(*models: str, identifier: str = "c1") -> Comparison:
    answers = tuple(
        Compared(question_id=f"{identifier}-{letter}", strategy=StrategyName.RAG, model=model)
        for letter, model in zip("abcd", models, strict=False)
    )
    return Comparison(id=identifier, answers=answers, blind=True, asked_by="U0MAYA")


@pytest.fixture
def comparisons(engine: AsyncEngine) -> Comparisons:
    return Comparisons(engine, Labels(engine))


async def signals(engine: AsyncEngine) -> set[tuple[str, str]]:
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(labels.c.question_id, labels.c.signal))
        return {(row.question_id, row.signal) for row in rows}


async def test_a_comparison_is_found_as_it_was_kept(comparisons: Comparisons) -> None:
    kept = comparison("large", "small", "offline")
    await comparisons.add(kept)
    await comparisons.add(kept)
    assert await comparisons.find("c1") == kept
    with pytest.raises(UnusableQuestion, match="any more"):
        await comparisons.find("c2")


async def test_the_last_vote_of_a_person_counts_and_is_what_choosing_learns_from(
    comparisons: Comparisons, engine: AsyncEngine
) -> None:
    shown = comparison("large", "small")
    await comparisons.add(shown)
    await comparisons.vote(shown, "U0MAYA", 0)
    await comparisons.vote(shown, "U0MAYA", 1)
    assert await comparisons.votes(shown) == ((0, 1), 0)
    assert await signals(engine) == {("c1-a", "dropped"), ("c1-b", "kept")}
    await comparisons.vote(shown, "U0MAYA", None)
    assert await comparisons.votes(shown) == ((0, 0), 1)
    assert await signals(engine) == set()


async def test_votes_become_the_share_of_pairs_that_a_model_won(comparisons: Comparisons) -> None:
    first, second = comparison("large", "small", "tiny"), comparison("small", "large", identifier="c2")
    twice = comparison("small", "small", identifier="c3")
    for each in (first, second, twice):
        await comparisons.add(each)
    await comparisons.vote(first, "U0MAYA", 0)
    await comparisons.vote(second, "U0MAYA", 0)
    await comparisons.vote(second, "U0LEO", None)
    await comparisons.vote(twice, "U0LEO", 1)
    assert await comparisons.preferences() == {
        "large": Preference(2.5, 4),
        "small": Preference(1.5, 3),
        "tiny": Preference(0, 1),
    }
