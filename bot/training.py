"""What `switchboard tune run` and its kin do and print: training runs, and the models that come of them."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import COMMAND_LINE
from bot.config import Settings
from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.money import dollars
from bot.errors import ConfigError, UnknownModel, UnusableTraining
from bot.models.cards import ModelCard
from bot.models.catalogue import Catalogue, load_catalogue
from bot.models.tuning_jobs import TuningJobs
from bot.printing import print_json, print_table, table_of
from bot.secrets import mlflow_headers, provider_keys
from bot.selection.rollouts import Rollouts
from bot.storage.engine import open_existing
from bot.tuning.command import CommandTuner, read_command
from bot.tuning.datasets import RUNS, SHORT, Datasets
from bot.tuning.hosted import HostedTuner
from bot.tuning.leading import Leading, estimated, untracked
from bot.tuning.local import LocalTuner
from bot.tuning.mlflow import Mlflow
from bot.tuning.runs import Run, Runs
from bot.tuning.tracking import Tracking
from bot.tuning.tuner import Look, Parameters, Tuner
from bot.worker import Worker
from knowledge import access


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What was asked for. `by`: local, hosted or command; `base`: a card's name, or a folder with a model."""

    by: str
    data: str
    base: str
    command: Path | None = None
    parameters: Parameters = field(default_factory=Parameters)
    pause: float = 2.0


async def begin(settings: Settings, order: RunOrder, out: Console) -> None:
    """Orders a run and leads it to its end. Raises UnusableTraining, OverBudget and ModelError."""
    async with _database(settings) as engine:
        catalogue = _catalogue(settings)
        card = _card(catalogue, order.base)
        if order.by == "hosted" and card is None:
            raise UnusableTraining(f"“{order.base}” is no model of the catalogue, so no server is known that tunes it.")
        dataset = await Datasets(engine, settings.data_dir).find(order.data)
        await Datasets(engine, settings.data_dir).files(dataset.id)
        parameters: dict[str, Any] = order.parameters.plain()
        if order.by == "command":
            if order.command is None:
                raise UnusableTraining("Name the file with the command: `--command FILE`.")
            read_command(order.command)
            parameters["command"] = str(order.command.absolute())
        run = await Runs(engine).order(
            tuner=order.by,
            dataset=dataset.id,
            base=order.base,
            parameters=parameters,
            held=estimated(card, int(dataset.report["tokens"]), order.parameters.epochs),
            by=COMMAND_LINE,
            at=datetime.now(UTC),
        )
        out.print(f"Run [bold]{run.id}[/]. If this ends before it does: `switchboard tune resume {run.id}`.")
        await _lead(settings, engine, catalogue, run, order.pause, out)


async def resume(settings: Settings, typed: str, out: Console, pause: float = 2.0) -> None:
    """Leads a run that nobody leads any more. Raises what `begin` raises."""
    async with _database(settings) as engine:
        run = await Runs(engine).find(typed)
        await _lead(settings, engine, _catalogue(settings), run, pause, out)


async def list_runs(settings: Settings, out: Console, as_json: bool) -> None:
    """Prints the runs, newest first."""
    async with _database(settings) as engine:
        runs = await Runs(engine).all()
    if as_json:
        print_json(out, [asdict(run) for run in runs])
        return
    if not runs:
        out.print("Nothing was trained yet. `switchboard tune run --base NAME` does it.")
        return
    table = table_of("run", "ordered", "by", "base", "data", "state", "cost", "model")
    for run in runs:
        when = run.ordered_at.astimezone(settings.report.zone).strftime("%Y-%m-%d %H:%M")
        table.add_row(
            run.id, when, run.tuner, escape(run.base), run.dataset[:SHORT], run.state, _cost(run), _model(run)
        )
    print_table(out, table)


