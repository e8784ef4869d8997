"""What follows from a finished evaluation: the estimates are fitted again, and who chooses is decided anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from bot.core import Core
from bot.domain import StrategyName
from bot.errors import UnknownModel
from bot.evaluation.matrix import Matrix
from bot.evaluation.refitting import refit
from bot.evaluation.replays import replay_of
from bot.evaluation.run import Run
from bot.evaluation.runs import Record, Runs
from bot.evaluation.ways import ways_of
from bot.evaluation.wording import listed
from bot.evaluation.worth import Worth
from bot.learning.kept import Kept
from bot.learning.promotion import LEAST_GOLDEN
from bot.models.cards import ModelCard
from bot.selection.fits import Fits
from bot.selection.value import Value
from bot.selection.weights import load_weights

NAME, VERSION = "evaluated", 1
BY = "evaluation"

log = structlog.get_logger("bot.evaluation")


async def conclude(core: Core, run: Run) -> tuple[str, ...]:
    """Fits the estimates on a finished run, keeps what they expected of questions that they had not seen, and lets the
    gate decide who chooses; gives sentences on what came of it.

    Done again, it comes to the same. It is noted only when all of it is done, so a kill loses nothing.
    """
    try:
        said = await _concluded(core, await Runs(core.engine).load(run.id))
    except UnknownModel as error:
        said = (f"Nothing is learned from the run “{run.name}”. {error}",)
    await Kept(core.engine).put(NAME, VERSION, core.clock(), _stamp(run))
    log.info("evaluation_concluded", run=run.id, said=said)
    return said


async def unconcluded(core: Core) -> Run | None:
    """The run that was finished last, where it was stopped before what follows from it was done."""
    finished = [(run.finished, run.id, run) for run in await Runs(core.engine).all() if run.finished is not None]
    if not finished:
        return None
    *_, last = max(finished)
    return None if await Kept(core.engine).get(NAME, VERSION) == _stamp(last) else last


async def fitted_elsewhere(core: Core) -> str:
    """A sentence where estimates are kept that were fitted on another index, "" otherwise."""
    weights = (await Fits(core.engine).current()).weights
    now = core.knowledge.embedder.name
    if weights is None or not weights.index or weights.index == now:
        return ""
    return (
        f"The estimates that were fitted on your golden questions are left out: knowledge was searched with "
        f"“{weights.index}” then and is with “{now}” now. This evaluation fits them again."
    )


def embedding_of(run: Run) -> str:
    """The name of the embedding model that a run searched with."""
    return run.index.rpartition(" ")[0]


def worth_of(run: Run) -> Worth:
    """How money and time were weighed when the run was made."""
    value = Value(run.settings.get("selection.value", Value.BALANCED.value))
    return Worth(cost_weight=value.cost_weight, latency_weight=value.latency_weight)


async def _concluded(core: Core, record: Record) -> tuple[str, ...]:
    run, matrix = record.run, record.matrix
    assert run.finished is not None
    cards = {name: core.models.card(name) for name in run.models}
    if missing := _not_tried(matrix, tuple(cards.values())):
        return (
            f"Nothing is learned from this run, since {listed(missing)} was not tried: the estimates and who chooses "
            "stay as they are.",
        )
    found = await asyncio.to_thread(refit, matrix, cards, worth_of(run), load_weights(), index=embedding_of(run))
    if found.fit is not None:
        await Fits(core.engine).put(found.fit, core.clock())
        await Runs(core.engine).choose_again(run.id, found.rows)
    entry = None
    # A short run does not take the place of one that was long enough to tell something.
    if found.fit is not None or (await core.learning.standing()).golden < LEAST_GOLDEN:
        entry = await core.learning.take(replay_of(replace(matrix, rows=found.rows), run.finished), BY)
    change = f"Who chooses has changed (entry {entry.id})" if entry else "Who chooses is as before"
    return found.sentence, f"{change}. {(await core.learning.standing()).sentence}"


def _not_tried(matrix: Matrix, cards: Sequence[ModelCard]) -> list[str]:
    """Strategies that the run's models could be taken with and that were left out: what was not tried cannot win."""
    whole = {way.strategy for way in ways_of(tuple(StrategyName), cards)}
    return sorted(whole - {way.strategy for way in matrix.ways})


def _stamp(run: Run) -> dict[str, str]:
    return {"run": run.id, "finished": str(run.finished)}
