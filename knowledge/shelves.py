"""Which chunks a search may find, decided for shelves and not for each chunk.

Chunks of which the same is said (source, readers, language, tags) share a shelf. For each scope, source, language and
tag there is a list of its shelves, so that thousands of shelves cost no more than those that are open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from knowledge.filters import Reach
from knowledge.records import Facets

Mask = NDArray[np.bool_]
_REMEMBERED = 128  # the same few audiences ask most questions, and one with hundreds of channels takes a millisecond


class Shelves:
    """Only ever grows: whoever searches looks at the shelves that were there when the search began."""

    def __init__(self) -> None:
        self._places: dict[Facets, int] = {}
        self._facets: list[Facets] = []
        self._by_scope: dict[str, _Places] = {}
        self._by_source: dict[str, _Places] = {}
        self._by_language: dict[str, _Places] = {}
        self._by_tag: dict[str, _Places] = {}
        self._open: dict[tuple[Reach, int], Mask] = {}

    def __len__(self) -> int:
        return len(self._facets)

    @property
    def languages(self) -> frozenset[str]:
        """The languages that documents are or were in."""
        return frozenset(self._by_language.copy())

    def place(self, facets: Facets) -> int:
        """The number of the shelf for chunks of which this is said."""
        shelf = facets if facets.updated is None else replace(facets, updated=None)
        place = self._places.get(shelf)
        if place is None:
            place = len(self._facets)
            self._enter(place, shelf)
            self._facets.append(shelf)
            self._places[shelf] = place
        return place

    def facets(self, place: int) -> Facets:
        """What is said of the chunks on a shelf, without their age."""
        return self._facets[place]

    def open(self, reach: Reach, count: int) -> Mask:
        """For each of the first `count` shelves whether its chunks may be found; their age is not asked."""
        asked = replace(reach, updated_after=None), count
        mask = self._open.get(asked)
        if mask is None:
            mask = _any(self._by_scope, reach.scopes, count) & _any(self._by_source, reach.sources, count)
            if reach.languages:
                mask &= _any(self._by_language, reach.languages, count)
            if reach.tags:
                mask &= _any(self._by_tag, reach.tags, count)
            if len(self._open) >= _REMEMBERED:
                self._open.clear()
            self._open[asked] = mask
        return mask

    def _enter(self, place: int, facets: Facets) -> None:
        for scope in facets.readers:
            self._by_scope.setdefault(scope, _Places()).append(place)
        for tag in facets.tags:
            self._by_tag.setdefault(tag, _Places()).append(place)
        self._by_source.setdefault(facets.source, _Places()).append(place)
        if facets.language is not None:
            self._by_language.setdefault(facets.language, _Places()).append(place)


class _Places:
    """Numbers of shelves, upwards. Read in one thread while another appends."""

    def __init__(self) -> None:
        self._buffer = np.empty(4, np.int32)
        self._count = 0

    def append(self, place: int) -> None:
        if self._count == len(self._buffer):
            self._buffer = np.concatenate([self._buffer, np.empty_like(self._buffer)])
        self._buffer[self._count] = place
        self._count += 1

    def below(self, count: int) -> NDArray[np.int32]:
        """Those below `count`."""
        buffer, filled = self._buffer, self._count
        places = buffer[:filled]
        return places[: int(np.searchsorted(places, count))]


def _any(lists: dict[str, _Places], names: Iterable[str], count: int) -> Mask:
    mask = np.zeros(count, np.bool_)
    for name in names:
        places = lists.get(name)
        if places is not None:
            mask[places.below(count)] = True
    return mask
