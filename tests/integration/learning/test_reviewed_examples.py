"""What is known of an example, who may change it, and which ones are chosen for a question."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from judging import NOW, answered
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Audit
from bot.bases import Bases
from bot.domain import Example
from bot.errors import ChangedMeanwhile, NotAllowed, UnknownExample
from bot.learning.editor import Editor
from bot.learning.example_twins import Steps
from bot.learning.examples import Examples
from bot.learning.feedback import Feedback
from bot.learning.reviewed import Draft, Reviewed
from bot.storage.tables import examples as table
from knowledge.access import MEMBERS, PUBLIC
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.embedding.minilm import MiniLM

MAYA = Editor("U0MAYA", MEMBERS)
LEO = Editor("U0LEO", MEMBERS)
ADMIN = Editor("U0ADA", MEMBERS, admin=True)


@pytest.fixture
async def embedder(models_dir: Path) -> AsyncIterator[MiniLM]:
    model = MiniLM(models_dir)
    yield model
    await model.close()


def at(engine: AsyncEngine, embedder: MiniLM, moment: datetime = NOW) -> Examples:
    return Examples(engine, embedder, Bases(engine, Contents(Database(engine))), lambda: moment)


@pytest.fixture
def kept(engine: AsyncEngine, embedder: MiniLM) -> Examples:
    return at(engine, embedder)


async def near(kept: Examples, embedder: MiniLM, question: str, k: int = 5) -> list[str]:
    vector = await embedder.embed_query(question)
    return [one.answer for one in (await kept.nearest(vector, MEMBERS, k)).examples]


async def saved(kept: Examples, question: str = "When do deploys run?", answer: str = "On Tuesdays.") -> Example:
    return await kept.save(question, answer, PUBLIC, "U0MAYA")


async def as_it_is(kept: Examples, id: str) -> Reviewed:
    found = await kept.one(id)
    assert found is not None
    return found


async def test_all_that_is_known_of_an_example_comes_back(kept: Examples) -> None:
    day = NOW.date() + timedelta(days=30)
    one = await kept.save(
        "When?", "On Tuesdays.", PUBLIC, "U0MAYA", tags=("#Deploys", "ops ", "deploys"), author="U0SAM", valid_until=day
    )
    found = await as_it_is(kept, one.id)
    assert found.example.tags == ("deploys", "ops")
    assert (found.example.author, found.example.saved_by, found.kept_by) == ("U0SAM", "U0MAYA", "U0MAYA")
    assert (found.valid_until, found.hits, found.up, found.down, found.version) == (day, 0, 0, 0, 1)


async def test_an_example_is_not_used_after_its_last_day(engine: AsyncEngine, embedder: MiniLM, kept: Examples) -> None:
    await kept.save("When do deploys run?", "On Tuesdays.", PUBLIC, "U0MAYA", valid_until=NOW.date())
    assert await near(kept, embedder, "When do deploys run?") == ["On Tuesdays."]
    tomorrow = at(engine, embedder, NOW + timedelta(days=1))
    assert await near(tomorrow, embedder, "When do deploys run?") == []
    assert await tomorrow.all(MEMBERS) == ()
    (listed,) = await tomorrow.listed(MEMBERS)
    assert listed.has_ended(tomorrow.today())


async def test_a_retired_example_is_never_used_and_can_be_brought_back(kept: Examples, embedder: MiniLM) -> None:
    one = await saved(kept)
    await kept.retire(one.id, MAYA, "We deploy at any time now.")
    assert await near(kept, embedder, one.question) == []
    found = await as_it_is(kept, one.id)
    assert found.retired is not None
    assert (found.retired.by, found.retired.why, found.retired.at) == ("U0MAYA", "We deploy at any time now.", NOW)
    await kept.restore(one.id, MAYA)
    assert await near(kept, embedder, one.question) == ["On Tuesdays."]
    assert (await as_it_is(kept, one.id)).retired is None


async def test_prompts_are_counted_once_each_and_thumbs_as_they_stand(kept: Examples, engine: AsyncEngine) -> None:
    one, other = await saved(kept), await saved(kept, "Where is the canteen?", "Downstairs.")
    for id in ("q1", "q2"):
        await answered(engine, id)
        await kept.used(id, [one.id])
        await kept.used(id, [one.id])
    thumbs = Feedback(engine)
    await thumbs.give("q1", "U0LEO", 1)
    await thumbs.give("q1", "U0SAM", -1)
    await thumbs.give("q2", "U0LEO", -1)
    await thumbs.give("q2", "U0LEO", 1)
    found = await as_it_is(kept, one.id)
    assert (found.hits, found.up, found.down) == (2, 2, 1)
    assert (await as_it_is(kept, other.id)).hits == 0


async def test_members_change_what_they_kept_or_reviewed_and_admins_everything(kept: Examples) -> None:
    one = await saved(kept)
    draft = Draft.of("When do deploys run?", "On Wednesdays.", ["ops"])
    with pytest.raises(NotAllowed, match="<@U0MAYA> reviewed this example"):
        await kept.edit(one.id, 1, draft, LEO)
    with pytest.raises(NotAllowed):
        await kept.retire(one.id, LEO)
    changed = await kept.edit(one.id, 1, draft, ADMIN)
    assert (changed.example.answer, changed.example.saved_by, changed.kept_by) == ("On Wednesdays.", "U0ADA", "U0MAYA")
    await kept.edit(one.id, 2, draft, MAYA)
    outsider = Editor("U0GUEST", frozenset({"outsiders"}), admin=True)
    with pytest.raises(UnknownExample):
        await kept.retire(one.id, outsider)


async def test_of_two_who_change_an_example_at_once_the_second_is_told(kept: Examples) -> None:
    one = await saved(kept)
    await kept.edit(one.id, 1, Draft.of("When?", "On Wednesdays."), MAYA)
    with pytest.raises(ChangedMeanwhile):
        await kept.edit(one.id, 1, Draft.of("When?", "On Fridays."), ADMIN)
    assert (await as_it_is(kept, one.id)).example.answer == "On Wednesdays."


async def test_a_change_is_seen_by_other_processes_and_stands_in_the_audit_log(
    engine: AsyncEngine, embedder: MiniLM, kept: Examples
) -> None:
    one, elsewhere = await saved(kept), at(engine, embedder)
    assert await near(elsewhere, embedder, "When do deploys run?") == ["On Tuesdays."]
    await kept.edit(one.id, 1, Draft.of("When do deploys run?", "On Wednesdays."), MAYA)
    assert await near(elsewhere, embedder, "When do deploys run?") == ["On Wednesdays."]
    await kept.retire(one.id, MAYA, "Old.")
    assert await near(elsewhere, embedder, "When do deploys run?") == []
    entries = [(entry.action, entry.after, entry.who) for entry in await Audit(engine).entries()]
    assert entries[:2] == [("example retired", "", "U0MAYA"), ("example changed", "answer", "U0MAYA")]


async def test_a_flag_weighs_an_example_down_until_somebody_has_looked(kept: Examples, embedder: MiniLM) -> None:
    one = await saved(kept)
    await saved(kept, "When do the deploys run here?", "Ask the release team.")
    question = "When do deploys run?"
    assert (await near(kept, embedder, question))[0] == "On Tuesdays."
    assert await kept.flag(one.id, "It may be out of date: Deploys says “On Mondays.”", "refresh")
    assert not await kept.flag(one.id, "Something else.", "recall")
    assert (await near(kept, embedder, question)) == ["Ask the release team.", "On Tuesdays."]
    found = await as_it_is(kept, one.id)
    assert found.flag is not None
    assert found.flag.why.startswith("It may be out of date")
    await kept.confirm(one.id, MAYA)
    assert (await near(kept, embedder, question))[0] == "On Tuesdays."


async def test_of_many_examples_with_one_answer_others_are_shown_too(kept: Examples, embedder: MiniLM) -> None:
    for question in (
        "reset my PIN",
        "reset the PIN",
        "resetting a PIN",
        "PIN reset",
        "reset PIN please",
        "my PIN reset",
    ):
        await saved(kept, f"How do I {question}?", "In the app, under Security.")
    await saved(kept, "How do I unblock my PIN?", "Call us.")
    await saved(kept, "How do I see my PIN?", "In the app, under Cards.")
    vector = await embedder.embed_query("How do I reset my PIN?")
    everything = (await kept.nearest(vector, MEMBERS, 8)).examples
    nearest = sorted(everything, key=lambda one: -one.similarity)[:5]
    assert {one.answer for one in nearest} == {"In the app, under Security."}
    shown = await near(kept, embedder, "How do I reset my PIN?")
    assert shown[0] == "In the app, under Security."
    assert "Call us." in shown


async def test_the_selector_is_told_of_the_nearest_whichever_are_chosen(kept: Examples, embedder: MiniLM) -> None:
    for question in ("reset my PIN", "reset the PIN", "unblock my PIN", "see my PIN", "change my PIN", "get a card"):
        await saved(kept, f"How do I {question}?", "So.")
    vector = await embedder.embed_query("How do I reset my PIN?")
    found, everything = await kept.nearest(vector, MEMBERS, 2), await kept.nearest(vector, MEMBERS, 6)
    assert list(found.near) == sorted((one.similarity for one in everything.examples), reverse=True)[:4]
    assert len(found.examples) == 2


async def test_one_that_asks_the_same_is_found_for_the_same_readers_alone(kept: Examples) -> None:
    one = await saved(kept, "When do deploys run in 2026?")
    for asked in ("Hello, when do deploys run in 2026? Thanks!", "WHEN do  deploys run in 2026"):
        found = await kept.like(asked, PUBLIC)
        assert found is not None
        assert found.example.id == one.id
    for other in ("When do deploys run in 2027?", "When do deploys not run in 2026?", "Where is the canteen?"):
        assert await kept.like(other, PUBLIC) is None
    assert await kept.like("When do deploys run in 2026?", {"channel:C1"}) is None
    await kept.retire(one.id, MAYA)
    assert await kept.like("When do deploys run in 2026?", PUBLIC) is None


async def test_secrets_in_any_part_of_an_example_are_masked(kept: Examples, engine: AsyncEngine) -> None:
    secret = "ghp_" + "a1B2" * 9
    one = await kept.save(f"What is {secret}?", f"It is {secret}.", PUBLIC, "U0MAYA", tags=(secret,))
    assert secret not in str(await kept.one(one.id))
    async with engine.connect() as connection:
        assert secret not in str((await connection.execute(sa.select(table))).all())


def test_what_is_wrong_with_a_draft_is_said_in_words() -> None:
    draft = Draft.of(" ", "x" * 3001, ["t" * 200, *map(str, range(10))], date(2026, 1, 1))
    assert list(draft.wrong(date(2026, 1, 2))) == [
        ("question", "has no question"),
        ("answer", "has 3,001 characters in its answer, and 3,000 fit"),
        ("tags", "has 11 tags, and 10 fit"),
        ("tags", "has a tag of 200 characters (“tttttttttttttttttttt…”), and 40 fit"),
        ("valid_until", "ended on 2026-01-01, which is past"),
    ]
    assert list(Draft.of("How?", "So.", valid_until=date(2026, 1, 2)).wrong(date(2026, 1, 2))) == []


async def take_in(kept: Examples, *pairs: tuple[str, str], by: Editor = MAYA, tags: tuple[str, ...] = ()) -> Steps:
    return await kept.take_in([Draft.of(question, answer, tags) for question, answer in pairs], PUBLIC, by)


async def test_an_import_merges_what_asks_the_same_and_keeps_what_is_known_of_it(
    kept: Examples, engine: AsyncEngine
) -> None:
    one = await kept.save("When do deploys run?", "On Tuesdays.", PUBLIC, "U0MAYA", tags=("ops",))
    await answered(engine, "q1")
    await kept.used("q1", [one.id])
    await kept.flag(one.id, "It may be out of date.", "refresh")
    done = await take_in(
        kept,
        ("Hi, when do deploys run", "On Wednesdays."),
        ("Where is the canteen?", "Downstairs."),
        ("where is the CANTEEN", "Upstairs."),
        ("When do deploys not run?", "On Fridays."),
        tags=("deploys",),
    )
    assert done.merged == 2
    listed = {each.example.question: each for each in await kept.listed(MEMBERS)}
    assert set(listed) == {"When do deploys run?", "where is the CANTEEN", "When do deploys not run?"}
    merged = listed["When do deploys run?"]
    assert (merged.example.id, merged.example.answer, merged.hits) == (one.id, "On Wednesdays.", 1)
    assert (merged.example.tags, merged.flag) == (("ops", "deploys"), None)
    assert listed["where is the CANTEEN"].example.answer == "Upstairs."
    again = await take_in(kept, ("Where is the canteen?", "Upstairs."))
    assert (again.merged, len(await kept.listed(MEMBERS))) == (1, 3)


async def test_a_merged_answer_is_what_a_question_finds(kept: Examples, embedder: MiniLM) -> None:
    await saved(kept)
    await take_in(kept, ("When do deploys run?", "On Wednesdays."))
    assert await near(kept, embedder, "When do deploys run?") == ["On Wednesdays."]


async def test_an_import_changes_nothing_that_somebody_else_reviewed_or_that_is_for_others(kept: Examples) -> None:
    await saved(kept)
    done = await take_in(kept, ("When do deploys run?", "Never."), by=LEO)
    assert (list(done.others), done.steps) == ([0], [])
    assert [one.example.answer for one in await kept.listed(MEMBERS)] == ["On Tuesdays."]
    await kept.take_in([Draft.of("When do deploys run?", "Never.")], frozenset({"channel:C1"}), LEO)
    assert len(await kept.listed(None)) == 2
    await take_in(kept, ("When do deploys run?", "On Mondays."), by=ADMIN)
    assert [one.example.answer for one in await kept.listed(MEMBERS)] == ["On Mondays."]
