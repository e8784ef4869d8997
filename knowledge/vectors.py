"""All vectors in memory, in a byte a number: the exact search by meaning, and the gate of what may be found.

A vector x is kept as s·c with c in whole numbers from −127 to 127; what that leaves out, e = x − s·c, has a known
length. For a question q = t·d + f the cosine x·q therefore differs from s·t·(c·d) by at most |e|·|t·d| + |x|·|f|
(Cauchy and Schwarz). A first pass takes c·d for all rows, a second takes c·q for those whose bound reaches the best,
and the few that are left are compared in full: the result is that of comparing all in full, and needs a quarter of the
memory traffic. A snapshot never changes: a search in a worker thread sees one moment while the next is being written.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import simsimd
from numpy.typing import NDArray

from knowledge.documents import Vector
from knowledge.filters import Reach, moment
from knowledge.key_sum import key_sum, signed
from knowledge.records import Facets
from knowledge.rowfile import RowFile
from knowledge.shelves import Mask, Shelves

Rows = NDArray[np.intp]
Codes = NDArray[np.int8]
_Number = TypeVar("_Number", bound=np.generic)
_FIRST_ROWS = 1024
_DEAD_SHARE = 0.25  # above this share of removed rows the table is packed
_BLOCK = 65_536  # rows of one pass, in between which other threads may run
_NARROW = 0.25  # below this share of readable rows these are gathered first
# A float32 sum of n products is off by at most n · 2⁻²⁴ of the lengths' product; twice that is allowed for.
_ROUNDING = 2.0**-23
_PARTS = 8  # of this many times the values wanted, the greatest of each part are looked at
_PACKED_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The table at one moment. Row `i` is the chunk `keys[i]` on shelf `places[i]`, gone unless `alive[i]`.

    `codes`, `scales` and `errors` are c, s and |e| of each row, `longest` the greatest |x| there is; `times` are the
    documents' ages in seconds since 1970.
    """

    keys: NDArray[np.int64]
    places: NDArray[np.int32]
    times: NDArray[np.float64]
    alive: Mask
    codes: Codes
    scales: Vector
    errors: Vector
    longest: float
    full: RowFile
    shelves: Shelves
    shelf_count: int

    def readable(self, reach: Reach) -> Mask:
        """Which rows a search may find."""
        mask: Mask = self.alive & self.shelves.open(reach, self.shelf_count)[self.places]
        if reach.updated_after is not None:
            mask &= self.times > moment(reach.updated_after)
        return mask

    def rows_of(self, keys: Sequence[int]) -> Rows:
        """The rows of those chunks that are here."""
        wanted = np.asarray(keys, np.int64)
        rows = np.searchsorted(self.keys, wanted)
        there = rows < len(self.keys)
        there[there] = (self.keys[rows[there]] == wanted[there]) & self.alive[rows[there]]
        return rows[there]

    def nearest(self, vector: Vector, mask: Mask, count: int) -> tuple[Rows, Vector]:
        """The exact `count` best of the rows that `mask` lets through, and their cosines, best first; equals by key.

        Rows with one and the same vector count once, and all of them are given.
        """
        readable = int(np.count_nonzero(mask))
        if not readable or count < 1:
            return np.empty(0, np.intp), np.empty(0, np.float32)
        narrow = np.flatnonzero(mask) if readable < _NARROW * len(mask) else None
        bounded = _Bounded(self, vector, mask, narrow)
        wanted = count
        while True:
            rows, cosines = bounded.best(wanted)
            different = np.count_nonzero(np.diff(cosines)) + 1
            if different >= count or wanted >= readable:
                return rows, cosines
            wanted *= 4

    def cosines(self, rows: Rows, vector: Vector) -> Vector:
        """The cosine of each of some rows and a question."""
        return _cosines(self.full.read(rows), vector)


