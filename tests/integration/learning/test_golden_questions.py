"""Golden questions that people kept: who may have them asked, and what they share with the example beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from judging import NOW
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Audit
from bot.bases import Bases
from bot.errors import UnknownGolden, UnusableGolden
from bot.evaluation.team import golden_from_team
from bot.fine_tuning import golden_of
from bot.learning.editor import Editor
from bot.learning.examples import Examples
from bot.learning.flagging import Flagging
from bot.learning.golden_questions import GoldenQuestion, GoldenQuestions
from bot.learning.reviewed import Draft
from bot.storage.golden_table import golden_questions
from knowledge.access import MEMBERS, PUBLIC
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.embedding.minilm import MiniLM

MAYA = Editor("U0MAYA", MEMBERS)


@pytest.fixture
async def embedder(models_dir: Path) -> AsyncIterator[MiniLM]:
    model = MiniLM(models_dir)
    yield model
    await model.close()


@pytest.fixture
def examples(engine: AsyncEngine, embedder: MiniLM) -> Examples:
    return Examples(engine, embedder, Bases(engine, Contents(Database(engine))), lambda: NOW)


async def put(
    engine: AsyncEngine,
    question_id: str,
    question: str = "When do deploys run?",
    answer: str = "On Tuesdays.",
    *,
    readers: frozenset[str] = PUBLIC,
    channel: str = "C0HELP",
    example_id: str | None = None,
    at: datetime = NOW,
) -> str:
    async with engine.begin() as connection:
        return await GoldenQuestions(engine, lambda: at).put(
            connection,
            Draft.of(question, answer),
            readers,
            question_id=question_id,
            channel=channel,
            source=f"https://team.example/archives/{channel}/p1",
            author="U0SAM",
            by="U0MAYA",
            example_id=example_id,
        )


async def one_of(engine: AsyncEngine, id: str) -> GoldenQuestion:
    (found,) = [one for one in await GoldenQuestions(engine).listed(None) if one.id == id]
    return found


async def test_an_evaluation_takes_what_everyone_may_read_and_nothing_speaks_against(engine: AsyncEngine) -> None:
    kept = GoldenQuestions(engine, lambda: NOW)
    await put(engine, "q1")
    await put(engine, "q2", "Where is the safe?", readers=frozenset({"channel:G0FIN"}), channel="G0FIN")
    await put(engine, "q3", "Where is the canteen?", "Downstairs.")
    gone = await put(engine, "q4", "Who cooks?", "Ana.")
    await put(engine, "q5", "Who drives?", "Leo.", channel="C0SECRET")
    await kept.flag("q3", "Its source has changed.", "answer recall")
    await kept.retire(gone, "U0MAYA", "She left.")
    everything = await kept.listed(None)
    found = golden_from_team(everything, PUBLIC, closed=["C0SECRET"])
    assert [(one.id, one.question, one.answers) for one in found.questions] == [
        ("q1", "When do deploys run?", ("On Tuesdays.",))
    ]
    assert found.problems == (
        "1 golden question may be out of date and was left out: `switchboard golden list --flagged` shows why.",
        "1 golden question was kept for fewer people and left out; --as names whose they may be.",
        "1 golden question was asked where only some models may be asked and left out.",
    )
    finance = golden_from_team(everything, PUBLIC | {"channel:G0FIN"})
    assert {one.id for one in finance.questions} == {"q1", "q2", "q5"}
    assert await kept.listed(frozenset({"outsiders"})) == []
    with pytest.raises(UnusableGolden, match=r"Mark as the answer.*\n1 golden question"):
        golden_from_team([one for one in everything if one.question_id == "q2"], PUBLIC)


async def test_of_several_answers_to_one_question_any_will_do(engine: AsyncEngine) -> None:
    await put(engine, "q1", "When do deploys run?", "On Tuesdays.")
    await put(engine, "q2", "when do deploys run", "On Thursdays.", at=NOW + timedelta(hours=1))
    found = golden_from_team(await GoldenQuestions(engine).listed(None), PUBLIC)
    assert [(one.id, one.answers) for one in found.questions] == [("q2", ("On Thursdays.", "On Tuesdays."))]


async def test_a_golden_question_goes_with_the_example_that_was_kept_with_it(
    engine: AsyncEngine, examples: Examples
) -> None:
    one = await examples.save("When do deploys run?", "On Tuesdays.", PUBLIC, "U0MAYA")
    id, alone = await put(engine, "q1", example_id=one.id), await put(engine, "q2")
    await examples.flag(one.id, "It may be out of date: Deploys says “On Mondays.”", "refresh", "d1")
    flag = (await one_of(engine, id)).flag
    assert flag is not None
    assert (flag.by, flag.document) == ("refresh", "d1")
    await examples.confirm(one.id, Editor("U0ADA", MEMBERS, admin=True))
    assert ((await one_of(engine, id)).flag, (await one_of(engine, id)).reviewed_by) == (None, "U0ADA")
    version = 3
    await examples.edit(one.id, version, Draft.of("When may we deploy?", "On Mondays."), MAYA)
    assert ((await one_of(engine, id)).question, (await one_of(engine, id)).answer) == (
        "When may we deploy?",
        "On Mondays.",
    )
    await examples.retire(one.id, MAYA, "We deploy at any time now.")
    assert (await one_of(engine, id)).retired is not None
    await examples.restore(one.id, MAYA)
    assert (await one_of(engine, id)).retired is None
    await examples.take_in([Draft.of("When may we deploy?", "On Fridays.")], PUBLIC, MAYA)
    assert (await one_of(engine, id)).answer == "On Fridays."
    untouched = await one_of(engine, alone)
    assert (untouched.answer, untouched.flag, untouched.retired) == ("On Tuesdays.", None, None)


async def test_a_changed_passage_flags_what_was_kept_as_answer_to_that_question(
    engine: AsyncEngine, examples: Examples
) -> None:
    kept = GoldenQuestions(engine, lambda: NOW)
    beside = await put(engine, "q1")
    alone, other = await put(engine, "q1", "Since when?", "March."), await put(engine, "q2", "Who cooks?", "Ana.")
    flagging = Flagging(engine, examples, kept)
    for _ in range(2):
        await flagging.answer("q1", "Its source “Deploys” has changed.", "d1")
    flags = {id: (await one_of(engine, id)).flag for id in (beside, alone, other)}
    assert {id: flag.why for id, flag in flags.items() if flag} == {
        beside: "Its source “Deploys” has changed.",
        alone: "Its source “Deploys” has changed.",
    }
    await kept.confirm(alone, "U0MAYA")
    assert (await one_of(engine, alone)).flag is None
    with pytest.raises(UnknownGolden):
        await kept.confirm(alone, "U0MAYA")
    entries = [entry.action for entry in await Audit(engine).entries()]
    assert entries == [
        "golden question confirmed",
        "golden question flagged",
        "golden question flagged",
    ]


async def test_golden_questions_that_people_kept_are_never_trained_on(engine: AsyncEngine) -> None:
    id = await put(engine, "q1")
    retired = await put(engine, "q2", "Who cooks?", "Ana.")
    kept = GoldenQuestions(engine, lambda: NOW)
    await kept.flag("q1", "Its source has changed.", "answer recall")
    await kept.retire(retired, "U0MAYA")
    assert await golden_of(engine) == ["When do deploys run?"]
    await kept.restore(retired, "U0MAYA")
    assert await golden_of(engine) == ["When do deploys run?", "Who cooks?"]
    assert (await one_of(engine, id)).flag is not None


async def test_secrets_are_masked_before_they_are_kept(engine: AsyncEngine) -> None:
    token = "ghp_" + "a1B2" * 9
    await put(engine, "q1", f"Is {token} valid?", f"Yes, {token} is.")
    async with engine.connect() as connection:
        (row,) = (await connection.execute(sa.select(golden_questions))).all()
    assert token not in f"{row.question} {row.answer}"
