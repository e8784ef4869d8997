"""What a process holds over time, and whether that stays what it was: memory, open files, threads, asyncio tasks."""

from __future__ import annotations

import asyncio
import mmap
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

EVERY = 2.0
"""Seconds between two looks."""
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What it held at a moment (seconds since the first look); memory in MiB."""

    at: float
    memory: float
    files: int
    threads: int
    tasks: int


@dataclass(slots=True)
class Steadiness:
    """Looks at the process `pid` until it is cancelled; `tasks_file` is what `counted_bot` writes."""

    pid: int
    tasks_file: Path
    samples: list[Sample] = field(default_factory=list)

    async def watch(self) -> None:
        """Looks again and again."""
        began = time.monotonic()
        while True:
            self.samples.append(self.look(time.monotonic() - began))
            await asyncio.sleep(EVERY)

    def look(self, at: float = 0.0) -> Sample:
        """What it holds now."""
        process = psutil.Process(self.pid)
        with self.tasks_file.open("rb") as file, mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ) as told:
            tasks = int.from_bytes(told[:8], "little")
        memory = process.memory_info().rss / MEBIBYTE
        return Sample(at, memory, process.num_fds(), process.num_threads(), tasks)

    def between(self, start: float, end: float) -> list[Sample]:
        """The samples of a stretch, given as shares of the whole time."""
        whole = self.samples[-1].at
        return [sample for sample in self.samples if start * whole <= sample.at <= end * whole]

    def growth(self, start: float) -> tuple[float, float, float]:
        """Memory (MiB, median) in the fifth after `start` (a share of the whole time), by how much that of the last
        fifth is more, and by how much the straight line through all from `start` on rises: both as shares of it."""
        first = statistics.median(sample.memory for sample in self.between(start, start + 0.2))
        last = statistics.median(sample.memory for sample in self.between(0.8, 1.0))
        rest = self.between(start, 1.0)
        slope = statistics.linear_regression([s.at for s in rest], [s.memory for s in rest]).slope
        return round(first, 1), round(last / first - 1, 4), round(slope * (rest[-1].at - rest[0].at) / first, 4)
