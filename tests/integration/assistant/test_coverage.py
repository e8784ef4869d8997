"""Questions that found no answer, by topic: real vectors, both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.people.coverage import Coverage
from bot.people.hand_offs import HandOffs
from bot.people.owners import Owners
from bot.storage.recall_tables import leanings
from bot.storage.tables import feedback, questions
from bot.worker import Worker
from knowledge.access import MEMBERS, OUTSIDERS
from knowledge.embedding.minilm import MiniLM

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
VPN = ("Why is my VPN certificate expired?", "How do I renew the VPN certificate?", "The VPN certificate is not valid")
LUNCH = ("What is for lunch in the canteen?", "When does the canteen open for lunch?")


@pytest.fixture
async def coverage(engine: AsyncEngine, models_dir: Path) -> Coverage:
    owners = Owners(engine, lambda: NOW, {})
    await owners.set("channel", "C0NET", "U0SAM", "U0MAYA")
    handed = HandOffs(engine, Worker(engine), lambda: NOW, hours=4, zone=ZoneInfo("UTC"))
    return Coverage(engine, MiniLM(models_dir), owners, handed)


async def put(
    engine: AsyncEngine, text: str, *, days: float = 1, channel: str = "C0NET", kind: str = "channel", outcome: str = ""
) -> None:
    """A question that nothing was found for, unless something else is said."""
    asked_at = NOW - timedelta(days=days)
    row: dict[str, Any] = {
        "id": f"{text[:20]}{days}{channel}",
        "text": text,
        "asker": "U0LEO",
        "workspace": "T1",
        "channel": channel,
    }
    row |= {"place_kind": kind, "private": False, "asked_at": asked_at, "scopes": ["everyone"], "answer": "x"}
    async with engine.begin() as connection:
        receipt = {"outcome": outcome or "nothing_found"}
        await connection.execute(sa.insert(questions).values(**row, receipt=receipt))
        if outcome == "answered":
            thumb = {"question_id": row["id"], "person": "U0LEO", "value": -1, "given_at": asked_at}
            await connection.execute(sa.insert(feedback).values(thumb))


async def test_questions_that_found_nothing_are_put_together_by_meaning_and_named_by_their_words(
    engine: AsyncEngine, coverage: Coverage
) -> None:
    for number, text in enumerate(VPN):
        await put(engine, text, days=1 + number)
    await put(engine, VPN[0], days=9)
    await put(engine, LUNCH[0], channel="C0FUN")
    await put(engine, LUNCH[1], channel="C0FUN", outcome="answered")
    vpn, lunch = await coverage.topics(NOW, MEMBERS)
    assert (vpn.count, vpn.before, vpn.owner, vpn.example) == (3, 1, "U0SAM", VPN[0])
    assert vpn.name.split(", ")[:2] == ["certificate", "vpn"]
    assert (lunch.count, lunch.before, lunch.owner) == (2, 0, None)
    assert {"canteen", "lunch"} <= set(lunch.name.split(", "))


async def test_of_questions_that_were_asked_in_private_nothing_is_shown_but_how_many(
    engine: AsyncEngine, coverage: Coverage
) -> None:
    await put(engine, "Why was Leo dismissed on Friday?", kind="private_channel", channel="G0HR")
    await put(engine, "Why did they dismiss Leo on Friday?", kind="dm", channel="D0LEO")
    (topic,) = await coverage.topics(NOW, MEMBERS)
    assert (topic.name, topic.example, topic.count, topic.owner) == ("", "", 2, None)
    assert "dismiss" in str(await coverage.topics(NOW, None))


async def test_people_from_outside_see_no_words_of_public_channels_either(
    engine: AsyncEngine, coverage: Coverage
) -> None:
    await put(engine, VPN[0])
    (topic,) = await coverage.topics(NOW, frozenset({OUTSIDERS, "channel:C0NET"}))
    assert (topic.name, topic.example, topic.count, topic.owner) == ("", "", 1, None)


async def test_a_public_question_without_a_telling_word_is_not_called_private(
    engine: AsyncEngine, coverage: Coverage
) -> None:
    await put(engine, "How is it?")
    (topic,) = await coverage.topics(NOW, MEMBERS)
    assert (topic.name, topic.example) == ("something else", "How is it?")


async def test_a_week_in_which_all_was_answered_has_no_topics(engine: AsyncEngine, coverage: Coverage) -> None:
    await put(engine, VPN[0], days=8)
    assert await coverage.topics(NOW, MEMBERS) == []


async def test_whoever_looks_after_the_source_of_an_answer_is_asked_where_its_channel_has_nobody(
    engine: AsyncEngine, models_dir: Path
) -> None:
    owners = Owners(engine, lambda: NOW, {"handbook": "U0LEO", "menus": "U0LEO"})
    await owners.set("source", "menus", "U0SAM", "U0MAYA")
    handed = HandOffs(engine, Worker(engine), lambda: NOW, hours=4, zone=ZoneInfo("UTC"))
    await put(engine, LUNCH[0], channel="C0FUN", outcome="answered")
    async with engine.begin() as connection:
        id = (await connection.execute(sa.select(questions.c.id))).scalar_one()
        for number, source in ((2, "handbook"), (1, "menus")):
            row = {"question_id": id, "number": number, "source": source, "cited_at": NOW}
            row |= {"document": source, "path": "a", "title": "A", "heading": [], "text": "Soup.", "checked": "1"}
            await connection.execute(sa.insert(leanings).values(**row))
    (topic,) = await Coverage(engine, MiniLM(models_dir), owners, handed).topics(NOW, MEMBERS)
    assert topic.owner == "U0SAM"
    assert (await owners.all())["source", "handbook"] == "U0LEO"
