"""Remembers what Slack said for a short while."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """Values by key for `seconds` from when they were asked for (or for as many as `seconds` says of a value); at most
    `size` of them, the oldest go first. A failed load is not remembered, nor one that was forgotten while it ran."""

    def __init__(
        self,
        load: Callable[[str], Awaitable[Value]],
        seconds: float | Callable[[Value], float],
        *,
        size: int = 5000,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._seconds: Callable[[Value], float] = seconds if callable(seconds) else lambda _: seconds
        self._size = size
        self._now = now
        self._values: dict[str, tuple[float, Value]] = {}
        self._forgotten: Counter[str] = Counter()
        self._all_forgotten = 0

    async def get(self, key: str) -> Value:
        """The remembered value, or a freshly loaded one. Raises what the load raises."""
        kept = self._values.get(key)
        if kept is not None and self._now() - kept[0] < self._seconds(kept[1]):
            return kept[1]
        while True:
            asked, forgotten = self._now(), (self._forgotten[key], self._all_forgotten)
            value = await self._load(key)
            if forgotten == (self._forgotten[key], self._all_forgotten):
                break
        self._values.pop(key, None)
        self._values[key] = (asked, value)
        while len(self._values) > self._size:
            del self._values[next(iter(self._values))]
        return value

    def forget(self, key: str) -> None:
        """The value is asked for anew, also by whoever is waiting for it now."""
        self._values.pop(key, None)
        self._forgotten[key] += 1

    def forget_all(self) -> None:
        """The same for every value."""
        self._values.clear()
        self._all_forgotten += 1
