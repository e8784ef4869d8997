"""One search index that is kept in step with the database, and rebuilt where it cannot be used."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Protocol

import structlog

from knowledge.change_log import ChangeLog, Standing
from knowledge.errors import IndexAway, IndexBroken, KnowledgeError
from knowledge.index import VectorIndex
from knowledge.lexical import LexicalIndex
from knowledge.records import Written
from knowledge.stamp import Stamp

SearchIndex = VectorIndex | LexicalIndex
_TRIES = 5  # to find the index and the database at one and the same write, while others go on writing
_PAUSE = 0.5  # seconds between two of them
AGAIN = (5.0, 15.0, 60.0, 300.0)  # seconds until a rebuild that failed is tried again
_log = structlog.get_logger(__name__)


class Stopped(Exception):
    """The process ends, or another one keeps the index now: nothing is mended here any more."""


class Stamps(Protocol):
    """Where the stamp of an index lies."""

    async def read(self) -> Stamp | None:
        """What it says; None where there is none."""
        ...

    async def set(self, stamp: Stamp) -> None:
        """Writes it anew."""
        ...


class Tended(ABC):
    """An index with its stamp. It is usable while `trouble` is None; `number` is the write that it is in step with.

    `write` puts what a write did into the index (again, where it may be there already), `fill` all that there is, some
    at a time, and `changes` gives what came after a write; `prove` raises IndexBroken where it finds other things than
    it should, and gives False where that cannot be told just now. They are the caller's, as they differ from index to
    index.
    """

    def __init__(
        self,
        index: SearchIndex,
        stamps: Stamps,
        wanted: Stamp,
        *,
        log: ChangeLog,
        write: Callable[[Written, bool], Awaitable[None]],
        fill: Callable[[], AsyncIterator[None]],
        changes: Callable[[int], AsyncIterator[Written]],
        prove: Callable[[], Awaitable[bool]],
    ) -> None:
        self.index = index
        self.number = 0
        self.trouble: str | None = "it was not opened yet"
        self.rebuilding = False
        self._stamps = stamps
        self._wanted = wanted
        self._log = log
        self._write = write
        self._fill = fill
        self._changes = changes
        self.prove = prove
        self._place = ""
        self._trusted = True  # until it fails in use
        self._entered = False
        self._mending: asyncio.Task[None] | None = None
        self._closing = False
        self._waiting = False
        self.failed = 0
        """How often it could not be rebuilt, one time after the other."""

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return self.index.name

    @property
    def is_whole(self) -> bool:
        """Whether it can be used."""
        return self.trouble is None

    @property
    def _is_stopping(self) -> bool:
        return self._closing

    @property
    def is_kept_here(self) -> bool:
        """Whether it is this process that writes it."""
        return True

    @abstractmethod
    async def open(self, now: Standing) -> None:
        """Opens what can be used at once; all else waits for `mend_soon`, and the reason is in `trouble`."""

    @abstractmethod
    async def rest(self) -> None:
        """Notes what it holds, once nothing was written for a while."""

    @abstractmethod
    async def close(self, *, for_good: bool = False) -> None:
        """Lets go of it; `for_good`, nobody will ask for it again."""

    def break_off(self, error: IndexBroken | OSError) -> bool:
        """It failed in use: it is rebuilt. False where that is known already."""
        if not self.is_whole:
            return False
        self.trouble, self._trusted = str(error), False
        return True

    def fall_behind(self, why: str) -> None:
        """It missed writes that nobody can tell of any more: it is rebuilt."""
        self.trouble, self._trusted = why, False

    async def take(self, written: Written, since: int) -> None:
        """Follows what was written after the write `since`, where it is whole; one that fails is rebuilt."""
        if not self.is_whole or written.number < self.number:
            return
        try:
            await self._unrest()
            await self._write(written, self.number > since)
            self.number = written.number
        except (IndexBroken, OSError) as error:
            if self.break_off(error):
                _log.warning("knowledge.index_failed", index=self.name, problem=str(error), next="rebuilt")

    # Mending

    def mend_soon(self, turn: asyncio.Lock) -> None:
        """Has it mended in the background, as often as it takes. `turn` is held while it is brought into step."""
        if not self.is_whole and not self._closing and (self._mending is None or self._mending.done()):
            self._mending = asyncio.create_task(self._mend(turn))

    async def mended(self) -> None:
        """Waits until it is whole, where it is being mended."""
        if self._mending is not None:
            await asyncio.wait({self._mending})

    async def _mend(self, turn: asyncio.Lock) -> None:
        while not self.is_whole:
            try:
                await self._mend_once(turn)
                self.failed = 0
            except (IndexBroken, OSError, KnowledgeError) as error:
                wait = AGAIN[min(self.failed, len(AGAIN) - 1)]
                self.failed += 1
                self.trouble = str(error)
                _log.error("knowledge.rebuild_failed", index=self.name, problem=str(error), seconds=wait)
                await self._wait_for(asyncio.sleep(wait))
            finally:
                self.rebuilding = False

    async def _mend_once(self, turn: asyncio.Lock) -> None:
        reason = self.trouble or ""
        if self._trusted:
            try:
                await self._recover()
            except IndexAway:
                raise  # what it holds may be whole
            except IndexBroken as error:
                if self._is_stopping:
                    raise Stopped from None
                reason, self._trusted = str(error), False
        if not self._trusted:
            await self._rebuild(reason)
        await self._wait_for(turn.acquire())
        try:
            await self._replay()
            await self._end()
        finally:
            turn.release()

    async def _recover(self) -> None:
        """Takes what a killed process left, where it survives being tried out. Raises IndexBroken."""
        if not self._entered:
            await self._enter(await self._fitting(await self._log.standing()), trial=True)
        behind = self.number
        for _ in range(_TRIES):
            await self._replay()
            before = self.number
            now = await self._log.standing()
            if now.logged > before:
                continue  # somebody wrote meanwhile
            if await asyncio.to_thread(self.index.holds) != (now.chunks, now.checksum):
                raise IndexBroken("it is not what the database holds")
            if not await self.prove():
                await self._wait_for(asyncio.sleep(_PAUSE))  # until the table has followed too
                continue
            _log.info("knowledge.index_recovered", index=self.name, chunks=now.chunks, count=before - behind)
            return
        raise IndexBroken("the database changed all the time")

    async def _rebuild(self, reason: str) -> None:
        now = await self._log.standing()
        if now.chunks:
            _log.warning("knowledge.index_rebuilt", index=self.name, why=reason, chunks=now.chunks, source="database")
        self.rebuilding = True
        await self._begin(now.logged)
        async for _ in self._fill():
            if self._is_stopping:
                raise Stopped
        self._trusted = True

    async def _wait_for(self, what: Coroutine[object, object, object]) -> None:
        """Waits where `close` may break it off."""
        if self._is_stopping:
            what.close()
            raise Stopped
        self._waiting = True
        try:
            await what
        finally:
            self._waiting = False

    async def _replay(self) -> None:
        """Brings in what was written since; what is there already is not doubled."""
        async for written in self._changes(self.number):
            await self._write(written, True)
            self.number = written.number

    async def _begin(self, number: int) -> None:
        await asyncio.to_thread(self.index.close)
        self._place = await asyncio.to_thread(self.index.recreate)
        self.number = number

    async def _fitting(self, now: Standing) -> Stamp:
        stamp = await self._stamps.read()
        if stamp is None:
            raise IndexBroken("it is missing, or was not finished")
        if not stamp.fits(self._wanted):
            raise IndexBroken("it is of another form or model")
        if not now.floor <= stamp.number <= now.number:
            raise IndexBroken("it is not what the database holds")
        return stamp

    @abstractmethod
    async def _unrest(self) -> None:
        """From now on it is at risk."""

    @abstractmethod
    async def _enter(self, stamp: Stamp, *, trial: bool) -> None:
        """Opens what the stamp tells of, tried out first where that is a `trial`."""

    @abstractmethod
    async def _end(self) -> None:
        """It is whole, and in step with the write `number`."""