async def show(settings: Settings, typed: str, out: Console, as_json: bool) -> None:
    """Prints a run with its figures. Raises UnusableTraining."""
    async with _database(settings) as engine:
        run = await Runs(engine).find(typed)
        steps = await Runs(engine).steps(run.id)
    if as_json:
        print_json(out, {**asdict(run), "steps": {number: asdict(step) for number, step in steps.items()}})
        return
    out.print(f"[bold]{run.id}[/]  {run.state}, {run.tuner}, {escape(run.base)}, data {run.dataset[:SHORT]}")
    out.print(escape(", ".join(f"{name} {value}" for name, value in run.parameters.items() if value != "")))
    out.print(f"Cost: {_cost(run)}. Tokens: {'unknown' if run.tokens is None else f'{run.tokens:,}'}.")
    for line in (run.problem, f"Result: {run.result}" if run.result else "", _model(run), _proposal(run)):
        if line:
            out.print(escape(line))
    for number, step in [*steps.items()][-10:]:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in step.figures.items())
        out.print(escape(f"  step {number}: {figures}{f', {step.checkpoint}' if step.checkpoint else ''}"))


async def compare(settings: Settings, typed: tuple[str, str], out: Console) -> None:
    """Prints two runs side by side: what differs, and what came of them. Raises UnusableTraining."""
    async with _database(settings) as engine:
        runs = Runs(engine)
        both = [await runs.find(one) for one in typed]
        steps = [await runs.steps(run.id) for run in both]
    table = table_of("", *(run.id for run in both))
    names = dict.fromkeys([*both[0].parameters, *both[1].parameters])
    rows = [(name, *(str(run.parameters.get(name, "–")) for run in both)) for name in names]
    rows = [("data", *(run.dataset[:SHORT] for run in both)), ("base", *(run.base for run in both)), *rows]
    for name, one, other in rows:
        if one != other:
            table.add_row(name, escape(one), escape(other))
    for figure in ("loss", "eval_loss", "rewards/accuracies"):
        last = [[step.figures[figure] for step in each.values() if figure in step.figures][-1:] for each in steps]
        if any(last):
            table.add_row(figure, *(f"{value[0]:.4g}" if value else "–" for value in last))
    table.add_row("state", *(run.state for run in both))
    table.add_row("tokens", *("unknown" if run.tokens is None else f"{run.tokens:,}" for run in both))
    table.add_row("cost", *map(_cost, both))
    print_table(out, table)


async def cancel(settings: Settings, typed: str, out: Console) -> None:
    """Asks for a run's end; whoever leads it tells when it has. Raises UnusableTraining and ModelError."""
    async with _database(settings) as engine, AsyncExitStack() as stack:
        run = await Runs(engine).find(typed)
        if run.has_ended:
            raise UnusableTraining(f"The run {run.id} has ended already: {run.state}.")
        if run.job is None:
            await Runs(engine).end(run.id, Look(state="cancelled"), cost=None, at=datetime.now(UTC), by=COMMAND_LINE)
        else:
            catalogue = _catalogue(settings)
            tuner = await _tuner(settings, catalogue, run, stack)
            leading = Leading.order_of(run, _card(catalogue, run.base), Path())
            await tuner.cancel(leading, run.job)
        out.print(f"The run {run.id} is being cancelled. `switchboard tune resume {run.id}` follows it to its end.")


async def take_in(settings: Settings, result: str, base: str, data: str, out: Console) -> None:
    """Keeps what was trained elsewhere as a run that succeeded. Raises UnusableTraining where it is not whole."""
    problem = folder_problem(Path(result)) if Path(result).is_dir() else ""
    if problem:
        raise UnusableTraining(problem)
    async with _database(settings) as engine:
        dataset = await Datasets(engine, settings.data_dir).find(data)
        kept = str(Path(result).absolute()) if Path(result).is_dir() else result
        run = await Runs(engine).order(
            tuner="import",
            dataset=dataset.id,
            base=base,
            parameters={},
            held=None,
            by=COMMAND_LINE,
            at=datetime.now(UTC),
            state="succeeded",
            result=kept,
        )
    out.print(f"Run [bold]{run.id}[/] stands for it. `switchboard tune register {run.id}` makes a model card of it.")


