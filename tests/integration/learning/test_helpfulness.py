"""Thumbs of answers that cited a document move it by a few places, where those who read it could read them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from judging import NOW, answered
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.domain import Citation, PlaceKind
from bot.learning.feedback import Feedback
from bot.learning.helpfulness import HALF_LIFE, PLACES, Helpfulness, Vote, moved, score
from bot.selection.questions import Questions
from bot.storage.tables import questions
from knowledge.access import MEMBERS, OUTSIDERS, PUBLIC
from knowledge.documents import Passage


def votes(up: int = 0, down: int = 0, *, person: str = "", age: timedelta = timedelta()) -> list[Vote]:
    values = [1] * up + [-1] * down
    return [Vote("d", person or f"U{n}", value, NOW - age, PUBLIC) for n, value in enumerate(values)]


def test_one_person_counts_as_one_voice_however_often_they_press() -> None:
    assert score(votes(up=100, person="U1"), NOW) == score(votes(up=1), NOW)
    assert score(votes(down=100, person="U1"), NOW) == score(votes(down=1), NOW) == -0.2


def test_a_vote_loses_half_its_weight_in_a_half_life() -> None:
    assert score(votes(up=1, age=HALF_LIFE), NOW) == pytest.approx(0.5 / 4.5)
    assert score(votes(up=1, age=10 * HALF_LIFE), NOW) < 0.001
    assert score(votes(up=1, age=-HALF_LIFE), NOW) == 0.2  # a clock that is ahead adds nothing


def test_few_votes_move_nothing_and_a_team_that_agrees_moves_one_place_or_two() -> None:
    disliked = [score(votes(down=1), NOW), 0.0, 0.0, 0.0]
    assert moved(disliked) == [0, 1, 2, 3]
    assert moved([score(votes(down=3), NOW), 0.0, 0.0]) == [0, 1, 2]
    assert moved([score(votes(down=5), NOW), 0.0, 0.0]) == [1, 0, 2]
    assert moved([score(votes(down=10_000), NOW), 0.0, 0.0, 0.0, 0.0]) == [1, 0, 2, 3, 4]


def test_nothing_moves_further_than_the_bound_and_nothing_is_left_out_whatever_the_votes() -> None:
    chance = random.Random(3)
    furthest = 0
    crowds = [votes(up=up, down=down) for up in (0, 1, 3, 500) for down in (0, 1, 3, 500)]
    known = [score(each, NOW) for each in crowds] + [0.9999, -0.9999]
    for _ in range(3000):
        scores = [chance.choice(known) for _ in range(chance.randint(1, 12))]
        order = moved(scores)
        assert sorted(order) == list(range(len(scores)))
        furthest = max(furthest, *(abs(place - now) for now, place in enumerate(order)))
    assert furthest == 2 * PLACES - 1


def passage(document: str) -> Passage:
    return Passage(
        chunk_id=document,
        document_id=document,
        source="docs",
        title=document,
        heading=(),
        text="…",
        url=None,
        updated=NOW,
        score=1.0,
        similarity=0.7,
        lexical=0.5,
    )


async def cited(engine: AsyncEngine, id: str, document: str, kind: PlaceKind, *, private: bool = False) -> None:
    """An answer that cited a document, in a place."""
    await answered(engine, id)
    receipt = await Questions(engine).receipt(id)
    assert receipt is not None
    source = Citation(number=1, title=document, url=None, source="docs", updated=None, quote="…", document=document)
    await Questions(engine).finish(id, "So. [1]", replace(receipt, citations=(source,)))
    async with engine.begin() as connection:
        await connection.execute(
            sa.update(questions).where(questions.c.id == id).values(place_kind=kind.value, private=private)
        )


async def team_dislikes(engine: AsyncEngine, id: str) -> None:
    for number in range(8):
        await Feedback(engine, lambda: NOW).give(id, f"U{number}", -1)


async def order(helpfulness: Helpfulness, scopes: frozenset[str]) -> list[str]:
    found = await helpfulness.ordered([passage("bad"), passage("other"), passage("third")], scopes)
    return [one.document_id for one in found]


async def test_a_document_that_the_team_dislikes_comes_later_and_comes_back_when_the_thumbs_do(
    engine: AsyncEngine,
) -> None:
    helpfulness = Helpfulness(engine, lambda: NOW)
    await cited(engine, "q", "bad", PlaceKind.CHANNEL)
    assert await order(helpfulness, MEMBERS) == ["bad", "other", "third"]
    await team_dislikes(engine, "q")
    assert await order(helpfulness, MEMBERS) == ["other", "bad", "third"]
    for number in range(8):
        await Feedback(engine, lambda: NOW).take_back("q", f"U{number}")
    assert await order(helpfulness, MEMBERS) == ["bad", "other", "third"]


@pytest.mark.parametrize(
    ("kind", "private", "moves"),
    [
        (PlaceKind.CHANNEL, False, {"members", "channel"}),
        (PlaceKind.PRIVATE_CHANNEL, False, {"channel"}),
        (PlaceKind.GROUP_DM, False, {"channel"}),
        (PlaceKind.DM, False, {"asker"}),
        (
            PlaceKind.CHANNEL,
            True,
            {
                "asker",
            },
        ),
        (PlaceKind.CONSOLE, False, {"members", "channel"}),
    ],
)
async def test_thumbs_count_only_for_those_who_could_read_the_answer(
    engine: AsyncEngine, kind: PlaceKind, private: bool, moves: set[str]
) -> None:
    await cited(engine, "q", "bad", kind, private=private)
    await team_dislikes(engine, "q")
    audiences = {
        "members": MEMBERS,
        "channel": MEMBERS | {"channel:C1"},
        "asker": frozenset({OUTSIDERS, "user:U0ANA"}),
        "guest": frozenset({OUTSIDERS, "channel:C2"}),
    }
    helpfulness = Helpfulness(engine, lambda: NOW)
    moved_for = {name for name, scopes in audiences.items() if (await order(helpfulness, scopes))[0] != "bad"}
    assert moved_for == moves
