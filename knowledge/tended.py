"""One search index that is kept in step with the database, opened with care and rebuilt where it cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import structlog

from knowledge.change_log import ChangeLog, Standing
from knowledge.errors import IndexBroken, KnowledgeError
from knowledge.index import VectorIndex
from knowledge.lexical import LexicalIndex
from knowledge.records import Written
from knowledge.stamp import Stamp, StampFile, mark_of
from knowledge.trial import tried

SearchIndex = VectorIndex | LexicalIndex
_TRIES = 5  # to find the index and the database at one and the same write, while others go on writing
_AGAIN = (5.0, 15.0, 60.0, 300.0)  # seconds until a rebuild that failed is tried again
_log = structlog.get_logger(__name__)


class _Closing(Exception):
    """The process ends: nothing is mended any more."""


class Tended:
    """An index with its stamp. It is usable while `trouble` is None; `number` is the write that it is in step with.

    `write` puts what a write did into the index (again, where it may be there already), `fill` all that there is, some
    at a time, and `changes` gives what came after a write; `prove` raises IndexBroken where it finds other things than
    it should. They are the caller's, as they differ from index to index.
    """

    def __init__(
        self,
        index: SearchIndex,
        stamps: StampFile,
        wanted: Stamp,
        folder: Path,
        *,
        log: ChangeLog,
        write: Callable[[Written, bool], Awaitable[None]],
        fill: Callable[[], AsyncIterator[None]],
        changes: Callable[[int], AsyncIterator[Written]],
        prove: Callable[[], Awaitable[None]],
    ) -> None:
        """`folder` is where this process keeps it."""
        self.index = index
        self.number = 0
        self.trouble: str | None = "it was not opened yet"
        self.rebuilding = False
        self._stamps = stamps
        self._wanted = wanted
        self._folder = folder
        self._log = log
        self._write = write
        self._fill = fill
        self._changes = changes
        self.prove = prove
        self._place = ""
        self._trusted = True  # until it fails in use
        self._entered = False
        self._resting = True
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

    async def open(self, now: Standing) -> None:
        """Opens what was closed in peace, or begins an empty one where there is nothing to hold. All else waits for
        `mend`: the reason is in `trouble`."""
        self._wanted = replace(self._wanted, house=now.house)
        try:
            if not now.chunks:
                await self._begin(now.number)
                await self._end()
                return
            stamp = await self._fitting(now)
            if not stamp.files:
                raise IndexBroken("it was not closed in peace")
            if await asyncio.to_thread(mark_of, self._folder) != stamp.files:
                self._trusted = False
                raise IndexBroken("its files were changed or lost")
            await self._enter(stamp, trial=False)
            if self.number >= now.logged:
                await self._compare_count(now.chunks)
                await self._end()
                return
            raise IndexBroken("it is behind")
        except (IndexBroken, OSError, KnowledgeError) as error:
            self.trouble = str(error)

    def break_off(self, why: str) -> bool:
        """It failed in use: it is rebuilt. False where that is known already."""
        if not self.is_whole:
            return False
        self.trouble, self._trusted = why, False
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
            if self.break_off(str(error)):
                _log.warning("knowledge.index_failed", index=self.name, problem=str(error), next="rebuilt")

    async def rest(self) -> None:
        """Notes what it holds, once nothing was written for a while."""
        if not self.is_whole or self._resting:
            return
        try:
            await asyncio.to_thread(self.index.rest)
            await self._stamps.set(replace(self._wanted, number=self.number, place=self._place))
            self._resting = True
        except (IndexBroken, OSError, KnowledgeError) as error:
            _log.warning("knowledge.index_not_stamped", index=self.name, problem=str(error))

    async def close(self) -> None:
        """Closes it in peace: the next start need not try it out first."""
        self._closing = True
        if self._mending is not None:
            if self._waiting:
                self._mending.cancel()
            # What a thread has in hand is finished first; then there is nothing more to tell of it.
            await asyncio.gather(self._mending, return_exceptions=True)
        whole = self.is_whole
        try:
            if whole:
                await asyncio.to_thread(self.index.rest)
            await asyncio.to_thread(self.index.close)
            if whole:
                files = await asyncio.to_thread(mark_of, self._folder)
                await self._stamps.set(replace(self._wanted, number=self.number, place=self._place, files=files))
        except (IndexBroken, OSError, KnowledgeError) as error:
            _log.warning("knowledge.index_not_stamped", index=self.name, problem=str(error))

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
                wait = _AGAIN[min(self.failed, len(_AGAIN) - 1)]
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
            except IndexBroken as error:
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
            await self.prove()
            _log.info("knowledge.index_recovered", index=self.name, chunks=now.chunks, count=before - behind)
            return
        raise IndexBroken("the database changed all the time")

    async def _rebuild(self, reason: str) -> None:
        now = await self._log.standing()
        if now.chunks:
            _log.warning("knowledge.index_rebuilt", index=self.name, why=reason, chunks=now.chunks, source="database")
        self.rebuilding = True
        await self._begin(now.number)
        async for _ in self._fill():
            if self._closing:
                raise _Closing
        self._trusted = True

    async def _wait_for(self, what: Coroutine[object, object, object]) -> None:
        """Waits where `close` may break it off."""
        if self._closing:
            what.close()
            raise _Closing
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
        self.number, self._resting = number, False

    async def _enter(self, stamp: Stamp, *, trial: bool) -> None:
        if trial:
            kind = "lexical" if isinstance(self.index, LexicalIndex) else "vectors"
            trying = (kind, self._folder, stamp.place, stamp.dimensions)
            await asyncio.to_thread(tried, *trying, lambda: self._closing)
        self._place, self.number = stamp.place, stamp.number
        await self._unrest()
        await asyncio.to_thread(self.index.open, stamp.place)
        self._resting, self._entered = False, True

    async def _end(self) -> None:
        """It is whole, and in step with the write `number`."""
        await asyncio.to_thread(self.index.rest)
        await self._stamps.set(replace(self._wanted, number=self.number, place=self._place))
        await asyncio.to_thread(self.index.tidy)
        self._resting, self.trouble = True, None

    async def _unrest(self) -> None:
        """From now on it is at risk: without a mark of its files on the stamp it is tried out before it is used."""
        if self._resting:
            stamp = await self._stamps.read()
            if stamp is not None and stamp.files:
                await self._stamps.set(replace(stamp, files=""))
            self._resting = False

    async def _fitting(self, now: Standing) -> Stamp:
        stamp = await self._stamps.read()
        if stamp is None:
            raise IndexBroken("it is missing, or was not finished")
        if not stamp.fits(self._wanted):
            raise IndexBroken("it is of another form or model")
        if not now.floor <= stamp.number <= now.number:
            raise IndexBroken("it is not what the database holds")
        return stamp

    async def _compare_count(self, chunks: int) -> None:
        count = await asyncio.to_thread(self.index.count)
        if count != chunks:
            raise IndexBroken(f"it holds {count} chunks, the database {chunks}")
