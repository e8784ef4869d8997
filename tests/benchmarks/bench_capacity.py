"""What one bot and one worker get through, and what each answer and each chunk takes: `bench_capacity.py`.

Bots, workers, the local Slack, the model server and PostgreSQL are processes of this machine, so processor time tells
more than answers a second do: on a machine of their own they get through what the processor time says. The model
answers without delay.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import sqlalchemy as sa
from options import ROOT, Options, run_alone
from prepared import documents_of
from results import Measure, Result

sys.path.append(str(ROOT / "tests" / "support"))
from own_processes import Answering, OwnBot, OwnHouse, own_house

from knowledge.embedding.minilm import MiniLM
from knowledge.schema import chunks as kept_chunks

SQLITE, POSTGRESQL = "sqlite", "postgresql"
QUESTIONS, FEW_QUESTIONS = 300, 12
CHUNKS, FEW_CHUNKS = 3_000, 40
SOURCES = 6
PATIENT = 400
_SQLITE_SIZE = "SELECT 0, page_count * page_size FROM pragma_page_count, pragma_page_size"
_POSTGRESQL_SIZE = "SELECT pg_backend_pid(), pg_database_size(current_database())"


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of answers took: seconds, processor seconds of the bots and of PostgreSQL, bytes, Slack's calls."""

    answers: int
    seconds: float
    bots: float
    database: float
    grown: int
    calls: Counter[str]
    memory: float


async def bench(options: Options, result: Result) -> None:
    """Answers by one bot on each database and by two on PostgreSQL; then a refresh by one worker and by two."""
    count = FEW_QUESTIONS if options.short else QUESTIONS
    for name, kind, bots in (
        ("one bot, SQLite", SQLITE, 1),
        ("one bot, PostgreSQL", POSTGRESQL, 1),
        ("two bots, PostgreSQL", POSTGRESQL, 2),
    ):
        load = await answering(options.work / f"{kind}-{bots}", kind, bots, count)
        tell_answers(result, name, load)
    sources, chunks = await prepared_sources(options)
    for workers in (1, 2):
        await refreshing(options.work / f"workers-{workers}", sources, chunks, workers, result)
    result.note(f"The workers read {chunks:,} chunks in {SOURCES} sources, on PostgreSQL.")


async def answering(folder: Path, kind: str, bots: int, count: int) -> Load:
    """Asks everything at once, and waits until all is answered."""
    folder.mkdir()
    async with own_house(folder, kind, Answering(0.0)) as house:
        running = [house.bot(f"bot{number}") for number in range(bots)]
        for bot in running:
            await bot.start()
        await asked(house, range(5))
        before = (await taken(house, running, kind), (await house.team.control("state"))["calls"])
        began = time.monotonic()
        await asked(house, range(5, 5 + count))
        seconds = time.monotonic() - began
        after = (await taken(house, running, kind), (await house.team.control("state"))["calls"])
        new = after[1][len(before[1]) :]
        took = [late - early for early, late in zip(before[0], after[0], strict=True)]
        memory = max(process_of(bot).memory_info().rss for bot in running) / 1e6
        for bot in running:
            await bot.stop()
    return Load(count, seconds, took[0], took[1], int(took[2]), Counter(str(call["method"]) for call in new), memory)


async def asked(house: OwnHouse, numbers: Sequence[int]) -> None:
    """Asks these questions, and returns when all are answered."""
    await asyncio.gather(*(house.team.ask(number) for number in numbers))
    async with asyncio.timeout(PATIENT):
        while True:
            replies = await house.team.replies()
            if all(any("actions" in str(one) for one in replies.get(number, ())) for number in numbers):
                return
            await asyncio.sleep(0.2)


async def taken(house: OwnHouse, bots: Sequence[OwnBot], kind: str) -> tuple[float, float, float]:
    """Processor seconds of the bots and of the database so far, and the database's size in bytes."""
    ours = sum(cpu_seconds(process_of(bot)) for bot in bots)
    size_of = _SQLITE_SIZE if kind == SQLITE else _POSTGRESQL_SIZE
    async with house.engine.connect() as connection:
        pid, size = (await connection.execute(sa.text(size_of))).one()
    if kind == SQLITE:
        return ours, 0.0, float(size)
    server = psutil.Process(pid).parent()
    assert server is not None
    # Connections that were closed since are in the time of their parent.
    times = server.cpu_times()
    below = sum(cpu_seconds(one) for one in server.children())
    return ours, below + cpu_seconds(server) + times.children_user + times.children_system, float(size)


