"""Marks the calls that a dead process left open: as lost, with an unknown cost."""

from __future__ import annotations

from datetime import datetime

import structlog

from bot.costs.ledger import Ledger
from bot.jobs.schedule import Work

OFTEN = "*/10 * * * *"

log = structlog.get_logger("bot.jobs")


def lost_job(ledger: Ledger) -> Work:
    """Work that looks for them. What a living process still waits for is left alone."""

    async def work(_: datetime) -> None:
        if lost := await ledger.recover():
            log.warning("calls_lost", calls=lost, cost="unknown", next="the report counts them as failed")

    return work
