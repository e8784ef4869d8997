"""Every few minutes: which answers lean on words that changed, and the notes that tell of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.jobs.schedule import Work
from bot.recall.notes import Recalls
from bot.recall.noticing import Noticing

OFTEN = "*/5 * * * *"


def recall_job(noticing: Noticing, recalls: Recalls, tell: Callable[[], Awaitable[None]], age: timedelta) -> Work:
    """Work that looks and has `tell` bring what is to be told. What is older than `age` is forgotten."""

    async def work(fire_at: datetime) -> None:
        await noticing.run()
        await tell()
        await recalls.prune(fire_at - age)

    return work
