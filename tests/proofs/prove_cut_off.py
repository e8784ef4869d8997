"""Two bots on one PostgreSQL; one is cut off from the database, or stopped whole, in the middle of its answers, and
comes back: no question is answered twice, none is lost, and the other one begins anew what was under way.

`make prove-cut_off ARGS="[--questions 40] [--times 3] [--how network|stop]"`.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import proof_result
from fates import Fates, compare, look_at, until_quiet
from own_processes import CHANNELS, Answering, OwnBot, own_house

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


async def prove(folder: Path, how: str, questions: int, times: int, *, away: float = AWAY) -> Fates:
    """Cuts one of two bots off so many times, each in the middle of answers to so many questions."""
    found = Fates(kills=times)
    async with own_house(folder, "postgresql", Answering(4.0)) as house, proxied(house.url) as (proxy, through):
        bots = [house.bot("first", database=through), house.bot("second")]
        for bot in bots:
            await bot.start()
        for cut in range(times):
            before = len(house.models.chats)
            for number in range(questions):
                await house.team.ask(cut * questions + number)
                if number % 2:  # each bot hears of every second event, and a question is two of them
                    await house.team.act("post", channel=CHANNELS[0], text="Good morning.")
            await house.models.until_asked(before + questions // 2 + 1, within=120)  # more than the other one has
            await _away(bots[0], proxy, how, away)
            await until_quiet(house.team, house.engine)
        await asyncio.gather(*(bot.stop() for bot in bots))
        look_at(await house.team.replies(), found)
        await compare(house.engine, house.models, found)
    return found


async def _away(bot: OwnBot, proxy: Proxy, how: str, seconds: float) -> None:
    """One bot is away, and comes back to what it left."""
    if how == "network":
        proxy.cut()
    else:
        bot.signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    if how == "network":
        proxy.mend()
    else:
        bot.signal(signal.SIGCONT)


def main() -> int:
    """The proof with its sizes from the command line."""
    known = argparse.ArgumentParser(description="Cuts one of two bots off from the database, and lets it back.")
    known.add_argument("--questions", type=int, default=40, help="asked before each cut")
    known.add_argument("--times", type=int, default=3)
    known.add_argument("--how", choices=["network", "stop"], default="network")

    def run(size: argparse.Namespace, folder: Path) -> proof_result.Result:
        found = asyncio.run(prove(folder, size.how, size.questions, size.times))
        begun_anew = found.requests - found.questions
        return proof_result.Result({**asdict(found), "begun_anew": begun_anew}, found.is_kept and begun_anew > 0)

    return proof_result.main("cut-off", known, run)


if __name__ == "__main__":
    sys.exit(main())
