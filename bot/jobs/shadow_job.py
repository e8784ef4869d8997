"""Answers a share of the questions another way as well, beside the bot's work, and compares the answers at night."""

from __future__ import annotations

from datetime import datetime

import structlog

from bot.evaluation.shadow_scores import Scoring
from bot.evaluation.shadowing import Shadowing
from bot.jobs.schedule import Work

OFTEN = "*/10 * * * *"
NIGHTLY = "45 2 * * *"

log = structlog.get_logger("bot.jobs")


def shadow_job(shadowing: Shadowing) -> Work:
    """Work that takes the questions that were drawn since the last time."""

    async def work(fire_at: datetime) -> None:
        if taken := await shadowing.run():
            log.info("shadow_runs", questions=taken)

    return work


def scoring_job(scoring: Scoring) -> Work:
    """Work that compares what was answered another way."""

    async def work(fire_at: datetime) -> None:
        if scored := await scoring.run():
            log.info("shadows_scored", questions=scored)

    return work
