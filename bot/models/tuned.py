"""The cards of models that were tuned here and registered: their runs' own, kept in SQL."""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.models.cards import ModelCard
from bot.models.registry import Models
from bot.storage.tuning_run_tables import tuning_runs
from bot.storage.tuning_tables import tuning_rows

PROMPTS = 20
"""So many questions of its data say what a tuned model is for. They are read from there, and go with their rows."""

log = structlog.get_logger("bot.models")


async def read_tuned(models: Models, engine: AsyncEngine) -> None:
    """Has `models` take over those that are registered and not retired now.

    One whose server the catalogue lacks, whose name another card has, or of whose data nothing is left, is passed over.
    """
    catalogue = models.stated
    shown = (tuning_runs.c.registered_at.is_not(None), tuning_runs.c.retired_at.is_(None))
    found: list[ModelCard] = []
    names = {card.name.casefold() for card in catalogue.cards}
    async with engine.connect() as connection:
        for run in await connection.execute(sa.select(tuning_runs).where(*shown).order_by(tuning_runs.c.id)):
            rows = sa.select(tuning_rows.c.question).where(
                tuning_rows.c.dataset == run.dataset, tuning_rows.c.part == "train"
            )
            questions = [*(await connection.execute(rows.order_by(tuning_rows.c.position))).scalars()]
            every = max(1, len(questions) // PROMPTS)
            tuned = {**run.card["fine_tune"], "prompts": questions[::every][:PROMPTS]}
            try:
                card = ModelCard.model_validate({**run.card, "fine_tune": tuned})
            except ValidationError:
                log.warning("tuned_model_left_out", run=run.id, why="its card or its data is not whole")
                continue
            if card.provider not in catalogue.providers or card.name.casefold() in names:
                log.warning("tuned_model_left_out", run=run.id, why="its server is not there, or its name is taken")
                continue
            names.add(card.name.casefold())
            found.append(card)
    models.told_tuned(found)
