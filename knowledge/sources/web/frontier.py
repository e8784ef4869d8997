"""The addresses of a site that are still to be visited, nearest to the start first."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_KNOWN_PER_PAGE = 10  # addresses remembered for each page that may be visited; a calendar has no end


@dataclass(frozen=True, slots=True)
class Step:
    """One address to visit: how many links it lies from the start, and how many redirects led to it."""

    path: str
    depth: int
    hops: int = 0


class Frontier:
    """A queue that takes each path once. Steps deeper than `depth` are counted and left out.

    At most `pages` steps are taken out; `left` tells how many more there were.
    """

    def __init__(self, depth: int, pages: int) -> None:
        self._depth = depth
        self._pages = pages
        self._taken = 0
        self._waiting: deque[Step] = deque()
        self._seen: set[str] = set()
        self._deeper: set[str] = set()
        self._overflow = 0

    def add(self, step: Step) -> None:
        """Queues a step, if its path is new and not too deep."""
        if step.path in self._seen:
            return
        full = len(self._seen) + len(self._deeper) >= self._pages * _KNOWN_PER_PAGE
        if full:
            self._overflow += 1
        elif step.depth > self._depth:
            self._deeper.add(step.path)
        else:
            self._seen.add(step.path)
            self._waiting.append(step)

    def take(self) -> Step | None:
        """The next step; None where all were taken or the limit is reached."""
        if not self._waiting or self._taken >= self._pages:
            return None
        self._taken += 1
        return self._waiting.popleft()

    @property
    def left(self) -> int:
        """Addresses that the limit of pages kept from being visited."""
        return len(self._waiting) + self._overflow

    @property
    def deeper(self) -> int:
        """Addresses that lie deeper than the limit and were not met nearer to the start."""
        return len(self._deeper - self._seen)
