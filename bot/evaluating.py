"""`switchboard evaluate`: golden questions by every way, as a table or as JSON; kept, resumed and shown again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.config import Settings
from bot.core import Core, open_core
from bot.costs.money import dollars
from bot.domain import StrategyName
from bot.errors import RunNotFound, SwitchboardError, UnusableGolden
from bot.evaluation import regression
from bot.evaluation.answers import Answers
from bot.evaluation.budget import Budget
from bot.evaluation.concluding import conclude, fitted_elsewhere, unconcluded
from bot.evaluation.golden import Golden, GoldenSet
from bot.evaluation.golden_file import read_golden
from bot.evaluation.planning import Order, bounded, cards_of, changed, planned
from bot.evaluation.run import Run
from bot.evaluation.runner import Evaluation, Progress
from bot.evaluation.runs import Record, Runs
from bot.evaluation.scorers import Scorers, document_names
from bot.evaluation.team import golden_from_team
from bot.evaluation.thumbs import golden_from_thumbs
from bot.evaluation.ways import ways_of
from bot.gate import Gate
from bot.models.retry import Patience
from bot.outlets import Outlets, hand_out, typed, wide
from bot.printing import print_json
from knowledge import access
from knowledge.errors import KnowledgeError

PATIENCE = Patience(tries=4, seconds=60.0, first_pause=1.0)


async def evaluate(settings: Settings, order: Order, to: Outlets) -> None:
    """Runs an evaluation after taking in what changed in the sources, and hands out what came of it."""
    scopes = access.parse_scopes(order.readers or [access.EVERYONE]) | access.PUBLIC
    order = order.checked()
    golden = await asyncio.to_thread(read_golden, order.file) if order.file else None
    async with open_core(settings) as core:
        runs = Runs(core.engine)
        earlier = await _earlier(runs, to)
        closed = await core.channels.staying() | await core.allow_lists.channels()
        if order.from_team:
            golden = golden_from_team(await core.golden.listed(None), scopes, closed)
        golden = golden or await golden_from_thumbs(core.engine, core.bases, scopes, closed=closed)
        _tell(golden, to.err)
        cards = await cards_of(core, order.models)
        ways = ways_of(
            [StrategyName(name) for name in order.strategies], tuple({card.name: card for card in cards}.values())
        )
        golden = bounded(golden, ways, order)
        await _catch_up(core, to)
        with to.err.status("Looking through the knowledge sources"):
            await core.knowledge.refresh()
        run = await planned(core, order, golden, ways, scopes)
        ordered = golden.limited(len(golden.questions)).questions
        await runs.start(run, ways, ordered)
        await _go_on(core, run, ordered, order, to, earlier)


async def resume(settings: Settings, name: str, order: Order, to: Outlets) -> None:
    """Goes on with a run that was stopped, killed or out of money. Raises RunNotFound where it cannot be."""
    async with open_core(settings) as core:
        runs = Runs(core.engine)
        run = await runs.find(name)
        earlier = await _earlier(runs, to, run)
        record = await runs.load(run.id)
        if different := await changed(core, run, record.matrix.ways):
            raise RunNotFound(
                f"The run “{run.name}” cannot be gone on with: {', '.join(different)} changed since, so the rest would "
                "not be comparable. Start a new run: what is still asked the same costs nothing again."
            )
        await _catch_up(core, to, going_on=run)
        await _go_on(core, run, record.golden, order, to, earlier)


async def show(settings: Settings, name: str, to: Outlets) -> None:
    """Hands out a run that was kept. Raises RunNotFound."""
    async with open_core(settings) as core:
        runs = Runs(core.engine)
        run = await runs.find(name)
        earlier = await _earlier(runs, to, run)
        await hand_out(core, await runs.load(run.id), to, earlier)


async def list_runs(settings: Settings, out: Console, as_json: bool) -> None:
    """Prints the runs that were kept, newest first."""
    async with open_core(settings) as core:
        kept = await Runs(core.engine).all()
    if as_json:
        print_json(out, [asdict(run) for run in kept])
        return
    if not kept:
        out.print("Nothing was evaluated yet. `switchboard evaluate golden.jsonl` does it.")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("name", "started", "questions", "models", "spent", "finished"):
        table.add_column(title)
    for run in kept:
        started = run.started.astimezone(settings.report.zone).strftime("%Y-%m-%d %H:%M")
        models = ", ".join(run.models)
        mark = "yes" if run.finished else "no"
        table.add_row(escape(run.name), started, str(run.questions), models, dollars(run.spent), mark)
    wide(out).print(table)


async def regressions(
    settings: Settings, name: str, base: str, budget: Decimal | None, out: Console, as_json: bool
) -> bool:
    """Prints what a model has lost beside its base; whether that is too much. Raises what `regression.compare` does."""
    async with open_core(settings) as core:
        found = await regression.compare(core, name, base, budget=budget)
    if as_json:
        print_json(out, asdict(found))
        return found.has_lost
    table = Table(box=None, pad_edge=False)
    for title in ("questions", "n", escape(found.base), escape(found.model), "difference", ""):
        table.add_column(title)
    for each, part in found.parts.items():
        mark = f"lost more than {regression.LOST}" if part.has_lost else ""
        figures = (f"{part.base_quality:.2f}", f"{part.quality:.2f}", regression.spread(part.gain))
        table.add_row(each, str(part.questions), *figures, mark)
    out.print(table)
    return found.has_lost


def _tell(golden: GoldenSet, err: Console) -> None:
    for sentence in (*golden.problems, *golden.notes):
        err.print(f"[yellow]{escape(sentence)}[/]")


async def _earlier(runs: Runs, to: Outlets, run: Run | None = None) -> Record | None:
    """The run to compare with. Raises RunNotFound where there is none, or where it is the run itself."""
    if to.compare is None:
        return None
    found = await runs.find(to.compare)
    if run is not None and found.id == run.id:
        raise RunNotFound(
            f"The run “{run.name}” cannot be compared with itself. `switchboard evaluate --list` shows the others."
        )
    return await runs.load(found.id)


async def _catch_up(core: Core, to: Outlets, going_on: Run | None = None) -> None:
    """Does what follows from the last finished run where it was killed before that. One that is gone on with now will
    have its turn."""
    if sentence := await fitted_elsewhere(core):
        to.err.print(f"[yellow]{escape(sentence)}[/]")
    run = await unconcluded(core)
    if run is None or (going_on is not None and going_on.id == run.id):
        return
    to.err.print(f"The run “{escape(run.name)}” was stopped before anything was learned from it. That is done now.")
    for each in await conclude(core, run):
        to.err.print(escape(each))


async def _go_on(
    core: Core, run: Run, golden: Sequence[Golden], order: Order, to: Outlets, earlier: Record | None
) -> None:
    runs = Runs(core.engine)
    spent, _ = await runs.spent(run.id)
    limit = run.budget if order.budget is None else order.budget
    if limit is not None and limit < spent:
        raise UnusableGolden(
            f"The run “{run.name}” has cost {dollars(spent)} already. --budget is for all of it: name a greater one."
        )
    budget = Budget(limit, spent)
    gate = Gate(ledger=core.ledger, prices=core.prices, clock=core.clock, patience=PATIENCE)
    answers = Answers(core.engine, gate, core.prices, budget, core.clock, fresh=order.fresh)
    record = await runs.load(run.id)
    evaluation = Evaluation(
        run=run,
        ways=record.matrix.ways,
        runs=runs,
        assistant=core.assistant,
        models=core.models,
        answers=answers,
        scorers=Scorers(core.assistant.embedder, run.scorers),
        budget=budget,
        answer_tokens=core.settings.answers.max_tokens,
        parallel=order.parallel,
        clock=core.clock,
        documents=await _documents(core, run),
    )
    try:
        with to.err.status("Evaluating") as status:

            def progressed(progress: Progress) -> None:
                of = f" of {dollars(limit)}" if limit is not None else ""
                status.update(f"{progress.done:,} of {progress.total:,} questions, {dollars(budget.spent)}{of} spent")

            run = await evaluation.run(golden, progressed)
    except (asyncio.CancelledError, SwitchboardError, KnowledgeError):
        to.err.print(f"Stopped. What was done is kept: `switchboard evaluate --resume {typed(run)}` goes on.")
        raise
    if evaluation.refused is not None:
        told = f"{evaluation.refused} What was left out stays to be done: "
        to.err.print(f"[yellow]{escape(told)}[/]`switchboard evaluate --resume {typed(run)}` goes on.")
    if answers.reused:
        noun = "answer was" if answers.reused == 1 else "answers were"
        to.err.print(f"{answers.reused:,} {noun} kept from before and cost nothing again.")
    learned: tuple[str, ...] = ()
    if run.finished is not None:
        with to.err.status("Fitting the estimates"):
            learned = await conclude(core, run)
    await hand_out(core, await runs.load(run.id), to, earlier)
    to.tell(learned)


async def _documents(core: Core, run: Run) -> frozenset[str]:
    """The names of all documents that the run's audience may read."""
    found = await core.knowledge.titles(frozenset(run.audience))
    return frozenset(name for title in found for name in document_names(*title))