def tell_answers(result: Result, name: str, load: Load) -> None:
    """One load's figures."""

    def figure(what: str, unit: str, value: float) -> None:
        result.add(Measure(name=f"{name}: {what}", unit=unit, value=value, samples=load.answers))

    figure("answers, while questions wait", "a second", load.answers / load.seconds)
    figure("processor time of the bots for an answer", "ms", load.bots / load.answers * 1000)
    if load.database:
        figure("processor time of PostgreSQL for an answer", "ms", load.database / load.answers * 1000)
    figure("database, for an answer", "kB", load.grown / load.answers / 1000)
    figure("greatest memory of a bot", "MB", load.memory)
    for method, calls in sorted(load.calls.items()):
        if calls >= load.answers / 2:  # the others are not asked for each answer
            figure(f"calls of {method} for an answer", "calls", calls / load.answers)


async def prepared_sources(options: Options) -> tuple[list[Path], int]:
    """Folders with about so many chunks, spread evenly, and how many there are."""
    folders = [options.work / "sources" / f"part{number}" for number in range(SOURCES)]
    for folder in folders:
        folder.mkdir(parents=True)
    wanted = FEW_CHUNKS if options.short else CHUNKS
    embedder, sizes = MiniLM(options.models_dir), dict.fromkeys(folders, 0)
    async for path, _, found in documents_of(options.documents, embedder):
        smallest = min(folders, key=lambda one: sizes[one])
        shutil.copy2(options.documents / path, smallest / path.replace("/", "--"))
        sizes[smallest] += len(found)
        if sum(sizes.values()) >= wanted:
            break
    await embedder.close()
    return folders, sum(sizes.values())


async def refreshing(folder: Path, sources: Sequence[Path], chunks: int, workers: int, result: Result) -> None:
    """A bot hands over the first reading of all sources; so many workers do it."""
    folder.mkdir()
    async with own_house(folder, POSTGRESQL, Answering(0.0)) as house, AsyncExitStack() as stack:
        lines = [f'[[knowledge.folders]]\npath = "{source}"\n' for source in sources]
        own = {"SWITCHBOARD_JOBS__WORKERS": "true"}
        bot = house.bot("bot", **own)
        running = [house.bot(f"worker{number}", command="work", **own) for number in range(workers)]
        for number in range(workers):
            (folder / f"worker{number}" / "switchboard.toml").write_text("".join(lines))
        (folder / "bot" / "switchboard.toml").write_text("".join(lines))
        await asyncio.gather(*(worker.start() for worker in running))
        before = sum(cpu_seconds(process_of(worker)) for worker in running)
        starting = asyncio.create_task(bot.start())
        async with asyncio.timeout(PATIENT):
            first = await reached(house, 1)
            began = time.monotonic()
            done = await reached(house, int(chunks * 0.99))  # the same text twice is kept once
            seconds = time.monotonic() - began
            await starting
        spent = sum(cpu_seconds(process_of(worker)) for worker in running) - before
        memory = max(process_of(worker).memory_info().rss for worker in running) / 1e6
        for process in (bot, *running):
            stack.push_async_callback(process.stop)
    name = "one worker" if workers == 1 else f"{workers} workers"
    result.add(
        Measure(name=f"{name}: chunks read and embedded", unit="a second", value=(done - first) / seconds, samples=done)
    )
    result.add(Measure(name=f"{name}: processor time for a chunk", unit="ms", value=spent / done * 1000, samples=done))
    result.add(Measure(name=f"{name}: greatest memory of a worker", unit="MB", value=memory))


async def reached(house: OwnHouse, least: int) -> int:
    """Waits until so many chunks are kept; gives how many there are."""
    query = sa.select(sa.func.count()).select_from(kept_chunks)
    while True:
        async with house.engine.connect() as connection:
            count = int((await connection.execute(query)).scalar_one())
        if count >= least:
            return count
        await asyncio.sleep(0.1)


def process_of(bot: OwnBot) -> psutil.Process:
    """The process that runs."""
    assert bot.process is not None
    return psutil.Process(bot.process.pid)


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time of all its threads so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "capacity", "Capacity: what a bot and a worker get through")
