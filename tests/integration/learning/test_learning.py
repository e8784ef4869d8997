"""What is learned and who chooses by it, over both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from judging import NOW, PLAIN, RAG, alike, answered, choice, option, replay, telling
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Mean, Pin
from bot.errors import UnknownEntry
from bot.learning.bandit import Bandit
from bot.learning.labels import Labels, Signal
from bot.learning.learning import Learning
from bot.learning.replay import Replay
from bot.models.cards import ModelCard
from bot.storage.tables import learned

FIRST, SECOND = option(RAG, 0.7), option(PLAIN, 0.6)
MADE = choice(FIRST, SECOND)
CARD = ModelCard(name="writer", id="writer-1", provider="house", context_window=8192)
Open = Callable[..., Learning]


@pytest.fixture
def opened(engine: AsyncEngine) -> Open:
    """Learning as a process that starts now opens it."""

    def make(now: datetime = NOW, *, off: bool = False) -> Learning:
        return Learning(engine, lambda: now, cost_weight=0.0, latency_weight=0.0, off=off)

    return make


def newer(played: Replay, minutes: int = 1) -> Replay:
    return replace(played, at=NOW + timedelta(minutes=minutes))


async def judge(engine: AsyncEngine, n: int = 6) -> None:
    """Some people found the first way bad and the second one good."""
    labels = Labels(engine, lambda: NOW)
    for number in range(n):
        await answered(engine, f"b{number}", choice(FIRST))
        await labels.add(f"b{number}", f"U{number}", Signal.DOWN)
        await answered(engine, f"g{number}", choice(SECOND))
        await labels.add(f"g{number}", f"U{number}", Signal.UP)


async def test_before_30_golden_questions_the_estimates_choose_and_say_so(opened: Open) -> None:
    learning = opened()
    assert await learning.take(telling(29)) is None
    assert await learning.decide(MADE, "q") == MADE
    standing = await learning.standing()
    assert (standing.state, standing.golden) == ("estimates", 29)
    assert "29 of at least 30 golden questions" in standing.sentence
    assert await learning.promotions.entries() == ()


async def test_where_choosing_pays_it_is_promoted_with_its_numbers(opened: Open) -> None:
    entry = await opened().take(telling())
    assert entry is not None
    assert (entry.state, entry.by, entry.at) == ("learned", "evaluation", NOW)
    assert entry.why.startswith("The choice by question gains +0.")
    assert "(at least +0." in entry.why
    standing = await opened().standing()
    assert standing.sentence.startswith("Learning is used: +0.")
    assert standing.sentence.endswith("on 60 golden questions.")
    assert (await opened().decide(MADE, "q")).policy == "learned"


async def test_where_it_does_not_the_best_fixed_way_runs(opened: Open) -> None:
    entry = await opened().take(alike())
    assert entry is not None
    assert (entry.state, entry.best) == ("best fixed", RAG)
    standing = await opened().standing()
    assert standing.sentence == "No difference worth routing for: everything goes to rag · writer."
    found = await opened().decide(choice(SECOND, FIRST), "q")
    assert (found.option, found.policy) == (FIRST, "best fixed")


async def test_what_people_made_of_answers_changes_what_is_chosen(engine: AsyncEngine, opened: Open) -> None:
    learning = opened()
    await learning.take(telling())
    assert (await learning.decide(MADE, "q")).option.strategy is RAG[0]
    await judge(engine)
    await learning.update([CARD], "nightly")
    assert (await learning.decide(MADE, "q")).option.strategy is PLAIN[0]
    means = await learning.means()
    assert means[PLAIN].mean > means[RAG].mean


async def test_new_numbers_demote_and_promote_and_every_change_is_an_entry(opened: Open) -> None:
    learning = opened()
    await learning.take(telling())
    await learning.take(newer(alike()))
    assert await learning.take(newer(alike(), 2)) is None
    await learning.take(newer(telling(), 3))
    states = [(entry.id, entry.state) for entry in await learning.promotions.entries()]
    assert states == [(3, "learned"), (2, "best fixed"), (1, "learned")]


async def test_another_best_fixed_way_is_an_entry_too(opened: Open) -> None:
    learning = opened()
    await learning.take(alike())
    other = alike()
    entry = await learning.take(newer(replace(other, ways=(PLAIN, RAG))))
    assert entry is not None
    assert (entry.state, entry.best) == ("best fixed", PLAIN)


async def test_the_same_numbers_are_considered_once(opened: Open) -> None:
    learning = opened()
    await learning.take(telling())
    for _ in range(3):
        assert await learning.update([CARD], "nightly") is None
    assert len(await learning.promotions.entries()) == 1


async def test_an_undone_change_stays_undone_until_the_numbers_change(engine: AsyncEngine, opened: Open) -> None:
    learning = opened()
    await learning.take(telling())
    undoing = await learning.undo(1, "ana")
    assert (undoing.state, undoing.undoes, undoing.by) == ("estimates", 1, "ana")
    assert await learning.decide(MADE, "q") == MADE
    (_, undone) = await learning.promotions.entries()
    assert (undone.undone_by, undone.undone_at) == ("ana", NOW)
    assert (await learning.standing()).sentence == (
        "The shipped estimates choose. Entry 1 was undone, which holds until there are new numbers."
    )
    assert await learning.update([CARD], "nightly") is None
    assert (await opened().standing()).state == "estimates"
    await judge(engine, 1)
    entry = await learning.update([CARD], "nightly")
    assert entry is not None
    assert (entry.id, entry.state) == (3, "learned")


async def test_an_undoing_can_be_undone(opened: Open) -> None:
    learning = opened()
    await learning.take(telling())
    await learning.take(newer(alike()))
    await learning.undo(2, "ana")
    assert (await learning.decide(MADE, "q")).policy == "learned"
    await learning.undo(3, "leo")
    standing = await learning.standing()
    assert (standing.state, standing.best) == ("best fixed", RAG)
    assert (await learning.decide(MADE, "q")).policy == "best fixed"


async def test_only_the_newest_change_can_be_undone(opened: Open) -> None:
    learning = opened()
    with pytest.raises(UnknownEntry, match="nothing to undo"):
        await learning.undo(1, "ana")
    await learning.take(telling())
    await learning.take(newer(alike()))
    with pytest.raises(UnknownEntry, match=r"Entry 1 was followed by others.*switchboard learning undo 2"):
        await learning.undo(1, "ana")
    with pytest.raises(UnknownEntry, match=r"no entry 9.*switchboard learning undo 2"):
        await learning.undo(9, "ana")
    assert len(await learning.promotions.entries()) == 2


async def test_a_strategy_that_a_person_pinned_is_never_changed(opened: Open) -> None:
    await opened().take(alike())
    made = choice(SECOND, FIRST)
    pin = Pin(scope="question", strategy=PLAIN[0])
    assert await opened().decide(made, "q", [pin]) == made


async def test_switched_off_it_keeps_what_it_has_and_changes_nothing(engine: AsyncEngine, opened: Open) -> None:
    await opened().take(telling())
    await judge(engine)
    learning = opened(off=True)
    await learning.update([CARD], "nightly")
    assert await learning.decide(MADE, "q") == MADE
    assert await learning.means() == {}
    assert (await learning.standing()).sentence.startswith("Learning is off")
    assert (await opened().standing()).state == "learned"


@pytest.mark.parametrize("value", [{}, {**Bandit.fresh().to_json(), "shift": [0.0]}, {"context": "?", "ways": 7}])
async def test_a_state_that_is_not_sound_is_made_anew_from_the_labels(
    engine: AsyncEngine, opened: Open, value: dict[str, object]
) -> None:
    await opened().take(telling())
    await judge(engine)
    await opened().update([CARD], "nightly")
    async with engine.begin() as connection:
        await connection.execute(sa.update(learned).where(learned.c.name == "bandit").values(value=value))
    assert (await opened().decide(MADE, "q")).option.strategy is PLAIN[0]


@pytest.mark.parametrize("version", [None, 0])
async def test_a_state_that_is_missing_or_of_another_version_is_made_anew(
    engine: AsyncEngine, opened: Open, version: int | None
) -> None:
    await opened().take(telling())
    await judge(engine)
    await opened().update([CARD], "nightly")
    before = await opened().means()
    change = learned.delete() if version is None else sa.update(learned).values(version=version)
    async with engine.begin() as connection:
        await connection.execute(change.where(learned.c.name.in_(("bandit", "means"))))
    assert (await opened().decide(MADE, "q")).option.strategy is PLAIN[0]
    assert await opened().means() == before


async def test_means_join_what_was_measured_and_what_people_said(engine: AsyncEngine, opened: Open) -> None:
    learning = opened()
    await learning.take(replay([[0.9, 0.2]] * 4, [[1.0, 0.0]] * 4))
    assert await learning.means() == {RAG: Mean(4, 1.0), PLAIN: Mean(4, 0.0)}
    await answered(engine, "q1", choice(FIRST))
    await Labels(engine, lambda: NOW).add("q1", "U1", Signal.DOWN)
    await learning.update([CARD], "nightly")
    assert await learning.means() == {RAG: Mean(5, 0.8), PLAIN: Mean(4, 0.0)}


async def test_what_was_measured_of_a_model_that_changed_since_is_void(opened: Open) -> None:
    learning = opened(NOW + timedelta(days=1))
    await learning.update([CARD], "nightly")
    await learning.take(replay([[0.9, 0.2]] * 4, [[1.0, 0.0]] * 4))
    await learning.update([CARD.model_copy(update={"id": "writer-2"})], "nightly")
    assert await learning.means() == {}


async def test_a_golden_question_does_not_teach_the_bandit_that_is_tried_on_it(
    engine: AsyncEngine, opened: Open
) -> None:
    """Thumbs on the golden questions themselves would let the bandit know their answers before."""
    labels = Labels(engine, lambda: NOW)
    played = replay([[0.7, 0.6]] * 40, [[0.0, 1.0]] * 40)
    for number, text in enumerate(played.texts):
        await answered(engine, f"b{number}", choice(FIRST), text=text)
        await labels.add(f"b{number}", f"U{number}", Signal.DOWN)
    learning = opened()
    entry = await learning.take(played)
    assert entry is not None
    assert (entry.state, entry.best) == ("best fixed", PLAIN)
    standing = await learning.standing()
    assert standing.gain is not None
    assert standing.gain.mean == pytest.approx(-1.0)


async def test_without_golden_questions_the_propensities_of_judged_answers_tell(
    engine: AsyncEngine, opened: Open
) -> None:
    learning = opened()
    await learning.take(telling())
    labels = Labels(engine, lambda: NOW)
    for number in range(400):
        first, second = option(RAG, 0.7, chance=0.5), option(PLAIN, 0.7, chance=0.5)
        way = (first, second) if number % 2 else (second, first)
        made = replace(choice(*way), options=(first, second), policy="learned", propensity=0.5)
        await answered(engine, f"d{number}", made)
        # The policy's draws do badly as a whole, and the fixed way well.
        better = (way[0].strategy, way[0].model) == (await learning.standing()).best
        await labels.add(f"d{number}", f"U{number % 100}", Signal.UP if better else Signal.DOWN)
    await learning.take(newer(telling(5)))
    standing = await learning.standing()
    assert standing.gain is not None
    assert (standing.gain.source, standing.state) == ("judged answers", "best fixed")
    assert standing.gain.n == 400
    assert standing.gain.mean == pytest.approx(-0.5, abs=0.05)
