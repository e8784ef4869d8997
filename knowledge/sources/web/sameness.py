"""Pages that only look like documents: error pages with a status of 200, and one text at many addresses."""

from __future__ import annotations

import hashlib
import re

from knowledge.sources.base import Reading

_WORD = re.compile(r"\w+")
_MOST_WORDS = 3_000
_SHINGLE = 3
_ALIKE = 0.85
_SUSPICIOUS = 5


def text_key(reading: Reading) -> str:
    """The same for readings with the same words."""
    return hashlib.sha256(" ".join(_words(reading)).encode()).hexdigest()


def word_count(reading: Reading) -> int:
    """How many words a reading has, counted up to a few thousand."""
    return len(_words(reading))


class ErrorPage:
    """What a site answers, with a status of 200, for an address that cannot exist."""

    def __init__(self, reading: Reading, path: str) -> None:
        self._shingles = _shingles(_words_without(reading, path))

    def looks_like(self, reading: Reading, path: str) -> bool:
        """Whether the page at a path is that answer, but for a few words and the path itself."""
        shingles = _shingles(_words_without(reading, path))
        return len(shingles & self._shingles) >= _ALIKE * len(shingles | self._shingles)


class Twins:
    """Which addresses share one text: the first of them is the document."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._copies: dict[str, int] = {}

    def owner(self, text: str, path: str) -> str:
        """The path that the text is known by; `path` itself where the text is new."""
        owner = self._owners.setdefault(text, path)
        if owner != path:
            self._copies[owner] = self._copies.get(owner, 0) + 1
        return owner

    @property
    def suspicious(self) -> list[tuple[str, int]]:
        """Paths whose text stands at many more addresses, and at how many."""
        return [(path, copies) for path, copies in self._copies.items() if copies >= _SUSPICIOUS]


def _words(reading: Reading) -> list[str]:
    words: list[str] = []
    for block in reading.content.blocks:
        words += _WORD.findall(block.text.casefold())
        if len(words) > _MOST_WORDS:
            break
    return words


def _words_without(reading: Reading, path: str) -> list[str]:
    own = set(_WORD.findall(path.casefold()))
    return [word for word in _words(reading) if word not in own]


def _shingles(words: list[str]) -> set[tuple[str, ...]]:
    few = words[:_MOST_WORDS]
    return {tuple(few[at : at + _SHINGLE]) for at in range(max(1, len(few) - _SHINGLE + 1))}
