"""What happens, told to every open page as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from deploy.workspace.state import JSON


class Feed:
    """Live events for people; somebody with three open pages hears each event three times, once in each."""

    def __init__(self) -> None:
        self._queues: dict[str, list[asyncio.Queue[JSON]]] = {}

    @contextmanager
    def subscribe(self, user: str) -> Iterator[asyncio.Queue[JSON]]:
        """The queue of what `user` gets to see, from now on."""
        queue: asyncio.Queue[JSON] = asyncio.Queue()
        queues = self._queues.setdefault(user, [])
        queues.append(queue)
        try:
            yield queue
        finally:
            queues.remove(queue)

    def publish(self, users: Iterable[str], event: JSON) -> None:
        for user in users:
            for queue in self._queues.get(user, []):
                queue.put_nowait(event)

    def publish_to_all(self, event: JSON) -> None:
        self.publish(list(self._queues), event)
