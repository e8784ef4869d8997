"""A checksum of a set of keys that does not ask for their order, and can be kept while keys come and go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = 1 << 64


def key_sum(keys: Sequence[int] | NDArray[np.int64]) -> int:
    """The sum of all keys, each mixed over 64 bits before, modulo 2⁶⁴ and as a signed number, as databases keep it.

    The mixing is SplitMix64's last step (Steele, Lea and Flood, 2014), so that what is missing and what is too much
    hardly ever make up for each other.
    """
    mixed = np.asarray(keys, np.int64).astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return signed(int((mixed ^ (mixed >> np.uint64(31))).sum(dtype=np.uint64)))


def signed(total: int) -> int:
    """A sum or difference of checksums as a checksum."""
    total %= _WORD
    return total - _WORD if total >= _WORD // 2 else total
