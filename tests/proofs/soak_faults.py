"""What goes wrong in the soak, by a seed: models, Slack, sockets, the database, the disk and the clock."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from faulty_machine import FaultyMachine
from model_server import (
    Reply,
    Request,
    cut,
    cut_quietly,
    empty,
    error_in_stream,
    invalid_json,
    invalid_stream,
    rate_limited,
    server_error,
    silence,
    stall,
)
from own_processes import Answering, OwnHouse, Team

MODELS = ("test-model", "spare-model", "third-model", "fourth-model")
"""Each steps in for the one before: a breaker would soon leave one alone that fails so often, and most of the load."""
METHODS = (
    "chat.startStream", "chat.appendStream", "chat.stopStream", "chat.postMessage", "chat.postEphemeral",
    "chat.update", "conversations.info", "conversations.members", "conversations.replies", "users.info",
    "assistant.threads.setStatus", "views.open", "views.publish", "*",
)  # fmt: skip
LOCKED, FULL, JUMPED = 5.0, 8.0, 15.0
"""Seconds for which the database is locked, the disk full, the clock wrong."""
HOUR = 3600


class FaultyModels(Answering):
    """Models of which a share of the calls goes wrong. `faults`: how many of each kind there were, by request's id."""

    def __init__(self, share: float, seed: int) -> None:
        super().__init__(0.3, MODELS)
        self.share = share
        self.faults: dict[str, str] = {}
        self._chance = random.Random(seed)
        self._kinds: dict[str, Callable[[], Reply]] = {
            "429": rate_limited,
            "429, retry after": lambda: rate_limited(self._chance.randint(1, 5)),
            "500": server_error,
            "503": lambda: server_error(503),
            "silence": silence,
            "stall": stall,
            "cut": cut,
            "cut quietly": cut_quietly,
            "no JSON": invalid_json,
            "a broken stream": invalid_stream,
            "an error in the stream": error_in_stream,
            "empty": empty,
        }

    def reply_to(self, request: Request) -> Reply:
        """An answer, or what goes wrong."""
        if self._chance.random() >= self.share:
            return super().reply_to(request)
        kind = self._chance.choice(list(self._kinds))
        self.faults[request.id] = kind
        return self._kinds[kind]()


class Faults:
    """All but those of the models. `happened`: how often each did."""

    def __init__(self, house: OwnHouse, machine: FaultyMachine, chance: random.Random) -> None:
        self.happened: Counter[str] = Counter()
        self._house = house
        self._team: Team = house.team
        self._machine = machine
        self._chance = chance

    async def happen(self, seconds: float) -> None:
        """Each kind every so many seconds, in a short run oftener; returns when the time is over and all is well."""
        often = min(1.0, seconds / 360)
        kinds: tuple[tuple[float, Callable[[], Awaitable[None]]], ...] = (
            (min(20.0, seconds / 3), self.socket),
            (7.0, self.slack),
            (90.0 * often, self.lock),
            (120.0 * often, self.fill_disk),
            (150.0 * often, self.jump),
        )
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(self._again_and_again(every, fault) for every, fault in kinds))
        except TimeoutError:
            pass
        finally:
            self._machine.shift_clock(0)
            self._machine.fill_disk(full=False)
            await self._team.control("fault", kind="none")

    async def _again_and_again(self, every: float, fault: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(every)
            await fault()

    async def socket(self) -> None:
        """The socket is closed, politely or not."""
        how = self._chance.choice(("hard", "disconnect"))
        self.happened[f"socket closed, {how}"] += 1
        await self._team.control("close_sockets", how=how)

    async def slack(self) -> None:
        """The next calls of a method fail."""
        kind, method = self._chance.choice(("rate_limited", "http_500")), self._chance.choice(METHODS)
        self.happened[f"Slack {kind}"] += 1
        wait, times = self._chance.randint(1, 3), self._chance.randint(1, 3)
        await self._team.control("fault", method=method, kind=kind, times=times, retry_after=wait)

    async def lock(self) -> None:
        """Another process holds the database."""
        self.happened["database locked"] += 1
        if self._house.url.startswith("sqlite"):
            await asyncio.to_thread(self._locked, "BEGIN IMMEDIATE")
            return
        async with self._house.engine.begin() as connection:
            await connection.execute(sa.text("LOCK TABLE inbox, ledger IN ACCESS EXCLUSIVE MODE"))
            await asyncio.sleep(LOCKED)

    def _locked(self, order: str) -> None:
        import time

        with closing(sqlite3.connect(self._file, timeout=30, isolation_level=None)) as connection:
            connection.execute(order)
            time.sleep(LOCKED)
            connection.execute("ROLLBACK")

    async def fill_disk(self) -> None:
        """No file of the bot can grow."""
        self.happened["disk full"] += 1
        if self._house.url.startswith("sqlite"):
            # What was written before may be written over: without it the next write has to grow.
            await asyncio.to_thread(self._shrink)
        self._machine.fill_disk(full=True)
        await asyncio.sleep(FULL)
        self._machine.fill_disk(full=False)

    def _shrink(self) -> None:
        with closing(sqlite3.connect(self._file, timeout=1)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def jump(self) -> None:
        """The clock is an hour ahead or behind, and right again."""
        ahead = self._chance.choice((HOUR, -HOUR))
        self.happened[f"clock {'ahead' if ahead > 0 else 'behind'} by an hour"] += 1
        self._machine.shift_clock(ahead)
        await asyncio.sleep(JUMPED)
        self._machine.shift_clock(0)

    @property
    def _file(self) -> Path:
        return Path(str(sa.make_url(self._house.url).database))
