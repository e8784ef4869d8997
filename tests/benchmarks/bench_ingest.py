"""How fast documents are taken in, and how little an unchanged one costs: `python tests/benchmarks/bench_ingest.py`.

`switchboard refresh` reads, splits and embeds all documents for the first time, then looks through them again.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot_process import command_running, configure
from options import Options, run_alone
from prepared import documents_of
from results import Measure, Result, spread

from bot.config import Folder, Knowledge, Settings
from bot.core import open_core
from knowledge.embedding.minilm import MiniLM
from knowledge.reports import RefreshReport

SAMPLE = 4_000  # chunks that the encoder alone is measured with
BATCH = 256
REFRESHES = 11
MARK = 1000.0
LIMIT_SECONDS = 420.0
_TOLD = re.compile(r"documents: (\d+) documents \(.*\), (\d+) chunks embedded, ([\d.]+) s")


@dataclass(frozen=True, slots=True)
class Told:
    """What `switchboard refresh` printed, its greatest memory in MB, and the whole process's seconds."""

    documents: int
    chunks: int
    seconds: float
    greatest: float
    whole: float


async def bench(options: Options, result: Result) -> None:
    """Cold, unchanged by a new process, unchanged and changed in a running one, and the encoder alone."""
    docs = Path(shutil.copytree(options.documents, options.work / "documents"))
    folder = Folder(path=docs, name="documents")
    config = configure(options, options.work / "data", [folder])
    print("  reading all documents for the first time", flush=True)
    cold = await refresh(options, config)
    alone = await encoder_alone(options)
    again = await refresh(options, config)
    settings = Settings(
        data_dir=options.work / "data", models_dir=options.models_dir, knowledge=Knowledge(folders=(folder,))
    )
    async with open_core(settings) as core:
        unchanged = [(await timed(core.knowledge.refresh))[0] for _ in range(3 if options.short else REFRESHES)]
        change(docs, max(1, cold.documents // 100))
        changed, report = await timed(core.knowledge.refresh)
    rate = cold.chunks / cold.seconds
    result.note(f"{cold.documents} documents, {cold.chunks:,} different chunks, {cold.seconds:.1f} s.")
    result.add(Measure(name="cold: documents", unit="a second", value=cold.documents / cold.seconds))
    result.add(Measure(name="cold: chunks", unit="a second", value=rate, ratio=rate / alone, to="the encoder alone"))
    result.add(Measure(name="cold: greatest memory", unit="MB", value=cold.greatest))
    mark = None if options.short else MARK
    result.add(spread("nothing changed, in a running process", unchanged, mark=mark))
    # The command prints hundredths of a second.
    result.add(
        Measure(name="nothing changed, by a new process", unit="s", value=again.seconds, mark=mark and mark / 1000)
    )
    result.add(Measure(name="the new process in all", unit="s", value=again.whole))
    what = f"{report.sources[0].changed} documents changed, {report.sources[0].chunks} chunks embedded"
    result.add(Measure(name=what, unit="ms", value=changed * 1000))


async def refresh(options: Options, config: Path) -> Told:
    """Runs `switchboard refresh`."""
    began = time.perf_counter()
    async with command_running(options, config, "refresh") as child, child.peak() as greatest:
        lines = await child.ended(within=LIMIT_SECONDS)
        whole = time.perf_counter() - began
    found = next(match for line in lines if (match := _TOLD.search(line)))
    return Told(int(found[1]), int(found[2]), float(found[3]), greatest[-1], whole)


async def encoder_alone(options: Options) -> float:
    """Chunks a second where nothing but the encoder works, on chunks of the same documents."""
    embedder = MiniLM(options.models_dir)
    texts: dict[str, None] = {}
    async for _, _, chunks in documents_of(options.documents, embedder):
        texts |= dict.fromkeys(chunk.embedded for chunk in chunks)
        if len(texts) >= SAMPLE:
            break
    sample = list(texts)[:SAMPLE]
    began = time.perf_counter()
    for start in range(0, len(sample), BATCH):
        await embedder.embed(sample[start : start + BATCH])
    seconds = time.perf_counter() - began
    await embedder.close()
    return len(sample) / seconds


async def timed(work: Callable[[], Awaitable[RefreshReport]]) -> tuple[float, RefreshReport]:
    """How long it took, in seconds, and what it said."""
    began = time.perf_counter()
    report = await work()
    return time.perf_counter() - began, report


def change(docs: Path, count: int) -> None:
    """Adds a section to some documents."""
    files = sorted(docs.rglob("*.md"))
    for file in files[:: max(1, len(files) // count)][:count]:
        with file.open("a", encoding="utf-8") as end:
            end.write(f"\n## What changed in {file.stem}\n\nThis section was added to see what a change costs.\n")


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "ingest", "Taking in documents")
