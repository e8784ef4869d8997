from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.bases import Bases
from bot.conversations import Conversations
from bot.domain import Audience, Pin, Place, PlaceKind, Question, StrategyName, Turn
from bot.inbox import Inbox, Kept
from bot.learning.feedback import Feedback
from bot.selection.pins import EVERYWHERE, Pins, thread_key
from bot.selection.questions import Questions
from bot.storage.tables import conversations
from knowledge.access import MEMBERS
from knowledge.contents import Contents
from knowledge.database import Database

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


async def test_an_event_is_kept_once_however_often_it_comes(engine: AsyncEngine) -> None:
    inbox = Inbox(engine)
    assert await inbox.keep("Ev1", "message", {"text": "first"})
    assert not await inbox.keep("Ev1", "message", {"text": "again"})
    assert await inbox.waiting() == [Kept("Ev1", "message", {"text": "first"}, 0)]


async def test_an_event_whose_work_was_cut_short_waits_again_and_counts_its_attempts(engine: AsyncEngine) -> None:
    inbox = Inbox(engine)
    await inbox.keep("Ev1", "message", {"text": "a"})
    for _ in range(2):  # a worker that nobody knows is a dead one
        assert [kept.event_id for kept in await Inbox(engine).claim(10)] == ["Ev1"]
    assert await Inbox(engine).waiting() == [Kept("Ev1", "message", {"text": "a"}, 2)]


async def test_finished_events_wait_no_more_and_stay_known_until_they_are_pruned(engine: AsyncEngine) -> None:
    clock = Clock()
    inbox = Inbox(engine, clock)
    for event in ("Ev1", "Ev2", "Ev3"):
        await inbox.keep(event, "message", {"text": event}, begin=event != "Ev3")
        clock.now += timedelta(minutes=1)
    await inbox.done("Ev1")
    await inbox.failed("Ev2", "The model did not answer.")
    assert [kept.event_id for kept in await inbox.waiting()] == ["Ev3"]
    assert not await inbox.keep("Ev1", "message", {})
    assert await inbox.prune(NOW + timedelta(seconds=30)) == 1
    assert await inbox.keep("Ev1", "message", {})
    assert await inbox.prune(NOW + timedelta(days=1)) == 1  # what waits is never pruned
    assert [kept.event_id for kept in await inbox.waiting()] == ["Ev3", "Ev1"]


async def test_a_thread_is_remembered_in_order_with_edits_and_without_what_was_deleted(engine: AsyncEngine) -> None:
    memory = Conversations(engine, Bases(engine, Contents(Database(engine))))
    await memory.record("C1", "1.0", "3.0", "user", "U2", "Thanks, and staging?")
    await memory.record("C1", "1.0", "1.0", "user", "U1", "How do we roll back?")
    await memory.record("C1", "1.0", "2.0", "assistant", "", "With the tool.", "q1")
    await memory.record("C1", "9.0", "9.0", "user", "U3", "Another thread")
    await memory.edit("C1", "1.0", "How do we roll back a release?")
    await memory.record("C1", "1.0", "2.0", "assistant", "", "With robotctl.", "q1")
    await Questions(engine).keep(asked(id="q1"))
    first = Turn("user", "How do we roll back a release?", "U1")
    second = Turn("assistant", "With robotctl.", "")
    assert await memory.turns("C1", "1.0", MEMBERS, before="3.0") == (first, second)
    assert await memory.people("C1", "1.0") == {"U1", "U2"}
    assert await memory.takes_part("C1", "1.0")
    assert not await memory.takes_part("C1", "9.0")
    await memory.delete("C1", "1.0", "2.0")
    assert not await memory.takes_part("C1", "1.0")
    assert [turn.author for turn in await memory.turns("C1", "1.0", MEMBERS)] == ["U1", "U2"]


def asked(**fields: object) -> Question:
    place = Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL, thread="1.0")
    base: dict[str, object] = {"id": "q", "text": "?", "asker": "U1", "place": place, "asked_at": NOW}
    return Question(audience=Audience.everyone(), **(base | fields))  # type: ignore[arg-type]


