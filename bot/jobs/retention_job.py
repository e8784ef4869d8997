"""Lets go of what was said once it is as old as the configuration says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.config import Retention
from bot.holdings.retention import let_go
from bot.jobs.schedule import Work

NIGHTLY = "40 3 * * *"

log = structlog.get_logger("bot.jobs")


def retention_job(url: str, days: Retention, sweep: Callable[[], Awaitable[object]]) -> Work:
    """Work that empties the database at `url` of what is older than `days`, and then has `sweep` remove the files that
    were made of it."""

    async def work(fire_at: datetime) -> None:
        gone = await asyncio.to_thread(let_go, url, fire_at, conversations=days.conversations, questions=days.questions)
        await sweep()
        log.info("retention_kept", messages=gone.messages, questions=gone.questions)

    return work
