"""All vectors in memory, with who may read each: the exact side of the search, and the gate of the approximate one.

Chunks of one source with the same readers share a shelf, so that access is decided once for each shelf and not for
each chunk. A snapshot never changes: a search in a worker thread sees one moment while the next is being written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge import access
from knowledge.documents import Vector

Shelf = tuple[str, frozenset[str]]
Mask = NDArray[np.bool_]
_FIRST_ROWS = 1024
_DEAD_SHARE = 0.25  # above this share of removed rows the table is packed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The table at one moment. Row `i` is the chunk `keys[i]` on shelf `places[i]`, gone unless `alive[i]`."""

    keys: NDArray[np.int64]
    places: NDArray[np.int32]
    alive: Mask
    matrix: Vector
    rows: dict[int, int]
    shelves: tuple[Shelf, ...]

    def readable(self, scopes: frozenset[str], sources: frozenset[str]) -> Mask:
        """Which rows an audience with `scopes` may read, of the sources named."""
        allowed = np.array(self.open_shelves(scopes, sources), dtype=bool)
        return self.alive & allowed[self.places] if len(allowed) else self.alive.copy()

    def open_shelves(self, scopes: frozenset[str], sources: frozenset[str]) -> list[bool]:
        """For each shelf whether the audience may read it."""
        return [source in sources and access.readable(readers, scopes) for source, readers in self.shelves]

    def row_of(self, key: int) -> int | None:
        """The row of a chunk, or None where it is not in this snapshot."""
        row = self.rows.get(key)
        return row if row is not None and row < len(self.keys) and self.alive[row] else None

    def nearest(self, vector: Vector, rows: NDArray[np.intp], count: int) -> list[tuple[int, float]]:
        """The exact `count` best of `rows` as (key, cosine), best first; equals by key."""
        whole = len(rows) * 2 > len(self.keys)
        cosines = (self.matrix @ vector)[rows] if whole else self.matrix[rows] @ vector
        if count < len(rows):
            best = np.argpartition(-cosines, count - 1)[:count]
            rows, cosines = rows[best], cosines[best]
        keys = self.keys[rows]
        return [(int(keys[i]), float(cosines[i])) for i in np.lexsort((keys, -cosines))]

    def cosine(self, key: int, vector: Vector) -> float:
        """The cosine of a chunk that is here and a question."""
        return float(self.matrix[self.rows[key]] @ vector)


class VectorTable:
    """Grows and shrinks on the event loop alone; searches work on its snapshots."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._shelves: dict[Shelf, int] = {}
        self._keys = np.empty(0, np.int64)
        self._places = np.empty(0, np.int32)
        self._alive = np.empty(0, np.bool_)
        self._matrix = np.empty((_FIRST_ROWS, dimensions), np.float32)
        self._rows: dict[int, int] = {}

    @property
    def snapshot(self) -> Snapshot:
        """The table as it is now."""
        count = len(self._keys)
        shelves = tuple(self._shelves)
        return Snapshot(self._keys, self._places, self._alive, self._matrix[:count], self._rows, shelves)

    @property
    def fingerprint(self) -> list[int]:
        """Count, sum and greatest of the keys: equal for equal sets of chunks, as keys are never used twice."""
        keys = self._keys[self._alive]
        return [len(keys), int(keys.sum()), int(keys.max(initial=0))]

    def add(self, keys: Sequence[int], shelves: Sequence[Shelf], vectors: Vector) -> None:
        """Takes in new chunks; `keys[i]`, `shelves[i]` and `vectors[i]` belong together."""
        start, end = len(self._keys), len(self._keys) + len(keys)
        self._make_room(end)
        # Beyond every snapshot's last row, so nobody who searches now can see it.
        self._matrix[start:end] = vectors
        places = [self._shelves.setdefault(shelf, len(self._shelves)) for shelf in shelves]
        self._rows.update(zip(keys, range(start, end), strict=True))
        self._keys = np.append(self._keys, np.asarray(keys, np.int64))
        self._places = np.append(self._places, np.asarray(places, np.int32))
        self._alive = np.append(self._alive, np.ones(len(keys), np.bool_))

    def remove(self, keys: Iterable[int]) -> None:
        """Takes chunks out; keys that are not here are passed over."""
        gone = [row for key in keys if (row := self._rows.get(key)) is not None]
        if not gone:
            return
        alive = self._alive.copy()
        alive[gone] = False
        self._alive = alive
        if np.count_nonzero(~alive) > max(_FIRST_ROWS, _DEAD_SHARE * len(alive)):
            self._pack()

    def move(self, keys: Iterable[int], shelf: Shelf) -> None:
        """Puts chunks on another shelf: their readers changed."""
        places = self._places.copy()
        places[[self._rows[key] for key in keys]] = self._shelves.setdefault(shelf, len(self._shelves))
        self._places = places

    def _make_room(self, rows: int) -> None:
        if rows <= len(self._matrix):
            return
        grown = np.empty((max(rows, len(self._matrix) * 3 // 2), self._dimensions), np.float32)
        grown[: len(self._keys)] = self._matrix[: len(self._keys)]
        self._matrix = grown

    def _pack(self) -> None:
        kept = np.flatnonzero(self._alive)
        self._matrix = self._matrix[kept]
        self._keys, self._places = self._keys[kept], self._places[kept]
        self._alive = np.ones(len(kept), np.bool_)
        self._rows = {int(key): row for row, key in enumerate(self._keys)}
