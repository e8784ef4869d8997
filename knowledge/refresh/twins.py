"""Texts that say nearly the same, found by MinHash and held against each other word for word.

Two chunks are twins where nine in ten of their runs of three words are the same and every number, name, identifier
and negation is, in the same order: a port that was changed makes another fact of the same sentence. Twins share a
vector; each keeps its own text.

A fingerprint is three numbers of three minima each (Broder 1997; banding after Leskovec, Rajaraman and Ullman, Mining
of Massive Datasets, 3.4). Of two texts with a similarity of 0.9 one number at least is equal in 98 of 100 cases, and
the database finds it by an index.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Chunk
from knowledge.markdown import plain
from knowledge.records import Fingerprint, Original

SIMILARITY = 0.9  # the share of common shingles from which on two texts say nearly the same
_SHINGLE = 3
_BANDS = 3
_ROWS = 3
_WORD = re.compile(r"[^\W_]+(?:[-_.:/#@'’]+[^\W_]+)*")
NEGATIONS = frozenset(
    re.findall(
        r"\w+",
        "no not nor none never neither nothing nobody without cannot except unless only before after "
        "kein keine keinen nicht nie niemals nichts ohne pas jamais sans non nunca sin nada",
    )
)
_FACTORS = np.random.default_rng(1997).integers(1, 2**63, size=(_BANDS * _ROWS, 2), dtype=np.uint64) | np.uint64(1)
_MIXERS = np.random.default_rng(2014).integers(1, 2**63, size=_SHINGLE + _ROWS, dtype=np.uint64) | np.uint64(1)


def original(title: str, chunk: Chunk) -> Original:
    """A chunk as a text that others may be twins of."""
    return Original(chunk.digest, title, chunk.heading, chunk.text)


def fingerprint(text: Original) -> Fingerprint:
    """Numbers of which most pairs of twins share at least one. The same in every process."""
    words = _words(text)
    facts = int.from_bytes(hashlib.blake2b("\0".join(_facts(words)).encode(), digest_size=8).digest())
    hashed = _shingles(words)
    minima = (hashed * _FACTORS[:, :1] + _FACTORS[:, 1:]).min(axis=1).reshape(_BANDS, _ROWS)
    numbers = (minima * _MIXERS[_SHINGLE:]).sum(axis=1, dtype=np.uint64) ^ np.uint64(facts)
    first, second, third = (int(number) for number in numbers.view(np.int64))
    return Fingerprint(first, second, third)


def are_twins(one: Original, other: Original) -> bool:
    """Whether two texts say nearly the same, and the same facts."""
    words, others = _words(one), _words(other)
    if _facts(words) != _facts(others):
        return False
    mine, theirs = set(_shingles(words).tolist()), set(_shingles(others).tolist())
    return len(mine & theirs) >= SIMILARITY * len(mine | theirs)


def _words(text: Original) -> list[str]:
    return _WORD.findall("\n".join([text.title, *text.heading, plain(text.text)]))


def _facts(words: list[str]) -> list[str]:
    """What no twin may differ in."""
    return [word for word in words if not (word.isalpha() and word.islower()) or word in NEGATIONS]


def _shingles(words: list[str]) -> NDArray[np.uint64]:
    """A number for each run of three words, whatever their case; for the whole of a shorter text."""
    hashed = np.array([_word_number(word) for word in words] or [0], np.uint64)
    if len(hashed) < _SHINGLE:
        hashed = np.concatenate([hashed, np.zeros(_SHINGLE - len(hashed), np.uint64)])
    count = len(hashed) - _SHINGLE + 1
    runs = np.zeros(count, np.uint64)
    for place in range(_SHINGLE):
        runs += hashed[place : place + count] * _MIXERS[place]
    return runs ^ (runs >> np.uint64(29))


@lru_cache(maxsize=20_000)
def _word_number(word: str) -> int:
    return zlib.crc32(word.lower().encode()) + 1
