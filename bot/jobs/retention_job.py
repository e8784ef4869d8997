"""Lets go of what was said once it is as old as the configuration says."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from bot.config import Retention
from bot.holdings.retention import let_go
from bot.jobs.schedule import Work

NIGHTLY = "40 3 * * *"

log = structlog.get_logger("bot.jobs")


def retention_job(url: str, days: Retention) -> Work:
    """Work that empties the database at `url` of what is older than `days`."""

    async def work(fire_at: datetime) -> None:
        gone = await asyncio.to_thread(let_go, url, fire_at, conversations=days.conversations, questions=days.questions)
        log.info("retention_kept", messages=gone.messages, questions=gone.questions)

    return work