class _Bounded:
    """The cosines of many rows and one question, each known within its bound."""

    def __init__(self, table: Snapshot, vector: Vector, mask: Mask, narrow: Rows | None) -> None:
        self._table, self._vector, self._mask, self._rows = table, vector, mask, narrow
        self._length = float(np.linalg.norm(vector))
        codes = table.codes if narrow is None else table.codes[narrow]
        scales = table.scales if narrow is None else table.scales[narrow]
        errors = table.errors if narrow is None else table.errors[narrow]
        code, scale, error = quantised(vector[None, :])
        rounding = _ROUNDING * len(vector) * table.longest * max(1.0, self._length)
        self._rounding = rounding
        bounds = errors * np.float32(self._length + error[0])
        bounds += np.float32(table.longest * error[0] + rounding)
        near = _dots(code, codes)
        near *= scales
        near *= scale[0]
        if narrow is None:
            near[~mask] = -np.inf
        self._least = near - bounds
        self._most = np.add(near, bounds, out=bounds)

    def best(self, count: int) -> tuple[Rows, Vector]:
        """The exact best rows with their cosines; equals by key."""
        table = self._table
        places = np.flatnonzero(self._most >= floor(self._least, count))
        rows = places[self._mask[places]] if self._rows is None else self._rows[places]
        near = (table.codes[rows].astype(np.float32) @ self._vector) * table.scales[rows]
        bounds = table.errors[rows] * np.float32(self._length) + np.float32(self._rounding)
        rows = rows[near + bounds >= floor(near - bounds, count)]
        cosines = table.cosines(rows, self._vector)
        # By key: rows ascend as keys do.
        order = np.lexsort((rows, -cosines))
        last = cosines[order[min(count, len(order)) - 1]]
        kept = order[: int(np.count_nonzero(cosines > last)) + int(np.count_nonzero(cosines == last))]
        return rows[kept], cosines[kept]


