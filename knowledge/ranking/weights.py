"""The learned weights of the ranking."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each measure counts."""

    cosine: float = 0.5
    bm25: float = 0.5
