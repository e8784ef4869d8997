"""Remembers what Slack said for a short while."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Values by key for `seconds`; at most `size` of them, the oldest go first. A failed load is not remembered."""

    def __init__(
        self,
        load: Callable[[str], Awaitable[Value]],
        seconds: float,
        *,
        size: int = 5000,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._seconds = seconds
        self._size = size
        self._now = now
        self._values: dict[str, tuple[float, Value]] = {}

    async def get(self, key: str) -> Value:
        """The remembered value, or a freshly loaded one. Raises what the load raises."""
        kept = self._values.get(key)
        if kept is not None and self._now() - kept[0] < self._seconds:
            return kept[1]
        value = await self._load(key)
        self._values.pop(key, None)
        self._values[key] = (self._now(), value)
        while len(self._values) > self._size:
            del self._values[next(iter(self._values))]
        return value
