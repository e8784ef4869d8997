"""Has the indexes of this process follow what other processes write: told by PostgreSQL, and by looking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from knowledge import processes
from knowledge.change_log import CHANNEL
from knowledge.database import Database
from knowledge.errors import KnowledgeError
from knowledge.indexes import Indexes
from knowledge.listening import LOOK, listen, look_and_listen
from knowledge.uninterrupted import uninterrupted

CHECK = 600.0
"""Seconds between two comparisons with the database, in every process."""
_REST = 3.0  # seconds without a write after which the indexes note what they hold
_log = structlog.get_logger(__name__)


class Keeper:
    """Runs until it is cancelled. `indexes` gives those in use, `turn` is held while they change, and `agree` is called
    as a sign of life."""

    def __init__(
        self,
        database: Database,
        indexes: Callable[[], Indexes],
        turn: asyncio.Lock,
        agree: Callable[[], Awaitable[None]],
    ) -> None:
        self._database = database
        self._indexes = indexes
        self._turn = turn
        self._agree = agree
        self._agreed = 0.0
        self._told = asyncio.Event()
        self._followed = -1
        self._since = self._checked = time.monotonic()

    async def run(self) -> None:
        """Looks once a second and when it is told; compares now and then. A database that is away is asked again."""
        listening = self._listen() if self._database.is_shared else None
        await look_and_listen(self._look, self._told, listening, (KnowledgeError,), _say)

    async def _look(self) -> None:
        async with self._turn:
            indexes = self._indexes()
            await uninterrupted(indexes.catch_up())
            if indexes.number != self._followed:
                self._followed, self._since = indexes.number, time.monotonic()
            elif time.monotonic() - self._since > _REST:
                await uninterrupted(indexes.rest())
        if time.monotonic() - self._agreed > processes.BEAT:
            self._agreed = time.monotonic()
            await self._agree()
        if time.monotonic() - self._checked > CHECK:
            self._checked = time.monotonic()
            await uninterrupted(indexes.check())

    async def _listen(self) -> None:
        while True:
            try:
                schema = await self._database.schema()
            except KnowledgeError:
                await asyncio.sleep(LOOK)
            else:
                await listen(self._database.arguments, CHANNEL, self._told, payload=schema)


def _say(error: Exception) -> None:
    _log.warning("knowledge.not_followed", problem=str(error), next="tried every second")
