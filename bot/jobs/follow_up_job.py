"""Every few minutes: who was asked for help and has not come is asked once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from bot.jobs.schedule import Work

OFTEN = "*/5 * * * *"


def follow_up_job(follow_up: Callable[[], Awaitable[None]]) -> Work:
    """Work that does it."""

    async def work(_fire_at: datetime) -> None:
        await follow_up()

    return work
