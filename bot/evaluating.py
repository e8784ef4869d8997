"""`switchboard evaluate`: golden questions by every way, as a table or as JSON; kept, resumed and shown again."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.config import Settings
from bot.core import Core, open_core
from bot.costs.money import dollars
from bot.domain import StrategyName
from bot.errors import RunNotFound, SwitchboardError, UnusableGolden
from bot.evaluation import shown
from bot.evaluation.agreement import Agreement, Judged, with_people
from bot.evaluation.answers import Answers
from bot.evaluation.budget import Budget
from bot.evaluation.golden import Golden, GoldenSet
from bot.evaluation.golden_file import read_golden
from bot.evaluation.planning import Order, bounded, changed, planned
from bot.evaluation.run import Run
from bot.evaluation.runner import Evaluation, Progress
from bot.evaluation.runs import Record, Runs
from bot.evaluation.scorers import JUDGE, Scorers
from bot.evaluation.thumbs import golden_from_thumbs
from bot.evaluation.ways import ways_of
from bot.gate import Gate
from bot.models.retry import Patience
from knowledge import access
from knowledge.errors import KnowledgeError

_WIDE = 200
PATIENCE = Patience(tries=4, seconds=60.0, first_pause=1.0)


async def evaluate(settings: Settings, order: Order, out: Console, err: Console, as_json: bool) -> None:
    """Runs an evaluation after taking in what changed in the sources, and prints what came of it."""
    scopes = access.parse_scopes(order.readers or [access.EVERYONE]) | access.PUBLIC
    order = order.checked()
    golden = await asyncio.to_thread(read_golden, order.file) if order.file else None
    async with open_core(settings) as core:
        golden = golden or await golden_from_thumbs(core.engine, scopes, staying=await core.channels.staying())
        _tell(golden, err)
        cards = [core.models.model(name).card for name in order.models] or core.models.usable()
        ways = ways_of(
            [StrategyName(name) for name in order.strategies], tuple({card.name: card for card in cards}.values())
        )
        golden = bounded(golden, ways, order)
        with err.status("Looking through the knowledge sources"):
            await core.knowledge.refresh()
        run = await planned(core, order, golden, ways, scopes)
        ordered = golden.limited(len(golden.questions)).questions
        await Runs(core.engine).start(run, ways, ordered)
        await _go_on(core, run, ordered, order, out, err, as_json)


async def resume(settings: Settings, name: str, order: Order, out: Console, err: Console, as_json: bool) -> None:
    """Goes on with a run that was stopped, killed or out of money. Raises RunNotFound where it cannot be."""
    async with open_core(settings) as core:
        runs = Runs(core.engine)
        run = await runs.find(name)
        record = await runs.load(run.id)
        if different := await changed(core, run, record.matrix.ways):
            raise RunNotFound(
                f"The run “{run.name}” cannot be gone on with: {', '.join(different)} changed since, so the rest would "
                "not be comparable. Start a new run: what is still asked the same costs nothing again."
            )
        await _go_on(core, run, record.golden, order, out, err, as_json)


async def show(settings: Settings, name: str, out: Console, err: Console, as_json: bool) -> None:
    """Prints a run that was kept. Raises RunNotFound."""
    async with open_core(settings) as core:
        runs = Runs(core.engine)
        await _print(core, await runs.load((await runs.find(name)).id), out, err, as_json)


async def list_runs(settings: Settings, out: Console, as_json: bool) -> None:
    """Prints the runs that were kept, newest first."""
    async with open_core(settings) as core:
        kept = await Runs(core.engine).all()
    if as_json:
        out.print_json(json.dumps([asdict(run) for run in kept], default=str))
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
    _wide(out).print(table)


def _wide(out: Console) -> Console:
    """Where tables go: a file or a pipe has no edge at which lines would have to be broken."""
    return out if out.is_terminal else Console(file=out.file, width=_WIDE, highlight=False)


def _tell(golden: GoldenSet, err: Console) -> None:
    for sentence in (*golden.problems, *golden.notes):
        err.print(f"[yellow]{escape(sentence)}[/]")


async def _go_on(
    core: Core, run: Run, golden: Sequence[Golden], order: Order, out: Console, err: Console, as_json: bool
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
    )
    try:
        with err.status("Evaluating") as status:

            def progressed(progress: Progress) -> None:
                of = f" of {dollars(limit)}" if limit is not None else ""
                status.update(f"{progress.done:,} of {progress.total:,} questions, {dollars(budget.spent)}{of} spent")

            await evaluation.run(golden, progressed)
    except (asyncio.CancelledError, SwitchboardError, KnowledgeError):
        err.print(f"Stopped. What was done is kept: `switchboard evaluate --resume {_typed(run)}` goes on.")
        raise
    if answers.reused:
        noun = "answer was" if answers.reused == 1 else "answers were"
        err.print(f"{answers.reused:,} {noun} kept from before and cost nothing again.")
    await _print(core, await runs.load(run.id), out, err, as_json)


async def _print(core: Core, record: Record, out: Console, err: Console, as_json: bool) -> None:
    run = record.run
    people = await with_people(core.engine, _judged(record)) if run.judge else None
    if as_json:
        document = shown.as_json(record) | {"agreement_with_people": asdict(people) if people else None}
        out.print_json(json.dumps(document, default=str, ensure_ascii=False))
    else:
        out.print(f"{run.questions:,} golden questions of {escape(run.source)}\n")
        _wide(out).print(shown.table(shown.summaries(record.matrix)))
        out.print()
        for sentence in (*shown.remarks(record), *_of_judge(run, people)):
            out.print(escape(sentence))
    for detail, count in shown.troubles(record):
        err.print(f"[yellow]{count:,} × {escape(detail)}[/]")
    _print_end(run, out if not as_json else err)


def _judged(record: Record) -> list[Judged]:
    """The judge's scores. An answer that is itself what is expected proves nothing and is left out."""
    found: list[Judged] = []
    for golden in record.golden:
        for way in record.matrix.ways:
            cell = record.matrix.cells.get((golden.id, way))
            if cell is not None and JUDGE in cell.scores and cell.answer not in golden.answers:
                found.append(Judged(golden.question, cell.answer, cell.scores[JUDGE]))
    return found


def _of_judge(run: Run, people: Agreement | None) -> list[str]:
    if not run.judge:
        return []
    if people is None:
        return [f"{run.judge} judged. Nobody gave these very answers a thumb, so how far it agrees is not known."]
    kappa = "" if people.kappa is None else f", Cohen's kappa {people.kappa:.2f}"
    noun = "answer" if people.n == 1 else "answers"
    return [f"{run.judge} judged. It agrees with people on {people.share:.0%} of {people.n} {noun}{kappa}."]


def _print_end(run: Run, out: Console) -> None:
    name = _typed(run)
    of = f" of {dollars(run.budget)}" if run.budget is not None else ""
    out.print(f"\nThis run is called {escape(run.name)}; it cost {dollars(run.spent)}{of}. See it again: ", end="")
    out.print(f"`switchboard evaluate --show {name}`.")
    if run.finished is None:
        out.print(
            f"It is not finished. Go on with `switchboard evaluate --resume {name}`, where the budget ended with a "
            "greater --budget; what is done is not paid for again."
        )


def _typed(run: Run) -> str:
    """The run's name as it is typed on a command line."""
    return escape(shlex.quote(run.name))
