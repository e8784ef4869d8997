"""The bot as a process, as `python -m bot` is, that tells besides how many asyncio tasks it has: in the eight bytes of
the file that COUNTED_TASKS names, every half second."""

from __future__ import annotations

import asyncio
import mmap
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from bot.cli import main

_loops: list[asyncio.AbstractEventLoop] = []
_run = asyncio.BaseEventLoop.run_forever


def _noted(self: asyncio.BaseEventLoop) -> None:
    _loops.append(self)
    _run(self)


def _count(path: Path) -> None:
    with path.open("r+b") as file:
        told = mmap.mmap(file.fileno(), 8)
    while True:
        with suppress(RuntimeError):  # the loop changes them meanwhile
            tasks = sum(len(asyncio.all_tasks(loop)) for loop in _loops if loop.is_running())
            told[0:8] = tasks.to_bytes(8, "little")
        time.sleep(0.5)


if __name__ == "__main__":
    asyncio.BaseEventLoop.run_forever = _noted  # type: ignore[method-assign]
    threading.Thread(target=_count, args=(Path(os.environ["COUNTED_TASKS"]),), daemon=True).start()
    main()
