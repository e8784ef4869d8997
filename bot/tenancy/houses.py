"""The open houses of this process, one for each workspace: opened when needed, closed one by one or all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import structlog

from bot.errors import SwitchboardError
from bot.house import House
from bot.tenancy.place import abandon
from bot.tenancy.registry import Installation
from knowledge.errors import KnowledgeError

log = structlog.get_logger("bot.tenancy")

AT_ONCE = 4
"""So many houses are opened at the same time: each takes a core for a moment."""
AGAIN_SECONDS = 10.0
"""How long after a house could not be opened it is tried again."""

STOP_SECONDS = 1.0
"""So long what is under way may go on where nothing of it can be said any more: what is being written is written."""

Open = Callable[[str, Installation], AbstractAsyncContextManager[House]]
"""Opens the house of a workspace for an installation."""


@dataclass(slots=True)
class _Opening:
    """A house that is open, being opened, or that could not be."""

    installation: Installation
    ready: asyncio.Future[House]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    failed_at: float | None = None


class Houses:
    """Each lives in a task of its own, which opens it, keeps it and closes it."""

    def __init__(self, open_one: Open) -> None:
        self._open_one = open_one
        self._openings: dict[str, _Opening] = {}
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._closing = False

    async def house(self, workspace: str, installation: Installation) -> House:
        """The house of a workspace, opened where it is not yet. Raises what opening it raised."""
        opening = self._openings.get(workspace)
        if opening is None or self._may_try_again(opening):
            opening = self._begin(workspace, installation)
        return await asyncio.shield(opening.ready)

    def open_in_background(self, workspace: str, installation: Installation) -> None:
        """Begins to open a house, where it is not open or just failed to."""
        opening = self._openings.get(workspace)
        if not self._closing and (opening is None or self._may_try_again(opening)):
            self._begin(workspace, installation)

    def there(self) -> dict[str, House]:
        """The houses that are open now, by workspace."""
        return {name: each.ready.result() for name, each in self._openings.items() if _is_open(each)}

    def installations(self) -> dict[str, Installation]:
        """By which installation each house is open or being opened."""
        return {name: each.installation for name, each in self._openings.items() if each.failed_at is None}

    def wanted(self) -> int:
        """How many are open, are being opened, or could not be."""
        return len(self._openings)

    def use(self, workspace: str, installation: Installation) -> None:
        """Gives an open house the token of another version of its installation; what is under way goes on with it."""
        opening = self._openings[workspace]
        opening.installation = installation
        if _is_open(opening):
            opening.ready.result().bolt.use_token(installation.bot_token, installation.named(workspace))

    async def close(self, workspace: str, *, at_once: bool = False) -> None:
        """Closes a house. `at_once`: what is under way is stopped, since nothing of it could be said any more."""
        opening = self._openings.get(workspace)
        if opening is None or opening.task is None:
            return
        if at_once and _is_open(opening):
            house = opening.ready.result()
            await house.under_way.drain(STOP_SECONDS)
            await abandon(house.core.engine)
        opening.stop.set()
        await asyncio.wait({opening.task})
        if self._openings.get(workspace) is opening:
            del self._openings[workspace]

    async def close_all(self) -> None:
        """At shutdown: all at the same time."""
        self._closing = True
        await asyncio.gather(*(self.close(workspace) for workspace in list(self._openings)))

    def _begin(self, workspace: str, installation: Installation) -> _Opening:
        opening = _Opening(installation, asyncio.get_running_loop().create_future())
        opening.ready.add_done_callback(_heard)
        self._openings[workspace] = opening
        opening.task = asyncio.create_task(self._keep(workspace, opening))
        return opening

    async def _keep(self, workspace: str, opening: _Opening) -> None:
        structlog.contextvars.clear_contextvars()  # of the request that happened to need it first
        with structlog.contextvars.bound_contextvars(workspace=workspace):
            try:
                async with self._at_once:
                    opened = self._open_one(workspace, opening.installation)
                    house = await opened.__aenter__()
            except BaseException as error:
                opening.failed_at = asyncio.get_running_loop().time()
                _log_failure(error)
                opening.ready.set_exception(error if isinstance(error, Exception) else _gone(workspace))
                return
            try:
                opening.ready.set_result(house)
                self.use(workspace, opening.installation)  # which may have changed meanwhile
                log.info("house_opened")
                await opening.stop.wait()
            finally:
                await opened.__aexit__(None, None, None)
                if self._openings.get(workspace) is opening:  # not before it is closed: it has the folder's lock
                    del self._openings[workspace]
                log.info("house_closed")

    def _may_try_again(self, opening: _Opening) -> bool:
        if opening.failed_at is None:
            return False
        return asyncio.get_running_loop().time() - opening.failed_at > AGAIN_SECONDS


def _is_open(opening: _Opening) -> bool:
    return opening.ready.done() and opening.failed_at is None


def _gone(workspace: str) -> SwitchboardError:
    return SwitchboardError(f"The house of {workspace} was closed while it was being opened.")


def _heard(ready: asyncio.Future[House]) -> None:
    """A failure is logged where it happens; nobody need wait for it."""
    if not ready.cancelled():
        ready.exception()


def _log_failure(error: BaseException) -> None:
    if isinstance(error, (SwitchboardError, KnowledgeError)):
        log.error("house_not_opened", problem=str(error))
    elif isinstance(error, Exception):
        log.exception("house_not_opened")
