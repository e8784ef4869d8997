"""Posts the weekly report as a replica does, in a process of its own that is killed at a moment which a test names."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.ledger import Ledger
from bot.costs.periods import Span, Week
from bot.costs.posted import PostedReports
from bot.costs.report import WeeklyReport, weekly_report
from bot.jobs.report_job import report_job
from bot.jobs.schedule import Schedule
from bot.storage.engine import open_engine
from deploy.workspace import BOT_TOKEN
from handlers.posts import post_report

BERLIN = ZoneInfo("Europe/Berlin")
MONDAYS = "0 9 * * mon"


async def no_thumbs(_since: datetime, _until: datetime) -> tuple[int, int]:
    return 0, 0


class Replica:
    """One replica's schedule with the weekly report in it, at a moment that the test sets."""

    def __init__(self, engine: AsyncEngine, client: AsyncWebClient, now: datetime, channel: str) -> None:
        self.now = now
        self._engine = engine
        self._client = client
        self._schedule = Schedule(engine, BERLIN, clock=lambda: self.now)
        work = report_job(Week, BERLIN, self._make, self.post, channel)
        self._schedule.add("report", MONDAYS, work, catch_up=True, resume=True)

    async def run(self, *moments: datetime) -> None:
        """Lives through these moments."""
        await self._schedule.recall()
        for self.now in moments:
            await self._schedule.run_due(self.now)

    async def post(self, channel: str, report: WeeklyReport, due: datetime) -> None:
        """Posts a report as this replica."""
        posted = PostedReports(self._engine, lambda: self.now)
        await post_report(self._client, channel, report, posted=posted, now=self.now, due=due)

    async def _make(self, week: Span, channel: str) -> WeeklyReport:
        return await weekly_report(Ledger(self._engine), no_thumbs, week, said=("Learning is off.",))


def post_until(database: str, api_url: str, channel: str, moment: datetime, method: str, is_after: bool) -> None:
    """Dies just before the call of this Slack method goes out, or when its answer is there and not yet written down."""
    asyncio.run(_post(database, api_url, channel, moment, method, is_after))


async def _post(database: str, api_url: str, channel: str, moment: datetime, method: str, is_after: bool) -> None:
    name, _, number = method.partition("#")
    client = AsyncWebClient(token=BOT_TOKEN, base_url=api_url)
    call, calls = client.api_call, [0]

    async def killed(api_method: str, **more: Any) -> Any:
        calls[0] += api_method == name
        is_it = api_method == name and calls[0] == int(number or 1)
        if is_it and not is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await call(api_method, **more)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    client.api_call = killed  # type: ignore[method-assign]
    replica = Replica(open_engine(database), client, moment - timedelta(days=1), channel)
    await replica.run(moment)
