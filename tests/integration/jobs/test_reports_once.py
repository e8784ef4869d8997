"""Each report comes once, however many replicas post it and whenever one of them dies."""

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import warm
from killed_report import BERLIN, Replica, no_thumbs, post_until
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.calls import Call
from bot.costs.ledger import Ledger
from bot.costs.periods import Week
from bot.costs.posted import LEASE, Part, PostedReports, ReportBusyError
from bot.costs.report import weekly_report
from bot.domain import Price, Usage
from bot.jobs.runs import LEFT_ALONE
from deploy.workspace import BOT_TOKEN, Workspace
from deploy.workspace.driver import Driver

REPORTS = "C0REPORTS"
# The look-alike stamps its messages by the real clock, and what is there is looked for by these stamps.
NOW = datetime.now(BERLIN)
MONDAY = (NOW - timedelta(days=NOW.weekday())).replace(hour=9, minute=0, second=0, microsecond=0)
LATER = LEFT_ALONE + timedelta(minutes=1)


@pytest.fixture
async def workspace() -> AsyncIterator[Workspace]:
    async with Workspace(port=0) as running:
        yield running


@pytest.fixture
async def maya(workspace: Workspace) -> AsyncIterator[Driver]:
    async with Driver(workspace.url, as_user="U0MAYA") as driver:
        yield driver


@pytest.fixture
def client(workspace: Workspace) -> AsyncWebClient:
    return AsyncWebClient(token=BOT_TOKEN, base_url=workspace.api_url)


async def spent(engine: AsyncEngine) -> None:
    """A call of the week before Monday."""
    ledger = Ledger(engine)
    call = Call(
        question_id=None, purpose="answer", attempt=1, provider="openai", model="small", strategy="rag", channel="C1",
        asker="U1", started_at=MONDAY - timedelta(days=3),
    )  # fmt: skip
    usage, price = Usage(prompt_tokens=1, completion_tokens=1), Price(amount=Decimal("0.5"), version="override")
    await ledger.settle(await ledger.open(call), outcome="answered", seconds=1, usage=usage, price=price)


async def whole_once(maya: Driver) -> dict[str, Any]:
    """The report's one message, with its table and its file in the thread, each once."""
    (message,) = await maya.history(REPORTS)
    parent, *replies = await maya.history(REPORTS, message["ts"])
    assert parent["text"].startswith("Last week cost $0.50")
    assert [len(reply.get("files") or ()) for reply in replies] == [0, 1]
    assert replies[0]["blocks"][0]["type"] == "data_table"
    content = (await maya.file(replies[1]["files"][0])).decode()
    assert content.splitlines()[1].endswith("small,openai,C1,rag,answer,answered,1,1,1,0.5")
    return message


KILLS = [
    ("chat.postMessage#1", False),
    ("chat.postMessage#1", True),
    ("chat.postMessage#2", True),
    ("files.completeUploadExternal", True),
]


@pytest.mark.parametrize(("method", "is_after"), KILLS)
async def test_a_process_that_dies_while_it_posts_leaves_a_report_that_the_next_one_finishes(
    sqlite_engine: AsyncEngine, tmp_path: Path, workspace: Workspace, maya: Driver, client: AsyncWebClient,
    method: str, is_after: bool,
) -> None:  # fmt: skip
    await spent(sqlite_engine)
    before = Replica(sqlite_engine, client, MONDAY - timedelta(days=1), REPORTS)
    await before.run()  # from here on the schedule is known
    database = f"sqlite+aiosqlite:///{tmp_path / 'switchboard.db'}"
    place = (database, workspace.api_url, REPORTS, MONDAY, method)
    died = await asyncio.to_thread(warm.ended, post_until, *place, is_after)
    assert died.status == -signal.SIGKILL
    # The next process starts at once; it cannot know that nobody posts any more, so it waits.
    there = len(await maya.history(REPORTS))
    await Replica(sqlite_engine, client, MONDAY, REPORTS).run(MONDAY + timedelta(minutes=1))
    assert len(await maya.history(REPORTS)) == there
    after = Replica(sqlite_engine, client, MONDAY, REPORTS)
    await after.run(*(MONDAY + LATER * number for number in range(1, 4)))
    await whole_once(maya)


async def test_who_takes_a_part_over_looks_for_it_from_its_first_claim_on(engine: AsyncEngine) -> None:
    now = MONDAY
    posted = PostedReports(engine, lambda: now)
    part = Part(report="week-2026-11-09", channel=REPORTS, name="message")
    first = await posted.claim(part)
    assert (first.since, first.ts) == (None, "")
    now = MONDAY + LEASE - timedelta(seconds=1)
    with pytest.raises(ReportBusyError):
        await posted.claim(part)
    # The second one dies before it has looked, and what the first one posted is a day old by then.
    for days in (1, 2):
        now = MONDAY + timedelta(days=days)
        last = await posted.claim(part)
        assert last.since == MONDAY
    assert not await posted.confirm(first, "1.1")
    assert await posted.confirm(last, "2.2")
    assert (await posted.claim(part)).ts == "2.2"


