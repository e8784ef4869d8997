"""What was begun and is not finished: nothing of it outlives the parts that it works with."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from bot.errors import Closing

Result = TypeVar("Result")


class UnderWay:
    """The tasks of one process. `drain` ends it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._draining = False
        self._over = False

    @property
    def draining(self) -> bool:
        """Whether nothing new is to be taken on: only what is under way may still begin what it needs."""
        return self._draining

    def run(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Begins a coroutine that `drain` waits for. Raises Closing once `drain` is over."""
        if self._over:
            work.close()
            raise Closing("I am shutting down and begin nothing more.")
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def refuse(self) -> None:
        """Nothing new is to be taken on from now on."""
        self._draining = True

    async def idle(self) -> None:
        """Waits until nothing is under way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def drain(self, seconds: float) -> None:
        """At shutdown: waits for what is under way and what that begins; stops what is not done after `seconds`."""
        self.refuse()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.idle(), seconds)
        self._over = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
