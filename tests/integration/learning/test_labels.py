"""Labels in SQL, and what they count when they are read."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from judging import NOW, PLAIN, RAG, answered, choice, option, pinned, versions
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.learning.asked_again import SHORTLY, AskedAgain
from bot.learning.bandit import Bandit
from bot.learning.experience import HALF_LIFE, OUTDATED, PERSON_WEEK, READ_BACK, Experience
from bot.learning.identities import Identities
from bot.learning.labels import WORTH, Labels, Signal
from bot.learning.learning import running_means
from bot.models.cards import ModelCard
from bot.storage.tables import labels, questions


def labels_at(engine: AsyncEngine, moment: datetime = NOW) -> Labels:
    return Labels(engine, lambda: moment)


async def signals(engine: AsyncEngine) -> list[tuple[str, str, str]]:
    async with engine.connect() as connection:
        query = sa.select(labels.c.question_id, labels.c.person, labels.c.signal).order_by(labels.c.question_id)
        return [(row.question_id, row.person, row.signal) for row in await connection.execute(query)]


async def test_every_signal_says_something_of_the_answer_that_it_speaks_of(engine: AsyncEngine) -> None:
    for signal in Signal:
        await answered(engine, f"q-{signal}", choice(option(PLAIN), features={"coverage": 0.4}))
        await labels_at(engine).add(f"q-{signal}", "U0ANA" if signal is Signal.UP else f"U-{signal}", signal)
    read = {one.question_id: one for one in await Experience(engine).read(NOW)}
    assert len(read) == len(Signal)
    for signal in Signal:
        one = read[f"q-{signal}"]
        assert (one.value, one.weight) == (WORTH[signal].value, WORTH[signal].weight)
        assert (one.way, one.propensity, one.text) == (PLAIN, 1.0, "How do I roll back?")
        assert one.choice.features == {"coverage": 0.4}


async def test_labels_are_counted_by_signal(engine: AsyncEngine) -> None:
    for person in ("U1", "U2"):
        await labels_at(engine).add("q", person, Signal.UP)
    await labels_at(engine).add("q", "U2", Signal.DOWN)
    counts = await labels_at(engine).counts()
    assert (counts[Signal.UP], counts[Signal.DOWN], counts[Signal.COPIED]) == (1, 1, 0)


async def test_a_thousand_thumbs_of_one_person_count_no_more_than_a_handful(engine: AsyncEngine) -> None:
    rows, thumbs = [], []
    await answered(engine, "first", choice(option(RAG)))
    async with engine.begin() as connection:
        first = (await connection.execute(sa.select(questions).where(questions.c.id == "first"))).mappings().one()
        for number in range(1000):
            rows.append({**first, "id": f"f{number}"})
            thumbs.append({"question_id": f"f{number}", "person": "U0FLOOD", "signal": "down", "given_at": NOW})
        await connection.execute(questions.insert(), rows)
        await connection.execute(labels.insert(), thumbs)
    for number in range(8):
        await labels_at(engine).add("first", f"U{number}", Signal.UP)
    read = await Experience(engine).read(NOW)
    weights: defaultdict[str, float] = defaultdict(float)
    for one in read:
        weights[one.person] += one.weight
    assert weights["U0FLOOD"] == pytest.approx(PERSON_WEEK)
    assert sum(weights.values()) == pytest.approx(PERSON_WEEK + 8)
    mean = running_means(read, {})[RAG]
    assert mean.n == pytest.approx(PERSON_WEEK + 8)
    assert mean.mean == pytest.approx(8 / (PERSON_WEEK + 8))
    assert Bandit.learn(read).corrections((option(RAG, 0.7),), {})[0] > -0.1


async def test_an_old_flood_counts_less_than_a_new_one_and_each_week_has_its_own_measure(engine: AsyncEngine) -> None:
    for number in range(20):
        moment = NOW - HALF_LIFE if number < 10 else NOW
        await answered(engine, f"q{number}", at=moment)
        await labels_at(engine, moment).add(f"q{number}", "U1", Signal.DOWN)
    old: list[float] = []
    new: list[float] = []
    for one in await Experience(engine).read(NOW):
        (new if one.at == NOW else old).append(one.weight)
    assert sum(new) == pytest.approx(PERSON_WEEK)
    assert sum(old) == pytest.approx(PERSON_WEEK / 2)


async def test_what_is_older_than_a_year_or_has_no_receipt_is_not_read(engine: AsyncEngine) -> None:
    long_ago = NOW - READ_BACK - timedelta(days=1)
    await answered(engine, "old", at=long_ago)
    await labels_at(engine, long_ago).add("old", "U1", Signal.UP)
    await labels_at(engine).add("never asked", "U1", Signal.UP)
    assert await Experience(engine).read(NOW) == ()


async def test_a_receipt_that_cannot_be_read_costs_its_own_label_alone(engine: AsyncEngine) -> None:
    for id in ("good", "broken"):
        await answered(engine, id)
        await labels_at(engine).add(id, "U1", Signal.UP)
    async with engine.begin() as connection:
        broken = sa.update(questions).where(questions.c.id == "broken").values(receipt={"choice": {"option": 7}})
        await connection.execute(broken)
    assert [one.question_id for one in await Experience(engine).read(NOW)] == ["good"]


async def test_who_votes_on_what_they_pinned_counts_but_tells_no_propensity(engine: AsyncEngine) -> None:
    await answered(engine, "pinned", pinned(choice()))
    await answered(engine, "person", choice(policy="person"))
    await answered(engine, "configured", pinned(choice(), "configured"))
    await answered(engine, "drawn", choice(policy="learned", propensity=0.25))
    for id in ("pinned", "person", "configured", "drawn"):
        await labels_at(engine).add(id, "U1", Signal.UP)
    found = {one.question_id: (one.weight, one.propensity) for one in await Experience(engine).read(NOW)}
    assert found == {"pinned": (1, None), "person": (1, None), "configured": (1, 1.0), "drawn": (1, 0.25)}


async def test_a_new_index_leaves_half_of_what_was_said_of_knowledge_search_and_all_of_the_rest(
    engine: AsyncEngine,
) -> None:
    for id, way, made, minutes in (
        ("old rag", RAG, versions("i1"), 0),
        ("old plain", PLAIN, versions("i1"), 1),
        ("new rag", RAG, versions("i2"), 2),
    ):
        await answered(engine, id, choice(option(way), versions=made), at=NOW - timedelta(minutes=9 - minutes))
        await labels_at(engine).add(id, f"U-{id}", Signal.UP)
    found = {one.question_id: one.weight for one in await Experience(engine).read(NOW)}
    assert found == {"old rag": OUTDATED, "old plain": 1, "new rag": 1}


async def test_new_estimates_leave_half_of_what_was_said_under_others(engine: AsyncEngine) -> None:
    for id, estimates, minutes in (("old", "e1", 5), ("new", "e2", 0)):
        made = choice(option(PLAIN), versions=versions(estimates=estimates))
        await answered(engine, id, made, at=NOW - timedelta(minutes=minutes))
        await labels_at(engine).add(id, f"U-{id}", Signal.UP)
    found = {one.question_id: one.weight for one in await Experience(engine).read(NOW)}
    assert found == {"old": OUTDATED, "new": 1}


async def test_behind_a_name_another_model_starts_anew(engine: AsyncEngine) -> None:
    identities, before = Identities(engine), NOW - timedelta(days=2)
    await answered(engine, "old", at=before)
    await answered(engine, "other", choice(option((RAG[0], "stays"))), at=before)
    for id in ("old", "other"):
        await labels_at(engine).add(id, "U1", Signal.DOWN)
    card = ModelCard(name="writer", id="writer-1", provider="house", context_window=8192)
    stays = card.model_copy(update={"name": "stays"})
    assert await identities.note([card, stays], before) == ()
    assert await identities.since() == {}
    changed = card.model_copy(update={"provider": "elsewhere"})
    assert await identities.note([changed, stays], NOW - timedelta(days=1)) == ("writer",)
    await answered(engine, "new", at=NOW)
    await labels_at(engine).add("new", "U1", Signal.UP)
    read = await Experience(engine).read(NOW, await identities.since())
    assert {one.question_id for one in read} == {"other", "new"}
    assert await identities.note([changed, stays], NOW) == ()


async def test_a_question_asked_again_shortly_after_judges_the_first_answer(engine: AsyncEngine) -> None:
    again = AskedAgain(engine, labels_at(engine))
    await answered(engine, "first", text="When do deploys run?", at=NOW - timedelta(minutes=10))
    second = await answered(engine, "second", text="hey, when do the deploys run??", at=NOW)
    assert await again.note(second) == "first"
    assert await signals(engine) == [("first", "U0ANA", "asked_again")]


@pytest.mark.parametrize(
    "different",
    [
        {"asker": "U0LEO"},
        {"channel": "C2"},
        {"text": "When do deploys run on Friday?"},
        {"at": NOW - SHORTLY - timedelta(minutes=1)},
        {"outcome": "unavailable"},
        {"outcome": "stopped"},
    ],
    ids=str,
)
async def test_another_person_place_question_or_day_judges_nothing(
    engine: AsyncEngine, different: dict[str, object]
) -> None:
    first = {"text": "When do deploys run?", "at": NOW - timedelta(minutes=10)} | different
    await answered(engine, "first", **first)  # type: ignore[arg-type]
    second = await answered(engine, "second", text="When do deploys run?", at=NOW)
    assert await AskedAgain(engine, labels_at(engine)).note(second) is None
    assert await signals(engine) == []