async def test_of_three_replicas_one_posts_and_where_that_one_dies_the_others_finish_it(
    postgres_engine: AsyncEngine, workspace: Workspace, maya: Driver, client: AsyncWebClient
) -> None:
    await spent(postgres_engine)
    await Replica(postgres_engine, client, MONDAY - timedelta(days=1), REPORTS).run()
    database = postgres_engine.url.render_as_string(hide_password=False)
    place = (database, workspace.api_url, REPORTS, MONDAY, "chat.postMessage")
    ends = await asyncio.gather(*(asyncio.to_thread(warm.ended, post_until, *place, True) for _ in range(3)))
    assert sorted(end.status for end in ends) == [-signal.SIGKILL, 0, 0]
    assert len(await maya.history(REPORTS)) == 1
    two = [Replica(postgres_engine, client, MONDAY, REPORTS) for _ in range(2)]
    for number in range(1, 4):
        await asyncio.gather(*(replica.run(MONDAY + LATER * number) for replica in two))
    await whole_once(maya)


async def test_replicas_that_post_at_the_same_moment_post_once(
    postgres_engine: AsyncEngine, maya: Driver, client: AsyncWebClient
) -> None:
    await spent(postgres_engine)
    report = await weekly_report(Ledger(postgres_engine), no_thumbs, Week.before(MONDAY, BERLIN))
    replicas = [Replica(postgres_engine, client, MONDAY, REPORTS) for _ in range(3)]
    ends = await asyncio.gather(
        *(replica.post(REPORTS, report, MONDAY) for replica in replicas), return_exceptions=True
    )
    assert [end for end in ends if end is not None and not isinstance(end, ReportBusyError)] == []
    await whole_once(maya)
    await replicas[0].post(REPORTS, report, MONDAY)
    await whole_once(maya)


async def test_a_process_that_slept_while_it_posted_takes_its_own_report_back(
    sqlite_engine: AsyncEngine, maya: Driver, client: AsyncWebClient
) -> None:
    await spent(sqlite_engine)
    report = await weekly_report(Ledger(sqlite_engine), no_thumbs, Week.before(MONDAY, BERLIN))
    slow, quick = (
        Replica(sqlite_engine, client, now, REPORTS) for now in (MONDAY, MONDAY + LEASE + timedelta(seconds=1))
    )
    sleeper = AsyncWebClient(token=BOT_TOKEN, base_url=str(client.base_url))
    call = sleeper.api_call
    slept: list[str] = []

    async def asleep(method: str, **more: Any) -> Any:
        if method == "chat.postMessage" and not slept:
            slept.append(method)
            await quick.post(REPORTS, report, MONDAY)
        return await call(method, **more)

    sleeper.api_call = asleep  # type: ignore[method-assign, assignment]
    slow._client = sleeper
    await slow.post(REPORTS, report, MONDAY)
    assert slept
    await whole_once(maya)


async def test_a_report_that_fell_into_three_days_of_downtime_comes_once_and_says_so(
    engine: AsyncEngine, maya: Driver, client: AsyncWebClient
) -> None:
    await spent(engine)
    await Replica(engine, client, MONDAY - timedelta(days=1), REPORTS).run(MONDAY - timedelta(days=1))
    for days in (2, 2, 3):
        up = MONDAY + timedelta(days=days, hours=3)
        await Replica(engine, client, up, REPORTS).run(up, up + timedelta(minutes=1))
    message = await whole_once(maya)
    assert "This report was due on Monday" in str(message["blocks"])
    assert f"at {MONDAY:%H:%M}, when I could not post it." in str(message["blocks"])


async def test_slack_that_is_away_on_monday_gets_the_report_when_it_is_back(
    sqlite_engine: AsyncEngine, maya: Driver, client: AsyncWebClient
) -> None:
    await spent(sqlite_engine)
    replica = Replica(sqlite_engine, client, MONDAY - timedelta(days=1), REPORTS)
    await replica.run()
    await maya.fault("chat.postMessage", "error", error="internal_error", times=1)
    await replica.run(MONDAY, MONDAY + timedelta(minutes=10))
    assert await maya.history(REPORTS) == []
    await replica.run(*(MONDAY + timedelta(hours=hours, minutes=5) for hours in (1, 2)))
    await whole_once(maya)


async def test_a_part_is_found_again_behind_many_other_messages(
    sqlite_engine: AsyncEngine, maya: Driver, client: AsyncWebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spent(sqlite_engine)
    report = await weekly_report(Ledger(sqlite_engine), no_thumbs, Week.before(MONDAY, BERLIN))
    first = Replica(sqlite_engine, client, datetime.now(UTC), REPORTS)

    async def lost(*_arguments: object) -> bool:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(PostedReports, "confirm", lost)
        with pytest.raises(ConnectionError):
            await first.post(REPORTS, report, first.now)
    for number in range(120):
        await client.chat_postMessage(channel=REPORTS, text=f"Noise {number}")
    first.now += LEASE + timedelta(minutes=1)
    await first.post(REPORTS, report, first.now)
    found = [m for m in await maya.history(REPORTS) if m["text"].startswith("Last week")]
    assert len(found) == 1