async def register(
    settings: Settings, typed: str, name: str, provider: str, kind: str, model_id: str, out: Console
) -> None:
    """Gives what came of a run a card of its own. Raises UnusableTraining and ConfigError."""
    async with _database(settings) as engine:
        run, catalogue = await Runs(engine).find(typed), _catalogue(settings)
        dataset = await Datasets(engine, settings.data_dir).find(run.dataset)
        if run.state != "succeeded":
            raise UnusableTraining(f"The run {run.id} {run.state}: nothing came of it that could be registered.")
        if run.withdrawn_at is not None or dataset.withdrawn_at is not None:
            raise UnusableTraining(f"Words that the run {run.id} was trained on were withdrawn. Train on new data.")
        if frozenset(dataset.audience) - access.MEMBERS:
            raise UnusableTraining(
                f"The run {run.id} was trained on what only {', '.join(dataset.audience)} may read, and a model in the "
                "catalogue answers everybody. Serve it apart, or train on what everyone may read."
            )
        if provider not in catalogue.providers:
            known = ", ".join(sorted(catalogue.providers))
            raise ConfigError(f"There is no provider “{provider}” that could serve it. Known: {known}.")
        card = _card_of(run, _card(catalogue, run.base), name, provider, kind, model_id)
        await Runs(engine).register(run.id, card, by=COMMAND_LINE, at=datetime.now(UTC))
        await Rollouts(engine).begin(name, by=COMMAND_LINE, why=f"run {run.id}")
    out.print(
        f"“{escape(name)}” is in the catalogue, for questions about {escape(kind)}; a running bot has it within "
        "seconds. It is in the shadow and answers nobody yet: `/tune` takes it further."
    )


async def retire(settings: Settings, typed: str, reason: str, out: Console) -> None:
    """Takes the model of a run out of the catalogue. Raises UnusableTraining."""
    async with _database(settings) as engine:
        run = await Runs(engine).find(typed)
        await Runs(engine).retire(run.id, by=COMMAND_LINE, at=datetime.now(UTC), reason=reason)
    out.print(f"The model of the run {run.id} is out of the catalogue; a running bot stops asking it within seconds.")


def folder_problem(folder: Path) -> str:
    """Why a folder holds no model that can be served; "" where it does."""
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        return f"{folder} is an adapter without its base, which no server takes alone. Merge the two first."
    if not (folder / "config.json").is_file():
        return f"{folder} holds no model: it has no config.json."
    told = folder / "tokenizer_config.json"
    templates = (folder / "chat_template.jinja", folder / "chat_template.json")
    if not any(file.is_file() for file in templates) and (
        not told.is_file() or "chat_template" not in told.read_text()
    ):
        return f"The model in {folder} has no chat template, so it cannot tell a question from its answer."
    return ""


async def _lead(
    settings: Settings, engine: AsyncEngine, catalogue: Catalogue, run: Run, pause: float, out: Console
) -> None:
    async with AsyncExitStack() as stack:
        worker = Worker(engine, alone=False)
        await worker.start()
        stack.push_async_callback(worker.close)
        ledger = Ledger(engine, budgets=Budgets(engine, settings.report.zone), worker=worker)
        stack.push_async_callback(ledger.catch_up)
        tracking = _tracking(settings, engine, stack, out)
        tuner = await _tuner(settings, catalogue, run, stack)
        leading = Leading(
            engine,
            runs=Runs(engine),
            datasets=Datasets(engine, settings.data_dir),
            ledger=ledger,
            worker=worker,
            clock=lambda: datetime.now(UTC),
            pause=pause,
            tell=_Telling(out),
            track=tracking.follow if tracking is not None else untracked,
        )
        done = await leading.lead(run.id, tuner, _card(catalogue, run.base))
        if tracking is not None:
            await tracking.finish(done.id)
    out.print(f"The run {done.id} {done.state}. Cost: {_cost(done)}.")
    for line in (done.problem, f"Result: {done.result}" if done.result else ""):
        if line:
            out.print(escape(line))
    if done.state == "succeeded":
        out.print(f"`switchboard tune register {done.id}` makes a model card of it.")


