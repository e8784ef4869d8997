"""What trials showed: both sides' answers with their price, time and thumbs, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.evaluation.sides import Asked, Compared, compare, read_sides
from bot.selection.trials import Trial, read_trials
from bot.storage.evaluation_tables import trial_questions
from bot.storage.tables import questions


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult(Compared):
    """A trial with both its sides: what its model answered, and what went on as before."""

    trial: Trial


async def results(engine: AsyncEngine, since: datetime, until: datetime) -> tuple[TrialResult, ...]:
    """Of every trial that had questions asked in [since, until), oldest first."""
    wanted = (questions.c.asked_at >= since, questions.c.asked_at < until)
    sides = await read_sides(engine, trial_questions, trial_questions.c.trial, wanted)
    found = await read_trials(engine, {id for id, _ in sides})
    return tuple(_compared(each, sides) for each in found)


async def result_of(engine: AsyncEngine, trial: Trial) -> TrialResult:
    """Of one trial from its begin on, also before its first question."""
    wanted = (trial_questions.c.trial == trial.id,)
    return _compared(trial, await read_sides(engine, trial_questions, trial_questions.c.trial, wanted))


def _compared(trial: Trial, sides: Mapping[tuple[int, bool], list[Asked]]) -> TrialResult:
    found = compare(*(sides.get((trial.id, drawn), []) for drawn in (True, False)))
    return TrialResult(trial=trial, tried=found.tried, rest=found.rest, cheaper=found.cheaper, better=found.better)
