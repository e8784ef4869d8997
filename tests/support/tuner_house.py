"""What all tuners have in common, held against each of them: begun once, watched, cancelled, told in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from job_server import JobServer
from training_house import plain_questions
from training_rows import row

from bot.models.cards import ModelCard
from bot.models.catalogue import Provider
from bot.models.tuning_jobs import TuningJobs
from bot.tuning.command import CommandTuner, read_command
from bot.tuning.hosted import HostedTuner
from bot.tuning.row import FILES, PARTS, written
from bot.tuning.tuner import ENDED, Look, Order, Parameters, Tuner

CARD = ModelCard(name="tunable", provider="house", context_window=4096, fine_tunable=True)
SCRIPT = """
echo '{{"step": 1, "figures": {{"loss": 2.5, "num_tokens": 40}}}}' >> {events}
until [ -e go ] || [ -e bad ]; do sleep 0.05; done
[ -e bad ] && echo "the disk is on fire" && exit 7
echo '{{"step": 2, "figures": {{"loss": 1.5, "num_tokens": 80}}}}' >> {events}
mkdir -p {out} && cp {train} {out}/model
"""


@dataclass(frozen=True)
class House:
    """A tuner with an order. `again` opens it as another process would; `finish` and `break_down` end the training."""

    tuner: Tuner
    order: Order
    again: Callable[[], Tuner]
    finish: Callable[[], Awaitable[None]]
    break_down: Callable[[], Awaitable[None]]
    begun: Callable[[], int]


def data_in(folder: Path, count: int = 20) -> Path:
    """The files of a data set."""
    rows = [row(question, f"With tool number {n}.", n) for n, question in enumerate(plain_questions(count))]
    pairs = [row("How do we sell?", "Well.", 1, "choice", rejected="Badly.")]
    parts = {"train": rows[2:], "validation": rows[:2], "preferences": pairs}
    folder.mkdir()
    for part in PARTS:
        (folder / FILES[part]).write_text(written(part, parts[part]), encoding="utf-8")
    return folder


def order_in(folder: Path, base: str = "base-model", run: str = "abcd1234", **parameters: object) -> Order:
    """An order on that data."""
    return Order(run=run, data=data_in(folder / "data"), base=base, parameters=Parameters(**parameters))  # type: ignore[arg-type]


def jobs_of(server: JobServer, card: ModelCard = CARD) -> TuningJobs:
    """A client of the server."""
    return TuningJobs(card, Provider(name="house", base_url=server.url, local=True), None)


@asynccontextmanager
async def hosted_house(folder: Path) -> AsyncIterator[House]:
    """A server that tunes."""
    async with JobServer() as server:
        clients = [jobs_of(server)]

        def again() -> Tuner:
            clients.append(jobs_of(server))
            return HostedTuner(clients[-1])

        async def finish() -> None:
            server.step(1, train_loss=2.5)
            server.end("succeeded")

        async def break_down() -> None:
            server.end("failed", error="The file is on fire.")

        tuner = HostedTuner(clients[0])
        yield House(tuner, order_in(folder), again, finish, break_down, lambda: len(server.jobs))
        for client in clients:
            await client.close()


@asynccontextmanager
async def command_house(folder: Path) -> AsyncIterator[House]:
    """A shell script."""
    file = folder / "command.yaml"
    script = SCRIPT.strip().replace("\n", "\n      ")
    file.write_text(f"command:\n  - sh\n  - -c\n  - |\n      {script}\n", encoding="utf-8")
    runs, order = folder / "tuned", order_in(folder)

    def again() -> Tuner:
        return CommandTuner(read_command(file), runs)

    async def finish() -> None:
        (runs / order.run / "go").touch()

    async def break_down() -> None:
        (runs / order.run / "bad").touch()

    def begun() -> int:
        return (runs / order.run / "events.jsonl").read_text().count('"attempt"')

    tuner = again()
    yield House(tuner, order, again, finish, break_down, begun)
    await tuner.cancel(order, "")


async def until_ended(tuner: Tuner, order: Order, job: str, seconds: float = 60.0) -> Look:
    """The last look: what trains is another process, or another machine."""
    async with asyncio.timeout(seconds):
        while True:
            look = await tuner.look(order, job)
            if look.state in ENDED:
                return look
            await asyncio.sleep(0.05)


async def it_is_begun_once(house: House) -> None:
    """Also by another process that does not know of it."""
    job = await house.tuner.begin(house.order, None)
    assert await house.again().begin(house.order, None) == job
    assert await house.tuner.begin(house.order, job) == job
    assert (await house.again().look(house.order, job)).state == "running"
    assert house.begun() == 1


async def it_ends_well_with_its_figures(house: House) -> None:
    """And stays so."""
    job = await house.tuner.begin(house.order, None)
    await house.finish()
    look = await until_ended(house.tuner, house.order, job)
    assert (look.state, look.problem) == ("succeeded", "")
    assert look.result
    assert look.tokens
    assert any("loss" in name for step in look.steps.values() for name in step.figures)
    assert await house.again().begin(house.order, job) == job
    assert await house.again().look(house.order, job) == look
    assert house.begun() == 1


async def it_can_be_cancelled(house: House) -> None:
    """Once and again."""
    job = await house.tuner.begin(house.order, None)
    await house.tuner.cancel(house.order, job)
    look = await until_ended(house.again(), house.order, job)
    assert (look.state, look.result) == ("cancelled", "")
    await house.tuner.cancel(house.order, job)
    assert (await house.tuner.look(house.order, job)).state == "cancelled"


async def it_says_why_it_failed(house: House, words: str) -> None:
    """In its own words."""
    job = await house.tuner.begin(house.order, None)
    await house.break_down()
    look = await until_ended(house.tuner, house.order, job)
    assert look.state == "failed"
    assert words in look.problem
