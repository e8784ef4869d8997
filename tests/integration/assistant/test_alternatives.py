"""Which question is another way of which, and what is still left to try, in both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from whole_receipt import NOW, option, whole_receipt

from bot.costs.ledger import Ledger
from bot.domain import Audience, Choice, Place, PlaceKind, Question, StrategyName
from bot.errors import UnusableQuestion
from bot.explanations import Explanations
from bot.learning.alternatives import Alternatives
from bot.learning.labels import Labels
from bot.selection.questions import Questions
from bot.storage.tables import labels

ZERO_SHOT, FEW_SHOT, RAG, _ = StrategyName
BEST, SECOND, THIRD = option(RAG, "small", 0.8), option(RAG, "large", 0.7), option(ZERO_SHOT, "small", 0.4)
IMPOSSIBLE = option(FEW_SHOT, "small", 0.9, available=False, reason="There are no examples.")


async def answered(engine: AsyncEngine, identifier: str, taken: Choice) -> None:
    place = Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL)
    asked = Question(id=identifier, text="?", asker="U1", place=place, audience=Audience.everyone(), asked_at=NOW)
    questions = Questions(engine)
    await questions.keep(asked)
    await questions.finish(identifier, "So.", whole_receipt(identifier, choice=taken))


@pytest.fixture
def alternatives(engine: AsyncEngine) -> Alternatives:
    return Alternatives(engine, Labels(engine))


async def test_what_was_tried_is_left_out_along_the_whole_chain(
    engine: AsyncEngine, alternatives: Alternatives
) -> None:
    explanations = Explanations(engine, Ledger(engine), alternatives)
    whole = Choice(option=BEST, options=(IMPOSSIBLE, THIRD, BEST, SECOND), reasons=())
    await answered(engine, "one", whole)
    assert await explanations.other_ways("one") == (SECOND, THIRD)
    await answered(engine, "two", replace(whole, option=SECOND, options=(SECOND,)))
    await alternatives.add("two", "one", "U1")
    assert await explanations.other_ways("one") == (THIRD,)
    assert await explanations.other_ways("two") == (THIRD,)
    await answered(engine, "three", replace(whole, option=THIRD, options=(THIRD,)))
    await alternatives.add("three", "two", "U1")
    for identifier in ("one", "two", "three"):
        assert await explanations.other_ways(identifier) == ()


async def test_a_question_that_chose_nothing_offers_no_other_way(
    engine: AsyncEngine, alternatives: Alternatives
) -> None:
    assert await Explanations(engine, Ledger(engine), alternatives).other_ways("unknown") == ()


async def test_asked_again_after_a_crash_a_pair_stays_what_it_was(
    engine: AsyncEngine, alternatives: Alternatives
) -> None:
    await alternatives.add("two", "one", "U1")
    await alternatives.add("two", "one", "U1")
    assert await alternatives.first_of("two") == "one"
    assert await alternatives.later_than("one") == ("two",)


async def test_the_last_word_of_a_person_counts_and_leaves_one_signal_an_answer(
    engine: AsyncEngine, alternatives: Alternatives
) -> None:
    await alternatives.add("two", "one", "U1")
    taken = [await alternatives.judge("two", "U1", kept=kept) for kept in (True, False, False)]
    assert taken == ["two", "one", "one"]
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(labels.c.question_id, labels.c.person, labels.c.signal))
        assert {tuple(row) for row in rows} == {("one", "U1", "kept"), ("two", "U1", "dropped")}


async def test_an_answer_without_another_cannot_be_judged(alternatives: Alternatives) -> None:
    with pytest.raises(UnusableQuestion, match="no other answer"):
        await alternatives.judge("one", "U1", kept=True)
