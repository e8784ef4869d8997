"""What a refresh of 2,000 files costs a running process: nothing changed, and one file in a hundred changed.

`python tests/benchmarks/bench_refresh.py [--files N]`. The files are sections of the real documents.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench_search import each
from options import Options, run_alone
from our_side import embedding, texts
from results import Measure, Result, spread
from small_store import opened
from told import change

from knowledge.embedding.minilm import MiniLM

FILES = 2_000
SHORT_FILES = 40
FOLDER = 20  # files in each
TURNS = 21
CHANGES = 5
UNCHANGED_MARK = 30.0  # ms
CHANGED_MARK = 1.5  # of embedding what changed
_SECTION = re.compile(r"^(?=## )", re.MULTILINE)


async def bench(options: Options, result: Result) -> None:
    """Takes the files in, then looks through them again and again."""
    docs, marks = options.work / "docs", not options.short
    count = write_sections(options.documents, docs, SHORT_FILES if options.short else options.own.files)
    embedder = MiniLM(options.models_dir)
    async with opened(docs, options.work / "store", embedder) as store:
        refresh = store.knowledge.refresh
        report = await refresh()
        result.note(
            f"{count:,} files, {report.sources[0].chunks:,} chunks embedded from cold in {report.seconds:.0f} s."
        )

        async def look(_: str) -> object:
            return await refresh()

        unchanged = await each(["again"] * (3 if options.short else TURNS), look)
        costs, parts = [], []
        before = await texts(docs, embedder)
        for turn in range(1 if options.short else CHANGES):
            changed = change(docs, turn)
            began = time.perf_counter()
            report = await refresh()
            costs.append(time.perf_counter() - began)
            after = await texts(docs, embedder)
            fresh, before = sorted(after - before), after
            parts.append(costs[-1] / await embedding(embedder, fresh))
    result.note(f"Each time {changed} files changed; the last time {report.sources[0].chunks} chunks were embedded.")
    result.add(spread("nothing changed", unchanged, mark=UNCHANGED_MARK if marks else None))
    result.add(spread("1% changed", costs))
    mark = CHANGED_MARK if marks else None
    name = "1% changed, in parts of embedding it"
    result.add(Measure(name=name, unit="", value=median(parts), samples=len(parts), mark=mark))


def write_sections(documents: Path, to: Path, most: int) -> int:
    """Writes sections of the documents as files of their own; how many there are."""
    to.mkdir()
    count = 0
    for number, section in enumerate(_sections(documents)):
        if number == most:
            break
        folder = to / f"{number // FOLDER:03}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number % FOLDER:02}.md").write_text(section, encoding="utf-8")
        count += 1
    return count


def _sections(documents: Path) -> Iterator[str]:
    for file in sorted(documents.rglob("*.md")):
        yield from (part for part in _SECTION.split(file.read_text("utf-8")) if len(part) > 200)


def _own_options(known: argparse.ArgumentParser) -> None:
    known.add_argument("--files", type=int, default=FILES, help=f"so many files ({FILES:,})")


if __name__ == "__main__":
    run_alone(__doc__ or "", bench, "refresh", "A refresh of 2,000 files", _own_options)
