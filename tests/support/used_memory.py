"""A process whose freed memory is full of a text, and that then keeps a vector index in a folder: its arguments."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Thread

import numpy as np

from knowledge.index import FolderHome, VectorIndex
from knowledge.memory import few_heaps

_SIZES = (300, 400, 800, 4_000, 167_600, 500_000)
_DIMENSIONS = 384
_held: list[bytearray] = []  # so that what lies between stays with the process


def _use(text: bytes) -> None:
    for size in _SIZES:
        used = [bytearray(text * (size // len(text))) for _ in range(40)]
        _held.extend(used[::4])


def _used(text: bytes) -> None:
    threads = [Thread(target=_use, args=(text,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _use(text)


def main(folder: Path, text: bytes) -> None:
    few_heaps()
    _used(text)
    index = VectorIndex(FolderHome(folder), _DIMENSIONS)
    index.recreate()
    vectors = np.random.default_rng(0).random((300, _DIMENSIONS), dtype=np.float32)
    for start in range(0, len(vectors), 100):
        _used(text)
        index.add(range(start, start + 100), vectors[start : start + 100])
        index.nearest(vectors[0], 5)
    index.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].encode())
