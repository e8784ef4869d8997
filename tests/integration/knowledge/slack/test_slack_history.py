"""Long histories, rate limits, interruptions, and tokens that expire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from slack_history import Run, old, state_of
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace import BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver
from deploy.workspace.state import JSON
from knowledge.errors import SourceUnavailable
from knowledge.sources.base import Listing, Past

if TYPE_CHECKING:
    from tests.integration.knowledge.slack.conftest import Open

ENG = "C0ENG"
THREADS = 2000


def history(threads: int, *, hours: float = 1) -> list[JSON]:
    """So many threads, each of two turns, one every so many hours."""
    messages = []
    for number in range(threads):
        days = 1 + number * hours / 24
        first = old(f"What does error E{number:05d} of the arm mean?", days=days, number=number)
        messages += [first, old(f"Joint {number} is hot", user="U0ANA", days=days, number=number + 1)]
        messages[-1]["thread_ts"] = first["ts"]
        messages[-1]["ts"] = f"{float(first['ts']) + 60:.6f}"
    return messages


async def test_thousands_of_threads_survive_rate_limits_and_a_kill(opened: Open, run: Run, maya: Driver) -> None:
    await maya.control("fill", channel=ENG, messages=history(THREADS))
    await maya.control("set_pages", most=100)
    for skip in (3, 700, 1500, 2500):
        await maya.fault("conversations.replies", "rate_limited", times=2, retry_after=0, skip=skip)
    for skip in (0, 4, 9):
        await maya.fault("conversations.history", "rate_limited", times=1, retry_after=0, skip=skip)
    await run.follow(opened(), pages=7)
    assert len(run.readings) == 700
    assert state_of(run)["walk"] is not None
    before = len(await maya.calls("conversations.history"))
    source = opened()
    await run.follow(source)
    assert len(run.readings) == THREADS
    assert len(run.read) == THREADS - 700
    assert len(await maya.calls("conversations.history")) - before < 13 + 5
    # The interrupted walk may have missed what happened meanwhile: a whole one follows.
    assert (state_of(run)["walk"], state_of(run)["whole"]) == (None, None)
    await run.follow(source)
    assert len(run.readings) == THREADS
    assert state_of(run)["whole"] is not None


async def test_what_was_written_and_deleted_while_it_was_stopped_is_noticed(
    opened: Open, run: Run, maya: Driver, leo: Driver
) -> None:
    messages = history(40)
    await maya.control("fill", channel=ENG, messages=messages)
    await maya.control("set_pages", most=10)
    await run.follow(opened(), pages=2)
    await maya.delete({"channel": ENG, "ts": messages[1]["ts"]})
    await maya.delete({"channel": ENG, "ts": messages[0]["ts"]})
    new = await leo.post(ENG, "The replacement of the second joint arrives on Thursday at noon")
    source = opened()
    await run.follow(source)
    assert new in run.readings
    await run.follow(source)
    assert messages[0]["ts"] not in run.readings
    assert len(run.readings) == 40


async def test_between_two_walks_only_the_last_week_is_looked_at(opened: Open, run: Run, maya: Driver) -> None:
    await maya.control("fill", channel=ENG, messages=history(24 * 30))
    await maya.control("set_pages", most=100)
    now = datetime.now(UTC)
    source = opened(clock=lambda: now)
    await run.follow(source)
    first = len(await maya.calls("conversations.history"))
    now += timedelta(hours=1)
    await run.follow(source)
    second = len(await maya.calls("conversations.history"))
    assert (first, second - first) == (8, 2)
    now += timedelta(hours=24)
    await run.follow(source)
    assert len(await maya.calls("conversations.history")) - second == 8


async def test_threads_of_long_ago_are_read_again_in_turns(
    workspace: Workspace, opened: Open, run: Run, maya: Driver
) -> None:
    messages = history(60, hours=8)
    await maya.control("fill", channel=ENG, messages=messages)
    edited = messages[-1]
    await run.follow(opened())
    message = {"channel": ENG, "ts": edited["ts"]}
    async with Driver(workspace.url, as_user="U0ANA") as ana:
        await ana.edit(message, "The joint is cold, not hot")
    lively = read = 0
    for _ in range(30):
        await run.follow(opened())
        old_ones = [path for path in run.read if float(path) < (datetime.now(UTC) - timedelta(days=7.1)).timestamp()]
        lively, read = len(run.read) - len(old_ones), max(read, len(old_ones))
    assert "The joint is cold, not hot" in run.everything
    assert lively == pytest.approx(18, abs=1)
    assert read < 10


async def test_a_token_that_expires_in_the_middle_ends_the_run_and_keeps_what_was_read(
    opened: Open, run: Run, client: AsyncWebClient, maya: Driver
) -> None:
    await maya.control("fill", channel=ENG, messages=history(50))
    await maya.control("set_pages", most=10)
    await maya.fault("conversations.replies", "error", error="token_expired", skip=25, times=1000)
    with pytest.raises(SourceUnavailable, match="set SLACK_BOT_TOKEN") as refused:
        await run.follow(opened())
    assert BOT_TOKEN not in str(refused.value)
    assert len(run.readings) == 25
    await maya.control("fault", kind="none")
    await run.follow(opened())
    assert len(run.readings) == 50
    assert len(run.read) == 25


async def test_a_missing_permission_is_named(opened: Open, run: Run, maya: Driver) -> None:
    await maya.fault("conversations.history", "error", error="missing_scope")
    with pytest.raises(SourceUnavailable, match="Update the app from its manifest"):
        await run.follow(opened())


async def test_passing_faults_are_tried_again(opened: Open, run: Run, maya: Driver) -> None:
    ts = await maya.post(ENG, "The gateway of the arm controller listens on port 8443")
    await maya.fault("conversations.history", "http_500")
    await run.follow(opened())
    assert ts in run.readings


async def test_a_channel_that_closes_in_the_middle_says_so(opened: Open, run: Run, maya: Driver) -> None:
    await maya.fault("conversations.history", "error", error="not_in_channel")
    with pytest.raises(SourceUnavailable, match="closed to the bot while it was read"):
        await run.follow(opened())


async def test_a_wait_that_is_too_long_is_left_to_the_next_refresh(opened: Open, run: Run, maya: Driver) -> None:
    await maya.fault("conversations.history", "rate_limited", retry_after=100_000)
    with pytest.raises(SourceUnavailable, match="the next refresh goes on from here"):
        await run.follow(opened())


async def test_a_channel_that_closes_in_the_middle_is_read_no_further_for_everyone(
    opened: Open, run: Run, maya: Driver
) -> None:
    await maya.control("fill", channel=ENG, messages=history(50))
    await maya.control("set_pages", most=10)
    source = opened()
    await run.follow(source, pages=2)
    listings = source.listings(Past(run.state, dict(run.versions)))
    assert isinstance(await anext(listings), Listing)
    await maya.control("set_channel", channel=ENG, private=True)
    assert await source.channel() is not None  # as an event would have it asked
    with pytest.raises(SourceUnavailable, match="changed while it was read"):
        async for _ in listings:
            pass
    await run.follow(source)
    assert set(run.readers.values()) == {frozenset({"channel:C0ENG"})}
