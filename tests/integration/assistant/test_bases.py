from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.bases import Bases
from bot.conversations import Conversations
from bot.domain import (
    Audience,
    Choice,
    Citation,
    Evidence,
    Example,
    Option,
    Place,
    PlaceKind,
    Price,
    Question,
    Receipt,
    StrategyName,
    Turn,
)
from bot.selection.questions import Questions
from knowledge.access import MEMBERS, to_key
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.documents import Also, Passage, document_id
from knowledge.schema import documents, sources

NOW = datetime(2026, 11, 21, tzinfo=UTC)
IN_C1, OUTSIDE = MEMBERS | {"channel:C1"}, frozenset({"outsiders", "channel:C1"})
ALL, MINE = "page for everyone", "page for C1"


@pytest.fixture
async def bases(engine: AsyncEngine) -> Bases:
    """Bases over two documents, one for everyone and one for a channel."""
    async with engine.begin() as connection:
        await connection.execute(sa.insert(sources).values(name="s", kind="folder"))
    await put(engine, ALL, "everyone")
    await put(engine, MINE, "channel:C1")
    return Bases(engine, Contents(Database(engine)))


async def put(engine: AsyncEngine, path: str, *readers: str) -> None:
    """Gives a document other readers."""
    async with engine.begin() as connection:
        id, who = document_id("s", path), to_key(frozenset(readers))
        await connection.execute(sa.delete(documents).where(documents.c.id == id))
        row = {"id": id, "source": "s", "path": path, "version": "1", "title": path, "digest": "d", "readers": who}
        await connection.execute(sa.insert(documents).values(**row))


def passage(path: str, also: tuple[Also, ...] = ()) -> Passage:
    return Passage(
        chunk_id="1",
        document_id=document_id("s", path),
        source="s",
        title=path,
        heading=(),
        text="text",
        url=None,
        updated=None,
        score=1.0,
        similarity=1.0,
        lexical=1.0,
        also=also,
        path=path,
    )


def question(id: str, audience: Audience | None = None, history: tuple[Turn, ...] = ()) -> Question:
    place = Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL, thread="1.0")
    audience = audience or Audience.of_channel("C1")
    return Question(id=id, text="?", asker="U1", place=place, audience=audience, asked_at=NOW, history=history)


async def test_an_answer_is_for_those_who_may_read_all_that_it_rests_on_now(engine: AsyncEngine, bases: Bases) -> None:
    also = (Also(ALL, None, "s", ALL),)
    await bases.keep(question("both"), Evidence(passages=(passage(MINE, also),)))
    await bases.keep(question("own"), Evidence(passages=(passage(MINE),)))
    await bases.keep(question("nothing"), Evidence())
    asked = {"both", "own", "nothing", "unknown"}
    assert await bases.answers_for(asked, IN_C1) == {"both", "own", "nothing"}
    assert await bases.answers_for(asked, OUTSIDE) == {"own", "nothing"}
    assert await bases.answers_for(asked, MEMBERS) == {"nothing"}
    await put(engine, MINE, "user:U9")
    assert await bases.answers_for(asked, IN_C1) == {"nothing"}
    assert await bases.answers_for(asked, frozenset()) == frozenset()


async def test_of_a_document_that_is_gone_the_readers_of_then_count(engine: AsyncEngine, bases: Bases) -> None:
    await bases.keep(question("q"), Evidence(passages=(passage(MINE),)))
    await bases.keep(question("late"), Evidence(passages=(passage("was gone before"),)))
    await put(engine, MINE, "user:U9")
    after = question("closed since", history=(Turn("assistant", "…", "", "q"),))
    await bases.keep(after, Evidence(passages=(passage(MINE),)))
    async with engine.begin() as connection:
        await connection.execute(sa.delete(documents))
    answers = {"q", "late", "closed since"}
    assert await bases.answers_for(answers, IN_C1) == {"q"}
    assert await bases.answers_for(answers, MEMBERS) == frozenset()
    assert await bases.answers_for(answers, MEMBERS | {"user:U9"}) == {"closed since"}


