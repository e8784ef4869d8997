"""Marks: one a message, one card, kept once, whoever presses in whichever process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from judging import NOW
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Audit
from bot.bases import Bases
from bot.learning.examples import Examples
from bot.learning.flagging import Flagging
from bot.learning.golden_questions import GoldenQuestions
from bot.learning.marks import Made, Mark, Marks
from bot.learning.reviewed import Draft
from bot.storage.mark_table import marks as table
from bot.worker import Worker
from knowledge.access import MEMBERS, PUBLIC
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.embedding.minilm import MiniLM

ALL: dict[Made, frozenset[str]] = {"example": PUBLIC, "golden": PUBLIC, "document": PUBLIC}
DRAFT = Draft.of("When do deploys run?", "On Tuesdays.")


@pytest.fixture
async def embedder(models_dir: Path) -> AsyncIterator[MiniLM]:
    model = MiniLM(models_dir)
    yield model
    await model.close()


@pytest.fixture
async def house(engine: AsyncEngine, embedder: MiniLM) -> AsyncIterator[list[Marks]]:
    """The marks of two processes on one database."""
    found, running = [], [Worker(engine, alone=False) for _ in range(2)]
    for worker in running:
        await worker.start()
        examples = Examples(engine, embedder, Bases(engine, Contents(Database(engine))), lambda: NOW)
        found.append(Marks(engine, worker, lambda: NOW, examples, GoldenQuestions(engine, lambda: NOW)))
    yield found
    for worker in running:
        await worker.close()


async def mark(marks: Marks, by: str = "U0LEO") -> Mark:
    return await marks.mark("C0HELP", "2.0", thread="1.0", question_id="q1", author="U0SAM", by=by)


async def test_a_message_has_one_mark_and_one_process_posts_its_card(house: list[Marks], engine: AsyncEngine) -> None:
    first, second = house
    found = await asyncio.gather(*(mark(each, by) for each, by in ((first, "U0LEO"), (second, "U0MAYA"))))
    assert found[0] == found[1]
    claims = await asyncio.gather(*(each.claim(found[0].id) for each in (first, second, first, second)))
    assert sorted(claims) == [False, False, False, True]
    async with engine.begin() as connection:  # whoever had it is dead
        await connection.execute(sa.update(table).values(worker="gone"))
    claims = await asyncio.gather(*(each.claim(found[0].id) for each in house))
    assert sorted(claims) == [False, True]
    await first.posted(found[0].id, "3.0")
    assert not await second.claim(found[0].id)


async def test_whoever_is_first_keeps_it_and_nobody_after(house: list[Marks], engine: AsyncEngine) -> None:
    one = await mark(house[0])
    ended = await asyncio.gather(
        *(each.keep(one, f"U{n}", DRAFT, ALL, source="link") for n, each in enumerate([*house, *house]))
    )
    assert sorted(ended) == [False, False, False, True]
    now = await house[0].get(one.id)
    assert now is not None
    assert (now.state, now.decided_by, now.document) == ("kept", f"U{ended.index(True)}", "wanted")
    (golden,) = await GoldenQuestions(engine).listed(None)
    assert (golden.id, golden.author, golden.reviewed_by) == (now.golden_id, "U0SAM", now.decided_by)
    entries = [entry.action for entry in await Audit(engine).entries()]
    assert entries == ["answer kept", "example saved"]
    await house[1].put_off(one, "U0MAYA")
    await house[1].withdraw(one.id)
    assert (await mark(house[1], "U0MAYA")).state == "kept"


async def test_a_card_that_was_opened_anew_is_decided_by_its_new_buttons_alone(house: list[Marks]) -> None:
    marks = house[0]
    old = await mark(marks)
    await marks.withdraw(old.id)
    assert not await marks.keep(old, "U0LEO", DRAFT, {"golden": PUBLIC}, source="")
    new = await mark(marks, "U0MAYA")
    assert (new.id, new.times, new.marked_by, new.state) == (old.id, 2, "U0MAYA", "open")
    assert not await marks.keep(old, "U0LEO", DRAFT, {"golden": PUBLIC}, source="")
    assert await marks.keep(new, "U0LEO", DRAFT, {"golden": PUBLIC}, source="")


async def test_where_keeping_fails_nothing_of_it_stays(
    house: list[Marks], engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await mark(house[0])

    async def fails(*_: object, **__: object) -> str:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(GoldenQuestions, "put", fails)
        with pytest.raises(RuntimeError):
            await house[0].keep(one, "U0LEO", DRAFT, ALL, source="")
    assert await house[0].get(one.id) == one
    assert not await Audit(engine).entries()
    assert await house[0].keep(one, "U0LEO", DRAFT, ALL, source="")


async def test_an_example_that_was_kept_without_a_golden_question_is_flagged_too(
    house: list[Marks], engine: AsyncEngine, embedder: MiniLM
) -> None:
    one = await mark(house[0])
    await house[0].keep(one, "U0LEO", DRAFT, {"example": PUBLIC}, source="")
    examples = Examples(engine, embedder, Bases(engine, Contents(Database(engine))), lambda: NOW)
    await Flagging(engine, examples, GoldenQuestions(engine)).answer("q1", "Its source “Deploys” has changed.", "d1")
    (found,) = await examples.listed(MEMBERS)
    assert found.flag is not None
    assert "Deploys" not in found.flag.why
