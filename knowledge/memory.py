"""What glibc does with freed memory: it keeps a heap for each thread, and hands out what was freed as it was left."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_ARENA_MAX, _PERTURB = -8, -6  # M_ARENA_MAX and M_PERTURB of malloc.h
_HEAPS = 2
_ZEROS = 0xFF  # the bits of what M_PERTURB fills with are those turned round
_turn = threading.Lock()
_inside = 0


def few_heaps() -> None:
    """Lets threads that start from now on share two heaps. Does nothing without glibc.

    Measured while 2,500 chunks were taken in: 404 MB at most without, 356 with, 343 with `give_back` too, at the same
    speed.
    """
    library = _library()
    if library is not None:
        library.mallopt(_ARENA_MAX, _HEAPS)


def give_back() -> None:
    """Returns what was freed to the system; takes some milliseconds. Does nothing without glibc."""
    library = _library()
    if library is not None:
        library.malloc_trim(0)


@contextmanager
def emptied() -> Iterator[None]:
    """Within it, new memory holds nothing of what was there before. Does nothing without glibc.

    For a library that writes to disk what it never filled, such as somebody's message. Always on, it would cost a
    fifteenth of the processor's time and 75 MB.
    """
    _count(1)
    try:
        yield
    finally:
        _count(-1)


def _count(change: int) -> None:
    global _inside
    library = _library()
    with _turn:
        _inside += change
        if library is not None:
            library.mallopt(_PERTURB, _ZEROS if _inside else 0)


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(None)
        library.mallopt, library.malloc_trim  # noqa: B018 - both are there, or neither is used
    except (OSError, AttributeError):
        return None
    return library
