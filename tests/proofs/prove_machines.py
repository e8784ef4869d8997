"""PostgreSQL, a Chroma server, two bots and two workers as processes, each of which is killed while people ask.

    make prove-machines ARGS="--seconds 120 --rate 3"

Every question has to be answered once, the ledger has to be the model server's journal, sources have to be read by the
workers, and in the end every bot has to say at /readyz that all its services are well again.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import proof_result
import sqlalchemy as sa
from chroma_server import OwnChroma
from fates import Fates, compare, look_at, until_quiet
from house import free_port
from model_server import ModelServer
from own_processes import Answering, OwnBot, Team, own_database, own_workspace
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import open_engine
from bot.storage.tables import job_runs
from knowledge.schema import documents

_PATIENT = 120


@dataclass(slots=True)
class Findings:
    """What happened; `wrong` says each broken promise in a line."""

    killed: list[str] = field(default_factory=list)
    questions: int = 0
    answered: int = 0
    given_up: int = 0
    seconds_until_quiet: float = 0.0
    model_requests: int = 0
    ledger_rows: int = 0
    jobs_done: dict[str, int] = field(default_factory=dict)
    said_without_chroma: str = ""
    """What /readyz told while the Chroma server was down; the bot was ready all the same."""
    seconds_until_well: float = 0.0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Machines:
    """The processes."""

    chroma: OwnChroma
    bots: dict[str, tuple[OwnBot, str]]
    """By name, with where they tell how they are."""
    workers: dict[str, OwnBot]
    team: Team
    models: ModelServer
    engine: AsyncEngine


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Machines]:
    """Starts all, and waits until workers have read the documents."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(own_database("postgresql", folder))
        chroma = OwnChroma(folder / "chroma")
        stack.callback(chroma.kill)
        chroma.start()
        models = await stack.enter_async_context(Answering(0.3))
        team = await stack.enter_async_context(own_workspace(folder))
        shared = {"SWITCHBOARD_KNOWLEDGE__CHROMA": chroma.address, "SWITCHBOARD_JOBS__WORKERS": "true"}
        bots, workers = {}, {}
        for name in ("bot 1", "bot 2", "worker 1", "worker 2"):
            port, is_bot = free_port(), name.startswith("bot")
            settings = shared | {"SWITCHBOARD_METRICS__PORT": str(port)}
            command = "run" if is_bot else "work"
            one = OwnBot(folder / name.replace(" ", "-"), team, models, url, command=command, **settings)
            await one.start()
            stack.push_async_callback(one.kill)
            if is_bot:
                bots[name] = one, f"http://127.0.0.1:{port}/readyz"
            else:
                workers[name] = one
        engine = open_engine(url)
        stack.push_async_callback(engine.dispose)
        machines = Machines(chroma, bots, workers, team, models, engine)
        await _until(lambda: _counted(engine, sa.select(sa.func.count()).select_from(documents)))
        yield machines


async def prove(folder: Path, *, seconds: float, rate: float, seed: int = 1) -> Findings:
    """Asks `rate` questions a second for so long, while one process after the other is killed and started again."""
    found, chance = Findings(), random.Random(seed)
    async with running(folder) as there:
        asking = asyncio.create_task(_keep_asking(there.team, rate))
        victims = ["chroma", *there.bots, *there.workers]
        end = time.monotonic() + seconds
        while victims or time.monotonic() < end:
            if not victims:
                victims = ["chroma", *there.bots, *there.workers]
            await _killed(victims.pop(chance.randrange(len(victims))), there, found, chance)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        began = time.monotonic()
        await until_quiet(there.team, there.engine)
        found.seconds_until_quiet = round(time.monotonic() - began, 1)
        await _until(lambda: _all_well(there))
        found.seconds_until_well = round(time.monotonic() - began, 1)
        for each, _ in there.bots.values():
            await each.stop()
        await _look(there, found)
    return found


async def _killed(name: str, there: Machines, found: Findings, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(0.5, 2))
    found.killed.append(name)
    if name == "chroma":
        there.chroma.kill()
        _, where = next(iter(there.bots.values()))
        await _until(lambda: _says_that_chroma_is_away(where, found))
        await asyncio.to_thread(there.chroma.start)
        return
    process = there.workers[name] if name in there.workers else there.bots[name][0]
    await process.kill()
    await asyncio.sleep(chance.uniform(0, 1))
    await process.start()


async def _keep_asking(team: Team, rate: float) -> None:
    number, began = 0, time.monotonic()
    while True:
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        await asyncio.shield(team.ask(number))
        number += 1


async def _look(there: Machines, found: Findings) -> None:
    told = Fates()
    look_at(await there.team.replies(), told)
    await compare(there.engine, there.models, told)
    found.questions, found.answered, found.given_up = told.questions, told.answered, len(told.given_up)
    found.model_requests, found.ledger_rows = told.requests, told.rows
    for what in ("lost", "answered_twice", "unfinished", "wrong_rows"):
        found.wrong += [f"{what}: {getattr(told, what)}"] if getattr(told, what) else []
    async with there.engine.connect() as connection:
        times = sa.func.count().label("times")
        query = sa.select(job_runs.c.job, times).where(job_runs.c.finished_at.is_not(None)).group_by(job_runs.c.job)
        found.jobs_done = {row.job: row.times for row in await connection.execute(query)}
    if not any(job.startswith("refresh ") for job in found.jobs_done):
        found.wrong.append("no worker read a source")


async def _says_that_chroma_is_away(where: str, found: Findings) -> bool:
    told = await _readyz(where)
    if told is None or "chroma" not in told["services"] or told["services"]["chroma"]["ok"]:
        return False
    found.said_without_chroma = told["services"]["chroma"]["how"]
    if not told["ready"]:
        found.wrong.append("a bot without the Chroma server was not ready")
    return True


async def _all_well(there: Machines) -> bool:
    every = [await _readyz(where) for _, where in there.bots.values()]
    return all(
        told is not None
        and told["ready"]
        and all(told["services"][name]["ok"] for name in ("chroma", "search indexes"))
        for told in every
    )


async def _readyz(where: str) -> dict[str, Any] | None:
    try:
        async with aiohttp.ClientSession() as session, session.get(where) as response:
            told: dict[str, Any] = await response.json()
            return told
    except aiohttp.ClientError:
        return None


async def _counted(engine: AsyncEngine, query: sa.Select[int]) -> bool:
    async with engine.connect() as connection:
        return bool((await connection.execute(query)).scalar_one())


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENT):
        while not await condition():  # noqa: ASYNC110 - what it waits for happens in other processes
            await asyncio.sleep(0.2)


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Kills each of the processes of many machines while people ask.")
    known.add_argument("--seconds", type=float, default=120)
    known.add_argument("--rate", type=float, default=3.0, help="questions a second")
    known.add_argument("--seed", type=int, default=1)

    def run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
        found = asyncio.run(prove(folder, seconds=size.seconds, rate=size.rate, seed=size.seed))
        return proof_result.Result(asdict(found), not found.wrong)

    return proof_result.main("machines", known, run)


if __name__ == "__main__":
    sys.exit(main())
