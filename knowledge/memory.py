"""Keeps the process small where the C library would not: glibc keeps a heap for each thread, with what was freed."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_HEAPS = 2


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


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(None)
        library.mallopt, library.malloc_trim  # noqa: B018 - both are there, or neither is used
    except (OSError, AttributeError):
        return None
    return library