async def test_what_an_answer_leant_on_is_handed_down(bases: Bases) -> None:
    await bases.keep(question("q1"), Evidence(passages=(passage(MINE),)))
    await bases.copy("q1", "e1")
    example = Example(id="e1", question="?", answer="!", readers=frozenset({"everyone"}))
    await bases.keep(question("q2", history=(Turn("assistant", "…", "", "q1"),)), Evidence())
    await bases.keep(question("q3"), Evidence(examples=(example,)))
    await bases.keep(question("q4"), Evidence(examples=(replace(example, id="e2", readers=frozenset({"user:U1"})),)))
    answers = {"q1", "q2", "q3", "q4"}
    assert await bases.answers_for(answers, MEMBERS) == frozenset()
    assert await bases.answers_for(answers, IN_C1) == {"q1", "q2", "q3"}
    assert await bases.closed({"e1", "e2"}, MEMBERS) == {"e1"}
    assert await bases.closed({"e1", "e2"}, IN_C1) == frozenset()


async def test_an_answer_of_before_bases_were_kept_is_for_those_who_have_all_that_its_audience_had(
    engine: AsyncEngine, bases: Bases
) -> None:
    await Questions(engine).keep(question("old", Audience(frozenset({"everyone", "channel:C1"}))))
    assert await bases.answers_for({"old"}, IN_C1) == {"old"}
    assert await bases.answers_for({"old"}, OUTSIDE) == frozenset()


async def test_a_thread_forgets_the_answers_that_its_new_readers_may_not_read(
    engine: AsyncEngine, bases: Bases
) -> None:
    memory = Conversations(engine, bases)
    await bases.keep(question("q1"), Evidence(passages=(passage(ALL),)))
    await bases.keep(question("q2"), Evidence(passages=(passage(MINE),)))
    for ts, role, id in (
        ("1", "user", "q1"),
        ("2", "assistant", "q1"),
        ("3", "assistant", "q2"),
        ("4", "assistant", None),
    ):
        await memory.record("C1", "1", ts, "user" if role == "user" else "assistant", "", f"said {ts}", id)
    assert [turn.text for turn in await memory.turns("C1", "1", IN_C1)] == ["said 1", "said 2", "said 3", "said 4"]
    assert [turn.text for turn in await memory.turns("C1", "1", OUTSIDE)] == ["said 1", "said 3", "said 4"]
    assert [turn.question for turn in await memory.turns("C1", "1", IN_C1)] == ["", "q1", "q2", ""]


async def test_a_receipt_shows_the_sources_that_its_reader_may_read_now(engine: AsyncEngine, bases: Bases) -> None:
    await bases.keep(question("q"), Evidence(passages=(passage(ALL), passage(MINE))))
    option = Option(strategy=StrategyName.RAG, model="m", quality=1.0, cost=None, latency=1.0, utility=1.0)
    reasons = ("It is the cheapest.", "The documents split between “A” and “B”, so I asked which is meant.")
    cited = tuple(
        Citation(number=n, title=path, url=None, source="s", updated=None, quote="", document=document_id("s", path))
        for n, path in enumerate((ALL, MINE), 1)
    )
    receipt = Receipt(
        question_id="q",
        choice=Choice(option=option, options=(option,), reasons=reasons),
        citations=cited,
        usage=None,
        price=Price(amount=Decimal(0), version=None),
        seconds=1.0,
        outcome="answered",
        created_at=NOW,
    )
    assert await bases.receipt_for(receipt, IN_C1) == (receipt, 0)
    shown, left_out = await bases.receipt_for(receipt, OUTSIDE)
    assert ([each.title for each in shown.citations], left_out) == ([MINE], 1)
    assert shown.choice.reasons == reasons[:1]
    old = replace(receipt, citations=tuple(replace(each, document="") for each in cited))
    assert (await bases.receipt_for(old, IN_C1))[1] == 0
    assert (await bases.receipt_for(old, OUTSIDE))[1] == 2
