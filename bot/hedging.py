"""A hedged request: where the first model stays silent, a second is asked, and only the one that speaks first is heard.

After J. Dean, L. A. Barroso, "The Tail at Scale" (CACM 2013), where the second request waits until the first is late.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.errors import ModelError

Speaker = TypeVar("Speaker")
Pieces = AsyncGenerator[str, None]


@dataclass(slots=True)
class _Runner(Generic[Speaker]):
    """A stream whose first piece is waited for in a task of its own."""

    speaker: Speaker
    pieces: Pieces
    first: asyncio.Task[str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.first = asyncio.create_task(self._first())

    async def _first(self) -> str | None:
        return await anext(self.pieces, None)

    @property
    def error(self) -> BaseException | None:
        """What ended it before it spoke."""
        return self.first.exception() if self.first.done() else None

    async def close(self) -> None:
        """Stops it; what it has open is settled before this returns."""
        self.first.cancel()
        await asyncio.gather(self.first, return_exceptions=True)
        await self.pieces.aclose()


@dataclass(slots=True)
class Race(Generic[Speaker]):
    """What became of it. `second`: None where it was not asked; `spoke`: who is heard; `failed`: who could not."""

    first: Speaker
    second: Speaker | None = None
    spoke: Speaker | None = None
    failed: list[Speaker] = field(default_factory=list)

    async def run(
        self,
        pieces: Callable[[Speaker], Pieces],
        rival: Callable[[], Awaitable[Speaker | None]],
        after: float,
    ) -> AsyncGenerator[str, None]:
        """The pieces of whoever speaks first; `spoke` is set before the first of them.

        The rival is asked after so many seconds of silence. Raises the first's ModelError where neither speaks. Closing
        it stops both.
        """
        runners = [_Runner(self.first, pieces(self.first))]
        try:
            await asyncio.wait([runners[0].first], timeout=after)
            if not runners[0].first.done() and (second := await rival()) is not None:
                self.second = second
                runners.append(_Runner(second, pieces(second)))
            winner = await self._winner(runners)
            self.spoke = winner.speaker
            for loser in runners:
                if loser is not winner:
                    await loser.close()
            said = await winner.first
            if said is None:
                return
            yield said
            async with aclosing(winner.pieces) as rest:
                async for piece in rest:
                    yield piece
        finally:
            for runner in runners:
                await runner.close()

    async def _winner(self, runners: list[_Runner[Speaker]]) -> _Runner[Speaker]:
        left = list(runners)
        while left:
            await asyncio.wait([runner.first for runner in left], return_when=asyncio.FIRST_COMPLETED)
            for runner in [one for one in left if one.first.done()]:
                if runner.error is None:
                    return runner
                if not isinstance(runner.error, ModelError):
                    raise runner.error
                self.failed.append(runner.speaker)
                left.remove(runner)
        error = runners[0].error
        assert error is not None
        raise error