async def test_the_pins_of_a_question_come_strongest_first(engine: AsyncEngine) -> None:
    pins = Pins(engine, Clock())
    await pins.set("channel", "C1", model="mistral", by="U9", reason="cheaper for support")
    await pins.set("person", "U1", strategy=StrategyName.RAG, by="U1")
    await pins.set("thread", thread_key("C1", "1.0"), model="gpt", by="U1")
    await pins.set("person", "U2", model="other", by="U2")
    await pins.set("workspace", EVERYWHERE, model="llama", by="U9")
    found = await pins.of(asked(strategy=StrategyName.ZERO_SHOT))
    assert found == (
        Pin(scope="question", strategy=StrategyName.ZERO_SHOT),
        Pin(scope="thread", model="gpt", by="U1", at=NOW),
        Pin(scope="person", strategy=StrategyName.RAG, by="U1", at=NOW),
        Pin(scope="channel", model="mistral", by="U9", at=NOW, why="cheaper for support"),
        Pin(scope="workspace", model="llama", by="U9", at=NOW),
    )


async def test_what_is_pinned_on_some_models_is_found_for_one_channel_or_everywhere(engine: AsyncEngine) -> None:
    pins = Pins(engine, Clock())
    await pins.set("channel", "C1", model="gpt", by="U9")
    await pins.set("thread", thread_key("C1", "1.0"), model="gpt", by="U1")
    await pins.set("thread", thread_key("C11", "1.0"), model="gpt", by="U2")
    await pins.set("person", "U1", model="llama", by="U1")
    await pins.set("workspace", EVERYWHERE, model="gpt", by="U8")
    found = await pins.on(["gpt"], "C1")
    assert [(pin.scope, pin.by) for pin in found] == [("channel", "U9"), ("thread", "U1"), ("workspace", "U8")]
    assert len(await pins.on(["gpt", "llama"])) == 5
    assert await pins.on([]) == ()
    own = await pins.get("person", "U1")
    assert own is not None
    assert own.model == "llama"
    assert await pins.get("person", "U2") is None


async def test_pinning_a_strategy_keeps_the_pinned_model_until_the_pin_is_cleared(engine: AsyncEngine) -> None:
    pins = Pins(engine, Clock())
    await pins.set("person", "U1", model="gpt", by="U1")
    await pins.set("person", "U1", strategy=StrategyName.RAG, by="U1")
    assert await pins.of(asked()) == (Pin(scope="person", model="gpt", strategy=StrategyName.RAG, by="U1", at=NOW),)
    await pins.clear("person", "U1", by="U1")
    assert await pins.of(asked()) == ()


async def test_the_newest_thumb_of_a_person_counts(engine: AsyncEngine) -> None:
    clock = Clock()
    feedback = Feedback(engine, clock)
    await feedback.give("q1", "U1", -1, "Wrong page")
    await feedback.give("q1", "U2", 1)
    clock.now += timedelta(hours=1)
    await feedback.give("q1", "U1", 1)
    await feedback.give("q2", "U1", -1)
    assert await feedback.counts(NOW, NOW + timedelta(days=1)) == (2, 1)
    assert await feedback.counts(NOW, NOW + timedelta(hours=1)) == (1, 0)
    assert await feedback.counts(NOW - timedelta(days=1), NOW) == (0, 0)


async def test_an_edit_of_a_message_that_was_never_recorded_stays_unknown(engine: AsyncEngine) -> None:
    memory = Conversations(engine, Bases(engine, Contents(Database(engine))))
    await memory.edit("C1", "7.0", "text")
    assert await memory.turns("C1", "7.0", MEMBERS) == ()


async def test_a_deletion_that_is_worked_off_before_its_message_still_forgets_it(engine: AsyncEngine) -> None:
    memory = Conversations(engine, Bases(engine, Contents(Database(engine))))
    await memory.delete("C1", "7.0", "7.0")
    await memory.record("C1", "7.0", "7.0", "user", "U1", "My password is 4711.")
    await memory.edit("C1", "7.0", "My password was 4711.")
    assert await memory.turns("C1", "7.0", MEMBERS) == ()
    async with engine.connect() as connection:
        assert (await connection.execute(sa.select(conversations.c.text))).scalars().all() == [""]
