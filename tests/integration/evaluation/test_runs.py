"""Runs, answers and liked answers in both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.bases import Bases
from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.domain import Audience, Place, PlaceKind, Price, StrategyName, Usage
from bot.errors import RunNotFound, UnusableGolden
from bot.evaluation.agreement import Judged, with_people
from bot.evaluation.golden import Golden, asked
from bot.evaluation.judge import POSTPONED
from bot.evaluation.matrix import Cell, Matrix, Row, Way
from bot.evaluation.run import Run
from bot.evaluation.runs import Kept, Runs, Weighed
from bot.evaluation.thumbs import golden_from_thumbs
from bot.learning.feedback import Feedback
from bot.learning.labels import Labels, Signal
from bot.selection.channels import Channels
from bot.selection.questions import Questions
from bot.storage.tables import questions
from knowledge.contents import Contents
from knowledge.database import Database

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
RAG = Way(StrategyName.RAG, "m")
ZERO = Way(StrategyName.ZERO_SHOT, "m")
GOLDEN = (
    Golden(id="a", question="Who?", answers=("Ana", "Anna"), group="people"),
    Golden(id="b", question="Where?", sources=("a.md",), rubric="x", group="places", strategy=StrategyName.RAG),
)
RUN = Run(
    id="r1",
    name="first",
    started=NOW,
    source="golden.jsonl",
    data="d",
    questions=2,
    index="i",
    models={"m": "p/m"},
    prompts="p",
    scorers=("exact", "judge"),
    judge="j",
    audience=("channel:C1", "everyone"),
    settings={"a": "b"},
    budget=Decimal("0.10"),
)


def bases_of(engine: AsyncEngine) -> Bases:
    return Bases(engine, Contents(Database(engine)))


async def test_a_run_is_kept_and_loaded_as_it_was(engine: AsyncEngine) -> None:
    runs = Runs(engine)
    await runs.start(RUN, (RAG, ZERO), GOLDEN)
    weighed = Weighed(
        features={"lead": 0.25},
        chosen=RAG,
        expected={RAG: 0.5, ZERO: 0.25},
        paid={RAG: 0.02},
        tuned={"tuned": 0.75},
        left_out=2,
        milliseconds=1.5,
        absent=True,
        otherwise={"Who?": RAG, "who?": None},
    )
    await runs.keep_weighed("r1", "a", weighed)
    cell = Cell(quality=0.5, scores={"f1": 0.5}, cost=Decimal("0.000000123"), seconds=1.5, answer="Ana, I th\0ink.")
    await runs.keep("r1", "a", RAG, Kept(replace(cell, quality=None)))
    await runs.keep("r1", "a", RAG, Kept(cell, "why"))
    await runs.keep("r1", "b", ZERO, Kept(Cell(quality=None, outcome="not run"), "no money"))
    record = await runs.load("r1")
    assert record.run == RUN
    assert record.golden == GOLDEN
    assert record.left_out == 2
    assert (record.absent, record.decision_ms) == (frozenset({"a"}), (1.5,))
    assert record.otherwise == {"a": {"Who?": RAG, "who?": None}}
    assert record.details == {("a", RAG): "why", ("b", ZERO): "no money"}
    assert record.matrix == Matrix(
        rows=(
            Row(
                id="a",
                text="Who?",
                group="people",
                features={"lead": 0.25},
                chosen=RAG,
                expected={RAG: 0.5, ZERO: 0.25},
                paid={RAG: 0.02},
                tuned={"tuned": 0.75},
            ),
            Row(id="b", text="Where?", group="places"),
        ),
        ways=(RAG, ZERO),
        cells={
            ("a", RAG): replace(cell, answer="Ana, I think."),
            ("b", ZERO): Cell(quality=None, outcome="not run"),
        },
    )


async def test_what_is_chosen_again_takes_the_place_of_what_was_chosen_and_leaves_the_rest(engine: AsyncEngine) -> None:
    runs = Runs(engine)
    await runs.start(RUN, (RAG, ZERO), GOLDEN)
    weighed = Weighed(
        features={"lead": 0.25},
        chosen=RAG,
        expected={RAG: 0.5},
        paid={RAG: 0.02},
        tuned={},
        left_out=1,
        milliseconds=1.5,
        absent=True,
        otherwise={"Who?": RAG},
    )
    await runs.keep_weighed("r1", "a", weighed)
    before = await runs.load("r1")
    again = [replace(row, chosen=ZERO, expected={ZERO: 0.75}) for row in before.matrix.rows]
    await runs.choose_again("r1", again)
    after = await runs.load("r1")
    assert after.matrix.rows[0] == again[0]
    assert after.matrix.rows[1] == before.matrix.rows[1]
    assert (after.absent, after.otherwise, after.left_out) == (before.absent, before.otherwise, 1)


async def test_an_answer_that_is_still_to_be_judged_is_told_from_one_that_is_done(engine: AsyncEngine) -> None:
    runs = Runs(engine)
    await runs.start(RUN, (RAG, ZERO), GOLDEN)
    await runs.keep("r1", "a", RAG, Kept(Cell(quality=None), f"{POSTPONED}no money"))
    await runs.keep("r1", "a", ZERO, Kept(Cell(quality=None), "nonsense"))
    assert await runs.outcomes("r1") == {("a", RAG): "not judged", ("a", ZERO): "answered"}


async def test_what_a_run_spent_is_the_sum_of_its_calls_in_the_ledger(engine: AsyncEngine) -> None:
    runs, ledger = Runs(engine), Ledger(engine)
    await runs.start(RUN, (RAG,), GOLDEN)
    usage = Usage(prompt_tokens=1, completion_tokens=1)
    for question, outcome, amount in (
        ("r1-x", "answered", Decimal("0.0000001")),
        ("r1-y", "answered", Decimal("0.02")),
        ("r1-z", "unavailable", None),
        ("r1-z", "rate_limited", None),
        ("r10-x", "answered", Decimal(5)),
        ("r2-x", "answered", None),
    ):
        row = await ledger.open(
            Call(
                question_id=question,
                purpose="evaluate",
                attempt=1,
                provider="p",
                model="m",
                strategy="rag",
                channel="evaluation",
                asker="evaluation",
                started_at=NOW,
            )
        )
        price = Price(amount=amount, version="1")
        await ledger.settle(row, outcome=outcome, seconds=1.0, usage=usage, price=price)
    assert await runs.spent("r1") == (Decimal("0.0200001"), 1)
    done = await runs.finish("r1", finished=NOW, budget=Decimal(1))
    assert (done.spent, done.unpriced, done.finished, done.budget) == (Decimal("0.0200001"), 1, NOW, Decimal(1))


async def test_runs_are_found_by_name_by_id_and_as_the_last(engine: AsyncEngine) -> None:
    runs = Runs(engine)
    with pytest.raises(RunNotFound, match="There is no run “last”"):
        await runs.find("last")
    await runs.start(RUN, (RAG,), GOLDEN)
    later = replace(RUN, id="r2", name="second", started=NOW + timedelta(hours=1))
    await runs.start(later, (RAG,), GOLDEN)
    assert [run.name for run in await runs.all()] == ["second", "first"]
    assert await runs.find("last") == await runs.find("second") == later
    assert await runs.find("r1") == RUN
    with pytest.raises(UnusableGolden, match="called “first” already"):
        await runs.start(replace(RUN, id="r3"), (RAG,), GOLDEN)
    assert len(await runs.all()) == 2


async def answered(
    engine: AsyncEngine,
    id: str,
    text: str,
    answer: str,
    *,
    kind: PlaceKind = PlaceKind.CHANNEL,
    scopes: tuple[str, ...] = ("everyone", "channel:C1"),
) -> None:
    """A question that was answered, one minute after the one before."""
    place = Place(workspace="T1", channel="C1", kind=kind)
    question = replace(asked(text, Audience(frozenset(scopes)), id), place=place, text=text)
    await Questions(engine).keep(question)
    async with engine.begin() as connection:
        await connection.execute(sa.update(questions).where(questions.c.id == id).values(answer=answer))


async def test_liked_answers_become_golden_questions_unless_they_were_taken_back_or_disputed(
    engine: AsyncEngine,
) -> None:
    feedback, labels = Feedback(engine), Labels(engine)
    thumbs: dict[str, tuple[Literal[1, -1], ...]] = {"liked": (1, 1), "back": (1, -1), "down": (-1,), "none": ()}
    for id, given in thumbs.items():
        await answered(engine, id, f"What is {id}?", f"It is {id}.")
        for value in given:
            await feedback.give(id, "U0ANA", value)  # the newest of a person counts
    for id, signal in (("corrected", Signal.CORRECTED), ("disliked", Signal.DOWN)):
        await answered(engine, id, f"What is {id}?", "Wrong.")
        await feedback.give(id, "U0ANA", 1)
        await labels.add(id, "U0BEN", signal)
    golden = await golden_from_thumbs(engine, bases_of(engine), frozenset({"everyone"}))
    assert [(one.id, one.question, one.answers) for one in golden.questions] == [
        ("liked", "What is liked?", ("It is liked.",))
    ]
    assert "2 answers with 👍 were also disliked or corrected by somebody" in golden.problems[0]


async def test_what_was_asked_in_private_is_evaluated_only_for_those_who_asked(engine: AsyncEngine) -> None:
    await answered(engine, "open", "What is open?", "This.")
    await answered(engine, "dm", "What is private?", "That.", kind=PlaceKind.DM, scopes=("everyone", "user:U0ANA"))
    for id in ("open", "dm"):
        await Feedback(engine).give(id, "U0ANA", 1)
    golden = await golden_from_thumbs(engine, bases_of(engine), frozenset({"everyone"}))
    assert [one.id for one in golden.questions] == ["open"]
    assert "1 answer with 👍 was asked in private" in golden.problems[0]
    own = await golden_from_thumbs(engine, bases_of(engine), frozenset({"everyone", "user:U0ANA"}))
    assert {one.id for one in own.questions} == {"open", "dm"}


async def test_what_may_not_leave_this_machine_is_not_evaluated(engine: AsyncEngine) -> None:
    channels = Channels(engine, stay_local=("C2",))
    await channels.set_local("C1", True, "U0ANA")
    assert await channels.staying() == {"C1", "C2"}
    await answered(engine, "stays", "What stays?", "This.")
    await Feedback(engine).give("stays", "U0ANA", 1)
    assert (await golden_from_thumbs(engine, bases_of(engine), frozenset({"everyone"}))).questions
    with pytest.raises(UnusableGolden, match="asked where only some models may be asked"):
        await golden_from_thumbs(engine, bases_of(engine), frozenset({"everyone"}), closed=await channels.staying())


async def test_an_answer_from_files_that_came_with_its_question_is_not_expected_without_them(
    engine: AsyncEngine,
) -> None:
    for id in ("bare", "filed"):
        await answered(engine, id, f"What is {id}?", "This.")
        await Feedback(engine).give(id, "U0ANA", 1)
    async with engine.begin() as connection:
        kept = {"attachments": [{"name": "budget.csv", "mimetype": "text/csv", "size": 9}]}
        await connection.execute(sa.update(questions).where(questions.c.id == "filed").values(receipt=kept))
    golden = await golden_from_thumbs(engine, bases_of(engine), frozenset({"everyone"}))
    assert [one.id for one in golden.questions] == ["bare"]
    assert "1 answer with 👍 was given from files that came with the question" in golden.problems[0]


async def test_of_two_liked_answers_to_one_question_the_newer_one_is_expected(engine: AsyncEngine) -> None:
    await answered(engine, "old", "What is it?", "Before.")
    await answered(engine, "new", "what is it", "After.")
    for id in ("old", "new"):
        await Feedback(engine).give(id, "U0ANA", 1)
    golden = await golden_from_thumbs(engine, bases_of(engine), frozenset({"everyone"}))
    assert [one.answers for one in golden.questions] == [("After.",)]


async def test_without_liked_answers_it_says_so(engine: AsyncEngine) -> None:
    with pytest.raises(UnusableGolden, match="no golden questions in thumbs"):
        await golden_from_thumbs(engine, bases_of(engine), frozenset({"everyone"}))


async def test_people_and_judge_are_compared_on_the_same_answers_alone(engine: AsyncEngine) -> None:
    feedback = Feedback(engine)
    for id, text, thumbs in (
        ("a", "Good?", (1, 1, -1)),
        ("b", "Bad?", (-1,)),
        ("c", "Even?", (1, -1)),
        ("d", "Fine?", (1,)),
    ):
        await answered(engine, id, text, f"Answer  to {text}")
        for number, value in enumerate(thumbs):
            await feedback.give(id, f"U{number}", value)  # type: ignore[arg-type]
    judged = [Judged(text, f"Answer to {text}", score) for text, score in (("Good?", 0.9), ("Bad?", 0.1), ("Even?", 1))]
    found = await with_people(engine, [*judged, Judged("Fine?", "Another answer", 0.0)])
    assert found is not None
    assert (found.n, found.share, found.kappa) == (2, 1.0, 1.0)
    assert await with_people(engine, [Judged("Fine?", "Another answer", 0.0)]) is None
