"""Runs in the database: one process leads, money is held before and settled after, nothing is begun or paid twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from job_server import JobServer
from sqlalchemy.ext.asyncio import AsyncEngine
from training_house import ThingsEmbedder, plain_questions
from training_rows import NOW, row
from tuner_house import CARD, jobs_of

from bot.audit import Audit
from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.errors import ModelError, OverBudget, UnusableTraining
from bot.models.cards import ModelCard
from bot.storage.cost_tables import ledger as ledger_table
from bot.tuning.consents import Consents
from bot.tuning.datasets import Datasets, made
from bot.tuning.gathering import Gathered
from bot.tuning.hosted import HostedTuner
from bot.tuning.leading import WITHDRAWN, Leading, estimated
from bot.tuning.runs import Run, Runs
from bot.tuning.tuner import Look, Parameters, Step
from bot.worker import Worker

PRICED = CARD.model_copy(update={"training_rate": Decimal(8)})


class Process:
    """What one process has of all this."""

    def __init__(self, engine: AsyncEngine, folder: Path, worker: Worker, server: JobServer) -> None:
        self.runs = Runs(engine)
        self.datasets = Datasets(engine, folder)
        self.worker = worker
        self.jobs = jobs_of(server)
        self.tuner = HostedTuner(self.jobs)
        self.looks: list[Look] = []
        self.looked = asyncio.Event()
        self.on_look: Callable[[Look], None] = lambda look: None
        self.ledger = Ledger(engine, budgets=Budgets(engine, UTC), worker=worker)
        self.leading = Leading(
            engine,
            runs=self.runs,
            datasets=self.datasets,
            ledger=self.ledger,
            worker=worker,
            clock=lambda: datetime.now(UTC),
            pause=0.01,
            patience=0.0,
            tell=self._tell,
        )

    def _tell(self, look: Look) -> None:
        self.looks.append(look)
        self.looked.set()
        self.on_look(look)


@asynccontextmanager
async def process(engine: AsyncEngine, folder: Path, server: JobServer) -> AsyncIterator[Process]:
    worker = Worker(engine, alone=False)
    await worker.start()
    one = Process(engine, folder, worker, server)
    yield one
    await one.jobs.close()
    await worker.close()


@pytest.fixture
async def server() -> AsyncIterator[JobServer]:
    async with JobServer() as running:
        yield running


@pytest.fixture
async def here(engine: AsyncEngine, tmp_path: Path, server: JobServer) -> AsyncIterator[Process]:
    async with process(engine, tmp_path, server) as one:
        yield one


async def ordered(here: Process, card: ModelCard = PRICED, **fields: Any) -> Run:
    gathered = Gathered([row(text, f"With tool {n}.", n) for n, text in enumerate(plain_questions(20))])
    data = await made(gathered, (), ["everyone"], ThingsEmbedder())
    await here.datasets.keep(data, by="ana", at=NOW)
    values = {"tuner": "hosted", "dataset": data.id, "base": "tunable", "by": "ana", "at": NOW, **fields}
    return await here.runs.order(parameters=Parameters().plain(), held=estimated(card, data.report.tokens, 3), **values)


async def calls(engine: AsyncEngine) -> list[tuple[str, str, Decimal | None, int | None]]:
    async with engine.connect() as connection:
        rows = await connection.execute(sa.select(ledger_table).order_by(ledger_table.c.id))
        return [(one.purpose, one.outcome, one.cost, one.prompt_tokens) for one in rows]


def ending(server: JobServer, status: str, after: int = 2, **how: Any) -> Callable[[Look], None]:
    """Ends the job after so many looks."""
    left = [after]

    def on_look(look: Look) -> None:
        left[0] -= 1
        if left[0] == 1:
            server.step(10, train_loss=1.25)
        if left[0] == 0:
            server.end(status, **how)

    return on_look


async def test_a_run_that_ends_well_is_kept_with_its_figures_and_its_price(
    engine: AsyncEngine, here: Process, server: JobServer
) -> None:
    run = await ordered(here)
    assert run.held is not None
    here.on_look = ending(server, "succeeded", tokens=250_000)
    done = await here.leading.lead(run.id, here.tuner, PRICED)
    assert (done.state, done.result, done.tokens, done.cost) == (
        "succeeded",
        "ft:tunable:team:0001",
        250_000,
        Decimal(2),
    )
    assert (await here.runs.steps(run.id))[10].figures == {"train_loss": 1.25}
    assert await calls(engine) == [("fine_tune", "answered", Decimal(2), 250_000)]
    assert await here.leading.lead(run.id, here.tuner, PRICED) == done
    assert [entry.action for entry in await Audit(engine).entries(what="training ")] == [
        "training ended",
        "training ordered",
        "training data made",
    ]


async def test_a_figure_that_is_no_number_is_left_out_and_breaks_nothing(here: Process) -> None:
    run = await ordered(here)
    figures = {"loss": float("nan"), "grad_norm": float("inf"), "learning_rate": 0.5}
    await here.runs.keep(run.id, Look(state="running", steps={3: Step(figures)}))
    assert (await here.runs.steps(run.id))[3].figures == {"learning_rate": 0.5}


async def test_a_price_that_nobody_stated_is_unknown_and_not_zero(
    engine: AsyncEngine, here: Process, server: JobServer
) -> None:
    run = await ordered(here, CARD)
    here.on_look = ending(server, "succeeded")
    done = await here.leading.lead(run.id, here.tuner, CARD)
    assert (run.held, done.cost) == (None, None)
    assert (await calls(engine))[0][2] is None


@pytest.mark.parametrize(
    ("status", "outcome", "problem"),
    [
        ("failed", "failed", "The file is odd."),
        ("cancelled", "stopped", None),
        ("expired", "failed", "gave the job up"),
    ],
)
async def test_however_a_job_ends_the_run_says_so(
    engine: AsyncEngine, here: Process, server: JobServer, status: str, outcome: str, problem: str | None
) -> None:
    run = await ordered(here)
    here.on_look = ending(server, status, tokens=0, error="The file is odd." if status == "failed" else "")
    done = await here.leading.lead(run.id, here.tuner, PRICED)
    assert (done.state, done.cost, done.result) == (status, Decimal(0), None)
    assert done.problem is None if problem is None else problem in str(done.problem)
    assert await calls(engine) == [("fine_tune", outcome, Decimal(0), 0)]


async def test_whoever_takes_over_after_a_kill_begins_nothing_and_pays_nothing_again(
    engine: AsyncEngine, here: Process, server: JobServer, tmp_path: Path
) -> None:
    run = await ordered(here)
    server.cut = True  # the job is made, and its answer never comes
    with pytest.raises(ModelError):
        await here.leading.lead(run.id, here.tuner, PRICED)
    server.cut = False
    await here.worker.close()
    async with process(engine, tmp_path, server) as other:
        leading = asyncio.create_task(other.leading.lead(run.id, other.tuner, PRICED))
        await other.looked.wait()
        leading.cancel()  # killed once more, now while it watches
        await asyncio.wait({leading})
    async with process(engine, tmp_path, server) as third:
        third.on_look = ending(server, "succeeded", tokens=1_000_000)
        done = await third.leading.lead(run.id, third.tuner, PRICED)
    assert (done.state, done.cost, len(server.jobs)) == ("succeeded", Decimal(8), 1)
    assert await calls(engine) == [("fine_tune", "answered", Decimal(8), 1_000_000)]


async def test_while_one_process_leads_no_other_does(
    engine: AsyncEngine, here: Process, server: JobServer, tmp_path: Path
) -> None:
    run = await ordered(here)
    leading = asyncio.create_task(here.leading.lead(run.id, here.tuner, PRICED))
    await here.looked.wait()
    async with process(engine, tmp_path, server) as other:
        with pytest.raises(UnusableTraining, match="Another process leads"):
            await other.leading.lead(run.id, other.tuner, PRICED)
    server.end("succeeded")
    assert (await leading).state == "succeeded"
    assert len(server.jobs) == 1


async def test_a_server_that_is_away_for_a_while_ends_nothing(
    engine: AsyncEngine, here: Process, server: JobServer
) -> None:
    run = await ordered(here)
    kept: dict[str, Any] = {}

    def on_look(look: Look) -> None:
        if len(here.looks) == 1:
            server.break_next = 3
        if look.problem:
            kept["problem"] = look.problem
        if len(here.looks) == 6:
            server.end("succeeded")

    here.on_look = on_look
    assert (await here.leading.lead(run.id, here.tuner, PRICED)).state == "succeeded"
    assert "house" in kept["problem"]


async def test_where_a_hard_budget_has_no_room_nothing_is_begun(
    engine: AsyncEngine, here: Process, server: JobServer
) -> None:
    run = await ordered(here)
    await no_money(engine)
    with pytest.raises(OverBudget):
        await here.leading.lead(run.id, here.tuner, PRICED)
    assert (server.jobs, await calls(engine), (await here.runs.find(run.id)).state) == ({}, [], "ordered")


async def no_money(engine: AsyncEngine) -> None:
    cent = Decimal("0.000001")
    await Budgets(engine, UTC).set("workspace", "", "month", cent, hard=True, by="ana", at=datetime.now(UTC))


async def test_words_that_are_withdrawn_while_it_trains_end_it(
    engine: AsyncEngine, here: Process, server: JobServer
) -> None:
    run = await ordered(here)
    withdrawn = asyncio.Event()

    def on_look(look: Look) -> None:
        if len(here.looks) == 2:
            withdrawn.set()

    here.on_look = on_look
    leading = asyncio.create_task(here.leading.lead(run.id, here.tuner, PRICED))
    await withdrawn.wait()
    await Consents(engine, "public").set("U0ANA", False, by="U0ANA")
    done = await leading
    assert (done.state, done.problem) == ("cancelled", WITHDRAWN)
    assert next(iter(server.jobs.values()))["status"] == "cancelled"
    assert done.withdrawn_at is not None


async def test_a_run_that_was_trained_on_withdrawn_words_is_marked_and_its_copies_go(
    engine: AsyncEngine, here: Process, server: JobServer, tmp_path: Path
) -> None:
    run = await ordered(here)
    here.on_look = ending(server, "succeeded")
    await here.leading.lead(run.id, here.tuner, PRICED)
    assert (await here.runs.find(run.id)).withdrawn_at is None
    copy = tmp_path / "tuned" / run.id / "train.jsonl"
    copy.parent.mkdir(parents=True)
    copy.touch()
    await here.datasets.sweep(NOW)
    assert copy.exists()
    await Consents(engine, "public").set("U0BEN", False, by="U0BEN")
    marked = await here.runs.find(run.id)
    assert (marked.state, marked.withdrawn_at is not None) == ("succeeded", True)
    await here.datasets.sweep(NOW)
    assert not copy.exists()


async def test_a_data_set_that_is_whole_no_more_is_not_trained_on(engine: AsyncEngine, here: Process) -> None:
    run = await ordered(here)
    await Consents(engine, "public").set("U0BEN", False, by="U0BEN")
    with pytest.raises(UnusableTraining, match="whole no more"):
        await here.leading.lead(run.id, here.tuner, PRICED)
    done = await here.runs.find(run.id)
    assert (done.state, done.cost) == ("failed", Decimal(0))
