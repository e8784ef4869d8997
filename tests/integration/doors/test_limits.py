"""How many questions are begun with within a minute, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.limits import Full, Limits
from handlers.limiting import sentence

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


async def test_a_person_is_told_once_when_there_is_room_again(engine: AsyncEngine) -> None:
    clock = Clock()
    limits = Limits(engine, clock, person=2, channel=0)
    assert [await limits.admit("U1", "C1", "Ev1"), await limits.admit("U1", "D1", "Ev2")] == [None, None]
    clock.now += timedelta(seconds=20.5)
    assert await limits.admit("U1", "C1", "Ev3") == Full(whose="person", limit=2, seconds=40, is_news=True)
    assert await limits.admit("U1", "C1", "Ev4") == Full(whose="person", limit=2, seconds=40, is_news=False)
    assert await limits.admit("U2", "C1", "Ev5") is None
    clock.now += timedelta(seconds=39.5)
    assert await limits.admit("U1", "C1", "Ev3") is None
    clock.now += timedelta(minutes=2)
    assert await limits.prune() > 0


async def test_a_channel_has_a_limit_that_direct_messages_do_not_have(engine: AsyncEngine) -> None:
    limits = Limits(engine, lambda: NOW, person=0, channel=3)
    in_channel = [await limits.admit(f"U{n}", "C1", f"Ev{n}") for n in range(5)]
    assert [full and (full.whose, full.is_news) for full in in_channel] == [None] * 3 + [("channel", True)] * 2
    assert [await limits.admit("U1", "D1", f"EvD{n}") for n in range(5)] == [None] * 5


async def test_what_is_begun_again_after_a_crash_was_admitted_before(engine: AsyncEngine) -> None:
    limits = Limits(engine, lambda: NOW, person=1, channel=1)
    assert [await limits.admit("U1", "C1", "Ev1") for _ in range(3)] == [None] * 3
    assert await limits.admit("U1", "C1", "Ev2") is not None


async def test_without_limits_nothing_is_counted(engine: AsyncEngine) -> None:
    limits = Limits(engine, lambda: NOW, person=0, channel=0)
    assert [await limits.admit("U1", "C1", f"Ev{n}") for n in range(50)] == [None] * 50
    assert await limits.prune() == 0


async def test_replicas_share_one_limit_also_at_the_same_moment(engine: AsyncEngine) -> None:
    replicas = [Limits(engine, lambda: NOW, person=0, channel=7) for _ in range(4)]
    found = await asyncio.gather(*(replicas[n % 4].admit(f"U{n}", "C1", f"Ev{n}") for n in range(20)))
    assert found.count(None) == 7


def test_the_sentence_says_how_many_and_when_to_ask_again() -> None:
    assert sentence(Full(whose="person", limit=10, seconds=23, is_news=True)) == (
        "You asked 10 questions within a minute, which is as many as I take. I have not begun with this one: please "
        "ask it again in 23 seconds."
    )
    assert sentence(Full(whose="channel", limit=1, seconds=1, is_news=True)) == (
        "In this channel people asked 1 question within a minute, which is as many as I take there. I have not begun "
        "with this one: please ask it again in 1 second."
    )
