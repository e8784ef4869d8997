"""The vector index that all processes of a database have in common, on a Chroma server.

One process keeps it: whoever has its lease follows the database into it, compares and rebuilds it; the others search in
it, and take over within seconds of its end. So whoever takes it over finds what somebody else left, and compares all
keys first. Search is exact meanwhile, and while the server is away.

A process that was thought dead may still write once. That does no harm: a key is never used twice, what was removed is
dropped from every result, and one key too many is found by the next comparison.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Any

import structlog

from knowledge.change_log import Standing
from knowledge.chroma import ChromaServer
from knowledge.database import Database
from knowledge.errors import IndexAway, IndexBroken, KnowledgeError
from knowledge.index import VectorIndex
from knowledge.leases import SECONDS, Leases
from knowledge.records import Written
from knowledge.server_home import ServerHome
from knowledge.shared_stamp import NotKept, SharedStamps
from knowledge.stamp import Stamp
from knowledge.tended import AGAIN, Stopped, Tended
from knowledge.uninterrupted import uninterrupted

LOOK = 1.0
"""Seconds between two looks at who keeps the index and how it stands."""
_LONGEST = 30.0  # seconds until a server that was away is asked again
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sharing:
    """What processes that have an index in common need: a server for it, and leases."""

    server: ChromaServer
    leases: Leases

    def tended(self, database: Database, wanted: Stamp, turn: asyncio.Lock, **works: Any) -> SharedTended:
        """The index of one embedding model."""
        stamps = SharedStamps(database, self.leases, f"vector index of {wanted.model}")
        return SharedTended(ServerHome(self.server, wanted.model), stamps, wanted, turn, **works)


class SharedTended(Tended):
    """It is usable where nobody has told of a trouble and it has all that this process has followed."""

    def __init__(self, home: ServerHome, stamps: SharedStamps, wanted: Stamp, turn: asyncio.Lock, **works: Any) -> None:
        """`works` is what `Tended` takes."""
        self.vectors = VectorIndex(home, wanted.dimensions)
        super().__init__(self.vectors, stamps, wanted, **works)
        self._home = home
        self._shared = stamps
        self._turn = turn
        self._looking: asyncio.Task[None] | None = None
        self._keeps = False
        self._until = self._renew_at = self._not_before = 0.0
        self._needed = 0
        self._to_tell = ""

    @property
    def is_whole(self) -> bool:
        """Whether it can be used; where it is behind for a moment it cannot, and nothing is the matter."""
        return self.trouble is None and (self._keeps or self.number >= self._needed)

    @property
    def is_kept_here(self) -> bool:
        """Whether it is this process that writes it."""
        return self._keeps

    @property
    def _is_stopping(self) -> bool:
        return self._closing or not self._keeps

    async def open(self, now: Standing) -> None:
        """Looks for it in the background: a server that hangs keeps no start waiting."""
        self._wanted = replace(self._wanted, house=now.house)
        self._home.house = now.house
        self._needed = now.logged
        self._looking = asyncio.create_task(self._keep_looking())

    async def take(self, written: Written, since: int) -> None:
        """Follows a write into it, where this process keeps it."""
        if written.added or written.removed:
            self._needed = max(self._needed, written.number)
        if not self._keeps or self.trouble is not None:
            return
        if time.monotonic() > self._until:
            self._step_down()
            return
        await super().take(written, since)
        if self.trouble is None:
            await self._stamp()

    async def rest(self) -> None:
        """It is at rest after every write."""

    def break_off(self, error: IndexBroken | OSError) -> bool:
        """It failed in use. The process that keeps it compares it and rebuilds it where it must."""
        if self.trouble is not None:
            return False
        self.trouble, self._entered = str(error), False
        # A process that cannot reach the server says nothing of the index; that it cannot be kept is for all to know.
        if self._keeps or not isinstance(error, IndexAway):
            self._to_tell = str(error)
        if not self._keeps:
            self._wait_longer()
        return True

    def fall_behind(self, why: str) -> None:
        """This process missed writes; whether the index did is seen when it is compared."""
        self._needed = self._log.latest
        if self._keeps:
            self.break_off(IndexAway(why))

    def mend_soon(self, turn: asyncio.Lock) -> None:
        """Has it mended where this process keeps it; the others wait."""
        if self._keeps:
            super().mend_soon(turn)

    async def mended(self) -> None:
        """Waits until it is whole."""
        while not self.is_whole and not self._closing:  # noqa: ASYNC110 - another process may be at it
            await asyncio.sleep(LOOK / 10)

    async def close(self, *, for_good: bool = False) -> None:
        """Lets go of it, and of its keeping, so that another process takes over at once."""
        self._closing = True
        running = [task for task in (self._looking, self._mending) if task is not None]
        if self._looking is not None:
            self._looking.cancel()
        if self._mending is not None and self._waiting:
            self._mending.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        try:
            # Where another process keeps it, that one still uses it.
            if for_good and await self._shared.leases.hold(self._shared.name):
                await self._shared.drop()
                await asyncio.to_thread(self._home.clear, "")
            await self._shared.leases.let_go(self._shared.name)
        except (IndexBroken, KnowledgeError) as error:
            _log.warning("knowledge.index_not_let_go", index=self.name, problem=str(error))
        await asyncio.to_thread(self.index.close)

    # Who keeps it

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self._look()
            except NotKept:
                self._step_down()
            except KnowledgeError as error:  # the database is away, which others tell of
                _log.debug("knowledge.not_looked", index=self.name, problem=str(error))
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        if time.monotonic() >= max(self._renew_at, 0.0 if self._keeps else self._not_before):
            await self._renew()
        if self._to_tell:
            told, self._to_tell = self._to_tell, ""
            await self._shared.tell(self._place, told)
        stamp, trouble = await self._shared.look()
        if not self._keeps:
            await self._follow(stamp, trouble)
        elif self.trouble is None and trouble:
            self.break_off(IndexBroken(trouble))
        self.mend_soon(self._turn)

    async def _renew(self) -> None:
        now = time.monotonic()
        if not await self._shared.leases.hold(self._shared.name):
            if self._keeps:
                self._step_down()
            return
        self._renew_at, self._until = now + SECONDS / 3, now + SECONDS
        if not self._keeps:
            _log.info("knowledge.index_kept", index=self.name, place="server")
            self._keeps, self._entered, self._trusted = True, False, True
            if not self.failed or self.trouble is None:  # else what it failed with stays the reason
                self.trouble = "it is compared with the database"

    def _step_down(self) -> None:
        self._keeps, self._entered, self._renew_at = False, False, 0.0
        self.trouble = "another process keeps it now"

    async def _follow(self, stamp: Stamp | None, trouble: str) -> None:
        """Uses what another process keeps."""
        if self.failed and time.monotonic() < self._not_before:
            return
        if stamp is None or trouble or not stamp.fits(self._wanted):
            self._entered = False
            self.trouble = trouble or "nobody has built it yet"
            return
        if self._entered and stamp.place == self._place:
            self.number, self.trouble = stamp.number, None
            return
        self.trouble, self._place = self.trouble or "it is being opened", stamp.place
        try:
            # A thread that went on after `close` would leave a connection open.
            await uninterrupted(asyncio.to_thread(self._try, stamp))
        except IndexBroken as error:
            self.trouble = str(error)
            self._wait_longer()
            if not isinstance(error, IndexAway):
                self._to_tell = str(error)
            return
        self._entered, self.failed = True, 0
        self.number, self.trouble = stamp.number, None

    def _try(self, stamp: Stamp) -> None:
        self.index.open(stamp.place)
        self.vectors.try_once()

    # Mending

    async def _mend(self, turn: asyncio.Lock) -> None:
        try:
            await self._mend_once(turn)
            self.failed = 0
        except Stopped:
            return
        except NotKept:
            self._step_down()
        except (IndexBroken, OSError, KnowledgeError) as error:
            if self.trouble != str(error):
                _log.error("knowledge.rebuild_failed", index=self.name, problem=str(error))
            self._step_down()
            self.trouble, self._to_tell = str(error), str(error)
            self._wait_longer()
            await self._give_up()
        finally:
            self.rebuilding = False

    def _wait_longer(self) -> None:
        self._not_before = time.monotonic() + min(AGAIN[min(self.failed, len(AGAIN) - 1)], _LONGEST)
        self.failed += 1

    async def _give_up(self) -> None:
        """Another process may reach what this one cannot."""
        try:
            await self._shared.leases.let_go(self._shared.name)
        except KnowledgeError as error:
            _log.debug("knowledge.index_not_let_go", index=self.name, problem=str(error))

    async def _unrest(self) -> None:
        """It is as safe as the server is."""

    async def _enter(self, stamp: Stamp, *, trial: bool) -> None:
        """Opens it: a damaged one can take down the server and not this process."""
        await asyncio.to_thread(self.index.open, stamp.place)
        self._place, self.number, self._entered = stamp.place, stamp.number, True

    async def _begin(self, number: int) -> None:
        await super()._begin(number)
        self._entered = True

    async def _end(self) -> None:
        await self._shared.set(replace(self._wanted, number=self.number, place=self._place))
        self.trouble, self._to_tell = None, ""
        try:
            await asyncio.to_thread(self.index.tidy)
        except IndexBroken as error:  # what was before is cleared the next time
            _log.info("knowledge.index_not_tidied", index=self.name, problem=str(error))

    async def _stamp(self) -> None:
        try:
            await self._shared.set(replace(self._wanted, number=self.number, place=self._place))
        except NotKept:
            self._step_down()
        except KnowledgeError as error:  # the next write says it too; until then the others search exactly
            _log.warning("knowledge.index_not_stamped", index=self.name, problem=str(error))