def _tracking(settings: Settings, engine: AsyncEngine, stack: AsyncExitStack, out: Console) -> Tracking | None:
    if not settings.tuning.mlflow:
        return None
    server = Mlflow(settings.tuning.mlflow, settings.tuning.experiment, mlflow_headers())
    stack.push_async_callback(server.close)
    datasets = Datasets(engine, settings.data_dir)
    return Tracking(server, Runs(engine), datasets, lambda sentence: out.print(escape(sentence)))


class _Telling:
    """Prints each new step once."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._told = -1
        self._problem = ""

    def __call__(self, look: Look) -> None:
        for number, step in sorted(look.steps.items()):
            shown = {name: value for name, value in step.figures.items() if "loss" in name or "accura" in name}
            if number > self._told and shown:
                self._told = number
                figures = ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
                self._out.print(f"step {number}: {figures}")
        if look.problem and look.problem != self._problem:
            self._problem = look.problem
            self._out.print(escape(look.problem))


async def _tuner(settings: Settings, catalogue: Catalogue, run: Run, stack: AsyncExitStack) -> Tuner:
    folder = settings.data_dir / RUNS
    if run.tuner == "local":
        return LocalTuner(settings.tuning.python or sys.executable, folder)
    if run.tuner == "command":
        return CommandTuner(read_command(Path(str(run.parameters["command"]))), folder)
    if run.tuner != "hosted":
        raise UnusableTraining(f"The run {run.id} was trained elsewhere and taken in; there is nothing to lead.")
    card = catalogue.get(run.base)
    provider = catalogue.providers[card.provider]
    key = provider_keys({provider.name: provider.api_key_env}).get(provider.name)
    if provider.api_key_env and key is None:
        raise UnusableTraining(f"{provider.label} wants a key: set {provider.api_key_env}.")
    jobs = TuningJobs(card, provider, key)
    stack.push_async_callback(jobs.close)
    return HostedTuner(jobs)


def _card_of(run: Run, base: ModelCard | None, name: str, provider: str, kind: str, model_id: str) -> dict[str, Any]:
    """The card's own fields; its prompts are read from the data."""
    facts = base.facts() if base is not None else {"context_window": run.asked_with.max_tokens}
    kept = {name: value for name, value in facts.items() if name not in ("summary", "url", "published", "openness")}
    tune = {"kind": kind, "base": run.base, "data": run.dataset, "run": run.id}
    summary = f"Tuned on {run.base} by run {run.id}."
    own = {"name": name, "id": model_id or run.result or name, "provider": provider, "summary": summary}
    return {**kept, **own, "fine_tune": tune}


def _catalogue(settings: Settings) -> Catalogue:
    return load_catalogue(settings.models.cards, settings.costs.currencies)


def _card(catalogue: Catalogue, name: str) -> ModelCard | None:
    """The card of that name; None for a folder."""
    if Path(name).is_dir():
        return None
    try:
        return catalogue.get(name)
    except UnknownModel as error:
        raise UnusableTraining(f"“{name}” is neither a folder nor a model of the catalogue. {error}") from error


def _cost(run: Run) -> str:
    if run.cost is not None:
        return dollars(run.cost)
    if run.has_ended:
        return "unknown"
    return "unknown so far" if run.held is None else f"at most {dollars(run.held)}"


def _model(run: Run) -> str:
    if run.card is None:
        return ""
    return f"{run.card['name']}{' (retired)' if run.retired_at else ''}"


def _proposal(run: Run) -> str:
    if run.withdrawn_at is None:
        return ""
    told = f"Words that it was trained on were withdrawn on {run.withdrawn_at:%Y-%m-%d}."
    in_use = run.registered_at is not None and run.retired_at is None
    return f"{told} Retire it: `switchboard tune retire {run.id}`." if in_use else told


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    async with open_existing(settings.database_url, "Nothing was trained yet", "The training runs") as engine:
        yield engine
