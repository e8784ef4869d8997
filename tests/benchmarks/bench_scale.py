"""A million chunks: memory, disk, the time of a start and of a search.

`python tests/benchmarks/bench_scale.py [--chunks N]`. The chunks are real ones with variations (see filled.py).
"""

from __future__ import annotations

import argparse
import time

import psutil
from bench_filter import add_search, filled_with, timed_searches
from options import Options, run_alone
from prepared import prepare
from results import Measure, Result
from small_store import opened

from knowledge.embedding.minilm import MiniLM

CHUNKS = 1_000_000
SHORT_CHUNKS = 3_000
QUESTIONS = 200
MEMORY = 4_000.0  # MB
P95 = 60.0  # ms


async def bench(options: Options, result: Result) -> None:
    """Fills the store in a process of its own, then opens it as a bot does and searches."""
    count = options.own.chunks or (SHORT_CHUNKS if options.short else CHUNKS)
    prepared = await prepare(options)
    filled = await filled_with(count, prepared, options)
    marks = not options.short
    disk = sum(file.stat().st_size for file in filled.work.rglob("*") if file.is_file()) / 1e6
    disk -= filled.vectors.nbytes / 1e6  # the benchmark's own copy
    questions = prepared.questions[: 10 if options.short else QUESTIONS]
    before = psutil.Process().memory_info().rss
    began = time.perf_counter()
    async with opened(filled.work / "docs", filled.work, MiniLM(options.models_dir)) as store:
        seconds = time.perf_counter() - began
        everything, some = await timed_searches(store, filled, questions)
        grown = (psutil.Process().memory_info().rss - before) / 1e6
    result.note(f"{count:,} chunks of {len(set(filled.places.tolist()))} channels.")
    result.add(Measure(name="building the search indexes from the database", unit="s", value=filled.seconds))
    mark = MEMORY if marks else None
    result.add(Measure(name="greatest memory while they are built", unit="MB", value=filled.megabytes, mark=mark))
    result.add(Measure(name="start", unit="s", value=seconds))
    result.add(Measure(name="memory of the knowledge that answers", unit="MB", value=grown, mark=mark))
    result.add(Measure(name="disk", unit="MB", value=disk))
    for name, times in (("may read everything", everything), ("random reader sets", some)):
        add_search(result, name, times, P95, P95, is_marked=marks)


def _own_options(known: argparse.ArgumentParser) -> None:
    known.add_argument("--chunks", type=int, help=f"how many chunks ({CHUNKS:,})")


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "scale", "A million chunks", _own_options)
