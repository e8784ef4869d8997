"""Vectors in full, on disk: they are read for the few rows that a search has to look at closely.

The file has no name and vanishes with the process: the database is what lasts. What finds no room on the disk is kept
in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Vector


class RowFile:
    """A growing table of float32. Rows that were written never change, so any thread may read them."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        self._dimensions = dimensions
        self._bytes = dimensions * 4
        self._file: int | None = None
        self._on_disk = 0  # rows
        self._in_memory: list[Vector] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file, name = tempfile.mkstemp(prefix="vectors-", dir=folder)
            os.unlink(name)
        except OSError:
            self._file = None

    def append(self, vectors: Vector) -> None:
        """Adds rows at the end."""
        rows = np.ascontiguousarray(vectors, np.float32)
        if self._file is not None and not self._in_memory and self._written(rows):
            self._on_disk += len(rows)
        else:
            self._in_memory.extend(rows.copy())

    def read(self, rows: Iterable[int] | NDArray[np.intp]) -> Vector:
        """Some rows, in the order in which they are named."""
        numbers = [int(row) for row in rows]
        found = np.empty((len(numbers), self._dimensions), np.float32)
        for place, row in enumerate(numbers):
            if row < self._on_disk:
                assert self._file is not None
                os.preadv(self._file, [found[place]], row * self._bytes)
            else:
                found[place] = self._in_memory[row - self._on_disk]
        return found

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)

    def _written(self, rows: Vector) -> bool:
        assert self._file is not None
        left, place = rows.data.cast("B"), self._on_disk * self._bytes
        try:
            while left:
                done = os.pwrite(self._file, left, place)
                left, place = left[done:], place + done
        except OSError:
            return False
        return True