class VectorTable:
    """Grows and shrinks on the event loop alone; searches work on its snapshots."""

    def __init__(self, dimensions: int, folder: Path | None = None) -> None:
        """`folder` is where the vectors in full are kept; None: where the system keeps temporary files."""
        self._dimensions = dimensions
        self._folder = folder or Path(tempfile.gettempdir())
        self._shelves = Shelves()
        self._count = 0
        self._holds = (0, 0)
        self._longest = 1.0
        self._keys = np.empty(_FIRST_ROWS, np.int64)
        self._places = np.empty(_FIRST_ROWS, np.int32)
        self._times = np.empty(_FIRST_ROWS, np.float64)
        self._alive = np.zeros(_FIRST_ROWS, np.bool_)
        self._codes = np.empty((_FIRST_ROWS, dimensions), np.int8)
        self._scales = np.empty(_FIRST_ROWS, np.float32)
        self._errors = np.empty(_FIRST_ROWS, np.float32)
        self._full = RowFile(self._folder, dimensions)

    @property
    def snapshot(self) -> Snapshot:
        """The table as it is now."""
        n = self._count
        return Snapshot(
            keys=self._keys[:n],
            places=self._places[:n],
            times=self._times[:n],
            alive=self._alive[:n],
            codes=self._codes[:n],
            scales=self._scales[:n],
            errors=self._errors[:n],
            longest=self._longest,
            full=self._full,
            shelves=self._shelves,
            shelf_count=len(self._shelves),
        )

    @property
    def languages(self) -> frozenset[str]:
        """The languages that documents are or were in."""
        return self._shelves.languages

    @property
    def holds(self) -> tuple[int, int]:
        """How many chunks there are, and the sum of their keys (see `knowledge.key_sum`), kept at every change."""
        return self._holds

    @property
    def last(self) -> int:
        """The greatest key that there ever was; −1 before the first."""
        return int(self._keys[self._count - 1]) if self._count else -1

    def add(self, keys: Sequence[int], facets: Sequence[Facets], vectors: Vector) -> None:
        """Takes in new chunks; `keys[i]`, `facets[i]` and `vectors[i]` belong together. Keys only ever ascend."""
        if not len(keys):
            return
        start, end = self._count, self._count + len(keys)
        new = np.asarray(keys, np.int64)
        last = self._keys[start - 1] if start else -1
        if new[0] <= last or (np.diff(new) <= 0).any():
            raise ValueError("keys of chunks ascend, and these do not")
        self._make_room(end)
        # Beyond every snapshot's last row, so nobody who searches now can see it.
        self._codes[start:end], self._scales[start:end], self._errors[start:end] = quantised(vectors)
        self._longest = max(self._longest, float(np.linalg.norm(vectors, axis=1).max()))
        self._keys[start:end] = new
        self._places[start:end] = [self._shelves.place(one) for one in facets]
        self._times[start:end] = [moment(one.updated) for one in facets]
        self._alive[start:end] = True
        self._full.append(vectors)
        self._count = end
        self._holds = (self._holds[0] + len(new), signed(self._holds[1] + key_sum(new)))

    def remove(self, keys: Sequence[int]) -> None:
        """Takes chunks out; keys that are not here are passed over."""
        gone = self.snapshot.rows_of(keys)
        if not len(gone):
            return
        self._alive = self._alive.copy()
        self._alive[gone] = False
        self._holds = (self._holds[0] - len(gone), signed(self._holds[1] - key_sum(self._keys[gone])))
        dead = self._count - np.count_nonzero(self._alive[: self._count])
        if dead > max(_FIRST_ROWS, _DEAD_SHARE * self._count):
            self._pack()

    def move(self, keys: Sequence[int], facets: Sequence[Facets]) -> None:
        """Notes that something else is said of chunks now: their readers, age, language or tags."""
        places, times = self._places.copy(), self._times.copy()
        rows = self.snapshot.rows_of(keys)
        here = dict(zip(keys, facets, strict=True))
        for row in rows:
            said = here[int(self._keys[row])]
            places[row], times[row] = self._shelves.place(said), moment(said.updated)
        self._places, self._times = places, times

    def restrict(self, keys: Sequence[int], readers: frozenset[str]) -> None:
        """Gives chunks other readers; all else that is said of them stays."""
        rows = self.snapshot.rows_of(keys)
        places = self._places.copy()
        before, which = np.unique(places[rows], return_inverse=True)
        after = [self._shelves.place(replace(self._shelves.facets(int(place)), readers=readers)) for place in before]
        places[rows] = np.asarray(after, np.int32)[which]
        self._places = places

    def _make_room(self, rows: int) -> None:
        if rows <= len(self._keys):
            return
        room = max(rows, len(self._keys) * 3 // 2)
        self._keys = _grown(self._keys, room)
        self._places = _grown(self._places, room)
        self._times = _grown(self._times, room)
        self._alive = _grown(self._alive, room)
        self._codes = _grown(self._codes, room)
        self._scales = _grown(self._scales, room)
        self._errors = _grown(self._errors, room)

    def _pack(self) -> None:
        kept = np.flatnonzero(self._alive[: self._count])
        full = RowFile(self._folder, self._dimensions)
        for start in range(0, len(kept), _PACKED_AT_ONCE):
            full.append(self._full.read(kept[start : start + _PACKED_AT_ONCE]))
        self._full = full
        self._keys, self._places, self._times = self._keys[kept], self._places[kept], self._times[kept]
        self._codes, self._scales, self._errors = self._codes[kept], self._scales[kept], self._errors[kept]
        self._alive = np.ones(len(kept), np.bool_)
        self._count = len(kept)


def quantised(vectors: Vector) -> tuple[Codes, Vector, Vector]:
    """Whole numbers, scale and length of the error of each row: x = scale · codes + error."""
    scales = np.abs(vectors).max(axis=1, initial=0.0) / np.float32(127)
    scales[scales == 0] = 1.0
    codes = np.rint(vectors / scales[:, None]).astype(np.int8)
    errors = np.linalg.norm(vectors - codes * scales[:, None], axis=1)
    return codes, scales, errors * np.float32(1 + 1e-5)


def floor(values: Vector, count: int) -> float:
    """A number that at least `count` of the values reach, and not many more; −∞ where there are fewer values."""
    if count >= len(values):
        return -math.inf
    size = len(values) // (_PARTS * count)
    if size > 1:
        # The greatest of each part are values too: `count` of them are enough.
        greatest = values[: len(values) // size * size].reshape(-1, size).max(axis=1)
        return float(np.partition(greatest, len(greatest) - count)[len(greatest) - count])
    return float(np.partition(values, len(values) - count)[len(values) - count])


def _dots(code: Codes, codes: Codes) -> Vector:
    found = np.empty(len(codes), np.float32)
    for start in range(0, len(codes), _BLOCK):
        block = codes[start : start + _BLOCK]
        found[start : start + len(block)] = np.asarray(simsimd.cdist(code, block, "dot"))[0]
    return found


def _cosines(vectors: Vector, question: Vector) -> Vector:
    # In double precision, so that equal rows have equal cosines wherever they stand.
    return (vectors.astype(np.float64) @ question.astype(np.float64)).astype(np.float32)


def _grown(array: NDArray[_Number], rows: int) -> NDArray[_Number]:
    grown = np.zeros((rows, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
