"""Two bots on one PostgreSQL; one is cut off from the database, or stopped whole, in the middle of its answers, and
comes back: no question is answered twice, none is lost.

`make prove-cut_off ARGS="[--questions 40] [--times 3] [--how network|stop]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from own_processes import Answering, OwnBot, own_database, own_workspace
from prove_kills import Findings, compare, look_at, until_quiet

from bot.storage.engine import open_engine
from bot.worker import LEASE

AWAY = LEASE + 10
"""Seconds for which one of the two is away: the other one has taken over by then."""


class Proxy:
    """Passes TCP on to a Unix socket, until it is cut: then nothing comes through, and whoever was connected hears
    nothing."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        """Listens on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Ends it."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    def cut(self) -> None:
        """From now on nothing comes through."""
        self._open.clear()

    def mend(self) -> None:
        """It does again, what was under way included."""
        self._open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        inner_reader, inner_writer = await asyncio.open_unix_connection(str(self._target))
        for source, sink in ((reader, inner_writer), (inner_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._open.wait()
                sink.write(data)
                await sink.drain()
        sink.close()


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before a PostgreSQL that listens on a Unix socket, and the address that leads through it."""
    folder = Path(url.partition("host=")[2])
    proxy = Proxy(folder / ".s.PGSQL.5432")
    await proxy.start()
    try:
        yield proxy, f"postgresql+psycopg://postgres:@127.0.0.1:{proxy.port}/postgres"
    finally:
        await proxy.close()


async def prove(folder: Path, how: str, questions: int, times: int) -> Findings:
    """Cuts one of two bots off so many times, each in the middle of answers to so many questions."""
    found = Findings(kills=times)
    with own_database("postgresql", folder) as url:
        async with Answering(2.0) as models, own_workspace(folder) as team, proxied(url) as (proxy, through):
            bots = [OwnBot(folder / "first", team, models, through), OwnBot(folder / "second", team, models, url)]
            engine = open_engine(url)
            try:
                for bot in bots:
                    await bot.start()
                for cut in range(times):
                    before = len(models.chats)
                    for number in range(questions):
                        await team.ask(cut * questions + number)
                    await models.until_asked(before + 3, within=120)
                    await _away(bots[0], proxy, how)
                    await until_quiet(team, engine)
                await asyncio.gather(*(bot.stop() for bot in bots))
                look_at(await team.replies(), found)
                await compare(engine, models, found)
            finally:
                await asyncio.gather(*(bot.kill() for bot in bots))
                await engine.dispose()
    return found


async def _away(bot: OwnBot, proxy: Proxy, how: str) -> None:
    """One bot is away, and comes back to what it left."""
    if how == "network":
        proxy.cut()
    else:
        bot.signal(signal.SIGSTOP)
    await asyncio.sleep(AWAY)
    if how == "network":
        proxy.mend()
    else:
        bot.signal(signal.SIGCONT)


async def _main() -> int:
    known = argparse.ArgumentParser(description="Cuts one of two bots off from the database, and lets it back.")
    known.add_argument("--questions", type=int, default=40, help="asked before each cut")
    known.add_argument("--times", type=int, default=3)
    known.add_argument("--how", choices=["network", "stop"], default="network")
    known.add_argument("--keep", type=Path, help="a folder for the logs (default: one that is removed)")
    wanted = known.parse_args()
    with tempfile.TemporaryDirectory(prefix="cut-off-proof-") as work:
        folder = wanted.keep or Path(work)
        folder.mkdir(parents=True, exist_ok=True)
        found = await prove(folder, wanted.how, wanted.questions, wanted.times)
    figures = {name: getattr(found, name) for name in Findings.__slots__}
    print(json.dumps({"how": wanted.how, **figures, "kept": found.is_kept}, indent=2))
    return 0 if found.is_kept else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(_main()))
