"""What was listed and is not read yet: a queue without an end that keeps its length on disk, not in memory."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import deque
from dataclasses import astuple
from typing import IO

from knowledge.sources.base import Checkpoint, Listing

Entry = Listing | Checkpoint
_IN_MEMORY = 2_000


class Backlog:
    """First in, first out. Listing never waits for reading, so what is gone is known at once.

    More than some thousand entries go to a temporary file that nobody else can open.
    """

    def __init__(self) -> None:
        self._first: deque[Entry] = deque()
        self._file: IO[bytes] | None = None
        self._spooled = 0
        self._read_at = 0
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, entry: Entry) -> None:
        """Adds an entry at the end."""
        if self._spooled or len(self._first) >= _IN_MEMORY:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 (`close` closes it)
            self._file.seek(0, 2)
            self._file.write(_line(entry))
            self._spooled += 1
        else:
            self._first.append(entry)
        self._changed.set()

    def end(self) -> None:
        """Nothing comes any more."""
        self._closed = True
        self._changed.set()

    async def get(self) -> Entry | None:
        """The next entry as soon as there is one; None at the end."""
        while not self._first:
            if self._spooled:
                self._refill()
            elif self._closed:
                return None
            else:
                self._changed.clear()
                await self._changed.wait()
        return self._first.popleft()

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()

    def _refill(self) -> None:
        assert self._file is not None
        self._file.seek(self._read_at)
        for _ in range(min(self._spooled, _IN_MEMORY)):
            self._first.append(_entry(self._file.readline()))
            self._spooled -= 1
        self._read_at = self._file.tell()
        if not self._spooled:
            self._file.truncate(0)
            self._read_at = 0


def _line(entry: Entry) -> bytes:
    fields = [sorted(each) if isinstance(each, frozenset) else each for each in astuple(entry)]
    return json.dumps(fields).encode() + b"\n"


def _entry(line: bytes) -> Entry:
    fields = json.loads(line)
    if len(fields) == 1:
        return Checkpoint(*fields)
    path, version, readers, url, handle, anchor = fields
    return Listing(path, version, frozenset(readers), url, handle, anchor)
