"""A process of the benchmark's own: its lines, its memory, its CPU time, and its end by its id."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.1


class Child:
    """A process that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._told = psutil.Process(process.pid)
        self._lines: list[str] = []
        self._grown = asyncio.Condition()
        self._readers = [asyncio.create_task(self._read(stream)) for stream in (process.stdout, process.stderr)]

    @property
    def rss(self) -> float:
        """Resident memory now, in MB of 1,000,000 bytes."""
        return float(self._told.memory_info().rss) / 1e6

    @property
    def whole_rss(self) -> float:
        """The same with all processes that it started."""
        sizes = [self.rss]
        for below in self._told.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                sizes.append(below.memory_info().rss / 1e6)
        return sum(sizes)

    @property
    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far."""
        times = self._told.cpu_times()
        return float(times.user + times.system)

    async def line(self, part: str, *, within: float = 60) -> str:
        """The first line that holds `part`. Raises RuntimeError with what was said where none comes in time."""

        def found() -> str | None:
            return next((line for line in self._lines if part in line), None)

        async with self._grown:
            try:
                async with asyncio.timeout(within):
                    await self._grown.wait_for(lambda: found() is not None or self._ended)
            except TimeoutError:
                pass
        line = found()
        if line is None:
            said = "\n".join(self._lines[-20:])
            raise RuntimeError(f"no line with “{part}” came within {within:g} s; the last lines were:\n{said}")
        return line

    async def ended(self, *, within: float) -> list[str]:
        """Waits for its end; all that it said. Raises RuntimeError where it failed, TimeoutError where it is late."""
        async with asyncio.timeout(within):
            await asyncio.gather(self._process.wait(), *self._readers)
        if self._process.returncode:
            raise RuntimeError("the process failed:\n" + "\n".join(self._lines[-20:]))
        return self._lines

    @asynccontextmanager
    async def peak(self) -> AsyncIterator[list[float]]:
        """Samples resident memory, that of its own processes included, while the block runs; the list's last entry is
        the greatest so far."""
        greatest = [self.whole_rss]

        async def sample() -> None:
            while True:
                try:
                    greatest.append(max(greatest[-1], self.whole_rss))
                except psutil.NoSuchProcess:
                    return
                await asyncio.sleep(_SAMPLE_SECONDS)

        task = asyncio.create_task(sample())
        try:
            yield greatest
        finally:
            task.cancel()

    async def stop(self) -> None:
        """Asks it to end, and ends it where it does not."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(30):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._readers)

    @property
    def _ended(self) -> bool:
        return all(reader.done() for reader in self._readers)

    async def _read(self, stream: asyncio.StreamReader | None) -> None:
        assert stream is not None
        while raw := await stream.readline():
            async with self._grown:
                self._lines.append(raw.decode(errors="replace").rstrip())
                self._grown.notify_all()
        async with self._grown:
            self._grown.notify_all()


@asynccontextmanager
async def started(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> AsyncIterator[Child]:
    """Starts a process; it is ended with the block, whatever happens in it."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(env),
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    child = Child(process)
    try:
        yield child
    finally:
        await child.stop()
