"""Learns every night from what people made of the answers, and considers who is to choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import structlog

from bot.jobs.schedule import Work
from bot.learning.learning import Learning
from bot.models.cards import ModelCard

NIGHTLY = "15 3 * * *"
BY = "nightly"

log = structlog.get_logger("bot.jobs")


def learning_job(learning: Learning, usable: Callable[[], Iterable[ModelCard]]) -> Work:
    """Work that brings what was learned up to date. `usable` gives the models that can be called."""

    async def work(fire_at: datetime) -> None:
        entry = await learning.update(usable(), BY)
        if entry is not None:
            log.info("choice_changed", entry=entry.id, state=entry.state, why=entry.why)

    return work
