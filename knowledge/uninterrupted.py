"""Work that a cancellation may not cut in two: it is finished first, and the cancellation follows."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

_Result = TypeVar("_Result")


async def uninterrupted(work: Coroutine[object, object, _Result]) -> _Result:
    """The result of `work`, which runs to its end even if the caller is cancelled meanwhile."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            await asyncio.wait({task})
        raise
