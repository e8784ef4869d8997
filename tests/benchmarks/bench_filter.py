"""Search among 100,000 chunks by people who may read some of them: how long it takes, and whether anything is missed.

`python tests/benchmarks/bench_filter.py [--chunks N] [--peers FOLDER]`. The chunks are real ones with variations (see
filled.py). Reader sets are channels at random that hold from 0.01% to 100% of the chunks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from bench_peers import PEERS
from bench_search import each
from bot_process import clean_environment
from child import started
from filled import CHANNELS, Filled, fill, load, read_base, scopes_of
from options import Options, run_alone
from prepared import Prepared, prepare
from results import Measure, Result, percentile, spread
from small_store import SOURCE, SmallStore, opened

from knowledge.change_log import ChangeLog
from knowledge.database import Database
from knowledge.documents import Vector
from knowledge.embedding.minilm import MiniLM
from knowledge.filters import Reach
from knowledge.indexes import Indexes
from knowledge.retrieval import nearest_readable

CHUNKS = 100_000
SHORT_CHUNKS = 2_000
SETS = 1_000
QUESTIONS = 400
PASSAGES = 10
HNSWLIB = Path(__file__).resolve().parent / "peers" / "hnswlib_peer.py"
P50, P95, TIMES = 12.0, 25.0, 3.0  # ms, ms, and against bare hnswlib with the encoder
_SEED = 11


async def bench(options: Options, result: Result) -> None:
    """Fills the store, times searches beside bare hnswlib, and compares with a scan of all vectors."""
    count = options.own.chunks or (SHORT_CHUNKS if options.short else CHUNKS)
    prepared = await prepare(options)
    filled = await filled_with(count, prepared, options)
    result.note(f"{count:,} chunks in {CHANNELS} channels; {PASSAGES} passages.")
    embedder = MiniLM(options.models_dir)
    questions = prepared.questions[: 10 if options.short else QUESTIONS]
    vectors = [await embedder.embed_query(text) for text in questions]
    async with opened(filled.work / "docs", filled.work, embedder) as store:
        everything, some = await timed_searches(store, filled, questions)
        alone = await each(questions, embedder.embed_query)
        await exactness(result, store, filled, vectors, 20 if options.short else SETS)
    bare = await hnswlib(options, filled, np.stack(vectors))
    result.add(spread("the encoder alone", alone))
    if bare:
        result.add(spread("bare hnswlib", bare))
    for name, seconds in (("may read everything", everything), ("random reader sets", some)):
        add_search(result, name, seconds, P50, P95, is_marked=not options.short)
        if bare:
            both = (percentile(alone, 50) + percentile(bare, 50)) * 1000
            value = percentile(seconds, 50) * 1000 / both
            mark = None if options.short else TIMES
            what = f"search, {name}, in parts of hnswlib and the encoder"
            result.add(Measure(name=what, unit="", value=value, mark=mark, samples=len(seconds)))


async def filled_with(count: int, prepared: Prepared, options: Options) -> Filled:
    """A store of so many chunks, made in another process."""
    base = read_base(prepared.folder / "data" / "switchboard.db", MiniLM.name)
    work = options.work / "filled"
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as processes:
        running = asyncio.get_running_loop()
        built = await running.run_in_executor(processes, fill, base, count, work, options.models_dir)
    return load(work, built)


async def timed_searches(
    store: SmallStore, filled: Filled, questions: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Seconds of each search by one who may read everything, and by readers at random; one after the other by turns."""
    random = np.random.default_rng(_SEED)
    everything = scopes_of(np.arange(CHANNELS, dtype=np.int32))
    sets = [scopes_of(filled.readers_of(share, random)) for share in filled.shares(len(questions), random)]
    whole: list[float] = []
    some: list[float] = []
    for text, scopes in zip(questions, sets, strict=True):
        for kept, who in ((whole, everything), (some, scopes)):
            began = time.perf_counter()
            await store.knowledge.search(text, scopes=who, k=PASSAGES)
            kept.append(time.perf_counter() - began)
    first = len(questions) // 20
    return whole[first:], some[first:]


def add_search(result: Result, name: str, seconds: Sequence[float], p50: float, p95: float, *, is_marked: bool) -> None:
    """Adds the median and the 95th percentile, each with its mark."""
    result.add(spread(f"search, {name}", seconds, mark=p50 if is_marked else None))
    result.add(spread(f"search, {name}, p95", seconds, headline=95, mark=p95 if is_marked else None))


async def exactness(result: Result, store: SmallStore, filled: Filled, vectors: Sequence[Vector], sets: int) -> None:
    """Compares the ten nearest of random reader sets with a scan of all vectors in full."""
    random = np.random.default_rng(_SEED + 1)
    database = Database(store.engine)
    again = filled.work / "again"
    indexes = Indexes(database, ChangeLog(database), store.knowledge.embedder, again, asyncio.Lock())
    await indexes.open()
    await indexes.mended()
    every = np.asarray(filled.vectors)
    snapshot = indexes.snapshot
    found = wanted = wrong = 0
    for number, share in enumerate(filled.shares(sets, random)):
        places = filled.readers_of(share, random)
        vector = vectors[number % len(vectors)]
        mask = snapshot.readable(Reach(scopes_of(places), frozenset({SOURCE})))
        rows = nearest_readable(indexes, snapshot, vector, mask, PASSAGES)[:PASSAGES]
        got = {int(key) - 1 for key in snapshot.keys[rows]}
        allowed = np.flatnonzero(np.isin(filled.places, places))
        true = allowed[np.argsort(-(every[allowed] @ vector), kind="stable")[:PASSAGES]]
        found, wanted = found + len(got & set(true.tolist())), wanted + len(true)
        wrong += len(got - set(allowed.tolist()))
    await indexes.close()
    name = f"recall@{PASSAGES} of {sets:,} random reader sets"
    result.add(Measure(name=name, unit="", value=found / wanted, least=1.0, samples=sets))
    result.add(Measure(name="chunks found that may not be read", unit="", value=wrong, mark=1.0, samples=sets))


async def hnswlib(options: Options, filled: Filled, vectors: Vector) -> list[float]:
    """Seconds of each question in a bare index of the same vectors; none where the peers are not installed."""
    python = options.own.peers / "bin" / "python"
    if options.short or not python.is_file():
        return []
    np.save(options.work / "questions.npy", vectors)
    words = [filled.work / "vectors.npy", options.work / "questions.npy"]
    command = [str(python), str(HNSWLIB), *map(str, words)]
    async with started(command, env=clean_environment(), cwd=options.work) as child:
        lines = await child.ended(within=1200)
    seconds: list[float] = json.loads(lines[-1])
    return seconds[len(seconds) // 20 :]


def _own_options(known: argparse.ArgumentParser) -> None:
    known.add_argument("--chunks", type=int, help=f"how many chunks ({CHUNKS:,})")
    known.add_argument("--peers", type=Path, default=PEERS, help="the environment of the peers (build/peers)")


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "filter", "Search by readers of some of 100,000 chunks", _own_options)
