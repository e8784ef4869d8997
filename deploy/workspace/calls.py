"""Every Web API call, kept for asserts, and the failures that a test asks for."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

from deploy.workspace.state import JSON

FaultKind = Literal["rate_limited", "http_500", "error"]


@dataclass
class Fault:
    """`times` calls of `method` (`*` = any) fail, once `skip` of them went well.

    `retry_after` is in seconds, `error` as Slack words it.
    """

    method: str
    kind: FaultKind
    error: str = "fatal_error"
    times: int = 1
    skip: int = 0
    retry_after: int = 1


class Faults:
    """Failures to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def take(self, method: str) -> Fault | None:
        """The fault that this call runs into, used up by one."""
        for fault in self._waiting:
            if fault.method in ("*", method):
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self._waiting.clear()


class CallLog:
    """The Web API calls so far, oldest first, as {method, args, at, ok, error}; tokens are never kept."""

    def __init__(self) -> None:
        self.entries: list[JSON] = []
        self._grown = asyncio.Condition()

    async def add(self, method: str, args: JSON, answer: JSON) -> None:
        kept = {key: value for key, value in args.items() if key != "token"}
        entry = {"method": method, "args": kept, "at": time.time(), "ok": bool(answer.get("ok"))}
        if "error" in answer:
            entry["error"] = answer["error"]
        async with self._grown:
            self.entries.append(entry)
            self._grown.notify_all()

    async def wait_for(self, method: str, args: JSON, after: int, seconds: float) -> tuple[int, JSON] | None:
        """The first call from index `after` on with these arguments among its own; None when none comes in time."""

        def found() -> tuple[int, JSON] | None:
            for index, entry in enumerate(self.entries[after:], after):
                same = all(entry["args"].get(key) == value for key, value in args.items())
                if entry["method"] == method and same:
                    return index, entry
            return None

        async with self._grown:
            try:
                async with asyncio.timeout(seconds):
                    await self._grown.wait_for(lambda: found() is not None)
            except TimeoutError:
                return None
            return found()
