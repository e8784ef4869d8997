"""A text's words as the encoder sees them in their sentence, kept small: what late interaction compares.

Each token's vector before the mean is taken, turned onto 128 axes and rounded to two bits an axis, is 32 bytes. A
question is as close to a text as its tokens are, each to its nearest of the text (MaxSim: Khattab and Zaharia 2020,
ColBERT), though nobody trained these vectors for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Vector

AXES = 128
BYTES = AXES // 4
_WIDTH = 384
# The rounding to four levels that loses least of a normal distribution (Max 1960).
_BORDER, _LOW, _HIGH = 0.9816, 0.4528, 1.5104
_LEVELS = np.array([-_HIGH, -_LOW, _LOW, _HIGH], np.float32) / np.float32(np.sqrt(AXES))


@dataclass(frozen=True, slots=True, eq=False)
class QuestionWords:
    """A question's tokens: a unit vector of `AXES` for each, and the word that it belongs to."""

    vectors: Vector
    words: tuple[str, ...]


def axes() -> Vector:
    """Three Hadamard matrices under fixed signs, one above the other: orthogonal, and the same on every machine."""
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < AXES:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    signs = np.random.RandomState(0).choice([-1, 1], size=(_WIDTH // AXES, AXES, 1))
    return np.concatenate([sign * matrix for sign in signs]).astype(np.float32)


def pack(tokens: Vector) -> bytes:
    """A text's tokens, given on the axes that are kept, in two bits an axis."""
    border = _BORDER * np.sqrt(np.mean(tokens**2, axis=1, keepdims=True))
    codes = (tokens > -border).astype(np.uint8)
    codes += tokens > 0
    codes += tokens > border
    codes = codes.reshape(len(tokens), BYTES, 4)
    packed: NDArray[np.uint8] = codes[..., 0] | codes[..., 1] << 2 | codes[..., 2] << 4 | codes[..., 3] << 6
    return packed.tobytes()


def unit(tokens: Vector) -> Vector:
    """The same at unit length, as a question keeps them."""
    found: Vector = tokens / np.maximum(np.linalg.norm(tokens, axis=1, keepdims=True), 1e-9)
    return found


def closeness(question: Vector, weights: Vector, texts: Sequence[bytes]) -> NDArray[np.float64]:
    """For each packed text the mean over the question's tokens of the cosine of the nearest, by `weights`.

    0 for a text without tokens.
    """
    counts = np.array([len(text) // BYTES for text in texts])
    found = np.zeros(len(texts))
    there = counts > 0
    if not there.any() or not weights.sum():
        return found
    tokens = unpack(b"".join(texts))
    starts = np.concatenate([[0], np.cumsum(counts[there])[:-1]])
    nearest = np.maximum.reduceat(question @ tokens.T, starts, axis=1)
    found[there] = (weights / weights.sum()) @ nearest
    return found


def unpack(packed: bytes) -> Vector:
    """The tokens of packed texts, about as they were: one row of `AXES` for each."""
    codes = np.frombuffer(packed, np.uint8).reshape(-1, BYTES)
    return np.take(_unpacked(), codes, axis=0).reshape(len(codes), AXES)


@cache
def _unpacked() -> Vector:
    """The four levels that each byte stands for."""
    byte = np.arange(256)[:, None]
    levels: Vector = _LEVELS[byte >> np.array([0, 2, 4, 6]) & 3]
    return levels
