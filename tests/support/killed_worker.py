"""A worker that begins a job, says so, and never ends it."""

from __future__ import annotations

import asyncio
from datetime import datetime

from bot.jobs.queue import open_queue


async def hang(url: str) -> None:
    """Works on the queue at `url` until it is killed."""

    async def perform(workspace: str, job: str, fire_at: datetime, died: bool) -> None:
        print("begun", flush=True)
        await asyncio.Event().wait()

    async with open_queue(url) as queue:
        await queue.work(perform, at_once=1, grace=0)
