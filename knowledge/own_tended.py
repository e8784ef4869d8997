"""A search index in a folder of one process: opened with care, as a damaged one can take the whole process down."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from knowledge.change_log import Standing
from knowledge.errors import IndexBroken, KnowledgeError
from knowledge.lexical import LexicalIndex
from knowledge.stamp import Stamp, StampFile, mark_of
from knowledge.tended import SearchIndex, Tended
from knowledge.trial import tried

_log = structlog.get_logger(__name__)


class OwnTended(Tended):
    """An index that no other process uses, with a stamp beside it."""

    def __init__(self, index: SearchIndex, wanted: Stamp, folder: Path, **works: Any) -> None:
        """`folder` is where it lies; `works` is what `Tended` takes."""
        super().__init__(index, StampFile(folder / "stamp.json"), wanted, **works)
        self._folder = folder
        self._resting = True

    async def open(self, now: Standing) -> None:
        """Opens what was closed in peace, or begins an empty one where there is nothing to hold. All else waits for
        `mend`: the reason is in `trouble`."""
        self._wanted = replace(self._wanted, house=now.house)
        try:
            if not now.chunks:
                await self._begin(now.logged)
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

    async def close(self, *, for_good: bool = False) -> None:
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

    async def _enter(self, stamp: Stamp, *, trial: bool) -> None:
        if trial:
            kind = "lexical" if isinstance(self.index, LexicalIndex) else "vectors"
            trying = (kind, self._folder, stamp.place, stamp.dimensions)
            await asyncio.to_thread(tried, *trying, lambda: self._is_stopping)
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

    async def _compare_count(self, chunks: int) -> None:
        count = await asyncio.to_thread(self.index.count)
        if count != chunks:
            raise IndexBroken(f"it holds {count} chunks, the database {chunks}")

    async def _begin(self, number: int) -> None:
        await super()._begin(number)
        self._resting = False
