"""From ranked chunks to what is shown: neighbours of one document joined, and not the same text twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.ranking.candidate import Ranked

MOST_CHARACTERS = 2_400  # of a joined passage: about 600 tokens
_REACH = 3  # a neighbour is joined where it stands among the first `count` times this many
_SAME = 0.97  # cosine from which on two chunks say the same


@dataclass(frozen=True, slots=True)
class Joined:
    """A passage for a reader: one chunk, or neighbours in their order. `best` is the chunk that earned its place."""

    best: Ranked
    parts: tuple[Ranked, ...]
    text: str


def passages(ranked: Sequence[Ranked], count: int, *, joined: bool = True) -> list[Joined]:
    """The `count` best as passages, best first. With `joined` false each chunk is one, and none is left out.

    Neighbours in a document that were found too are joined to the better one while there is room for them. What says
    the same as a better passage comes after all others, so that it costs nothing but its place.
    """
    if not joined:
        return [Joined(one, (one,), one.candidate.text) for one in ranked[:count]]
    near = {_place(one): one for one in ranked[: count * _REACH]}
    used: set[tuple[str, int]] = set()
    shown: list[Joined] = []
    for best in _varied(ranked, count * _REACH):
        if len(shown) == count:
            break
        if _place(best) not in used:
            parts = _together(best, near, used)
            used |= {_place(part) for part in parts}
            shown.append(Joined(best, parts, _text(best, parts)))
    return shown


def _varied(ranked: Sequence[Ranked], first: int) -> Iterator[Ranked]:
    """All in their order, but of the first ones those last that repeat a better one."""
    vectors = np.array([one.candidate.vector for one in ranked[:first]])
    same = vectors @ vectors.T > _SAME
    kept: list[int] = []
    for place in range(len(vectors)):
        if not same[place, kept].any():
            kept.append(place)
    repeated = np.setdiff1d(np.arange(len(vectors)), kept)
    yield from (ranked[place] for place in [*kept, *repeated])
    yield from ranked[first:]


def _together(best: Ranked, near: dict[tuple[str, int], Ranked], used: set[tuple[str, int]]) -> tuple[Ranked, ...]:
    """The chunk with the neighbours that were found, the better one of both sides first, up to the room there is."""
    parts = [best]
    room = MOST_CHARACTERS - len(best.candidate.text)
    while True:
        document, first = _place(parts[0])
        sides = [(document, first - 1), (document, parts[-1].candidate.position + 1)]
        fitting = [
            near[place]
            for place in sides
            if place in near and place not in used and len(near[place].candidate.text) <= room
        ]
        if not fitting:
            return tuple(parts)
        taken = max(fitting, key=lambda one: one.score)
        room -= len(taken.candidate.text)
        parts.insert(0 if taken.candidate.position < first else len(parts), taken)


def _text(best: Ranked, parts: Sequence[Ranked]) -> str:
    """The parts in their order. A heading that changes between them is said, and the first one where it is not that of
    the best, whose name the whole passage goes by."""
    texts: list[str] = []
    for before, part in itertools.pairwise((best, *parts)):
        if part.candidate.heading != before.candidate.heading and part.candidate.heading:
            texts.append(f"**{part.candidate.heading[-1]}**")
        texts.append(part.candidate.text)
    return "\n\n".join(texts)


def _place(one: Ranked) -> tuple[str, int]:
    return one.candidate.document_id, one.candidate.position
