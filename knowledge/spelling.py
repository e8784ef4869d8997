"""Words that are spelt like one that no text has: one or two letters off, or longer."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_FEWEST_LETTERS = 4
_TWO_EDITS = 8  # letters from which on two edits are forgiven
_MOST = 5  # words that one may stand for
_HEAD = 3  # letters that are taken to be right where two edits are forgiven
_LETTERS = string.ascii_lowercase + string.digits


class Vocabulary:
    """The terms of one field of the lexical index."""

    def __init__(self, searcher: Any, field: str) -> None:
        self._searcher = searcher
        self._field = field

    def alike(self, word: str, stems: Callable[[str], Sequence[str]]) -> list[str]:
        """Terms for words one edit away (a letter too many, too few, another, or two exchanged), else those that begin
        with the word, else those two edits away; of each kind the commonest, best first.

        `stems` cuts words, with spaces between, to the terms that texts have for them.
        """
        if len(word) < _FEWEST_LETTERS or not word.isalpha():
            return []
        near = {term: self._count(term) for term in dict.fromkeys(stems(" ".join(_one_edit(word))))}
        found = _commonest({term: count for term, count in near.items() if count})
        stem = "".join(stems(word))
        found = found or self.begun(stem)
        return found if found or len(word) < _TWO_EDITS else self._two_edits(stem)

    def begun(self, word: str) -> list[str]:
        """The commonest terms that begin with the word."""
        if len(word) < _FEWEST_LETTERS:
            return []
        return [term for term, _ in self._searcher.terms_with_prefix(self._field, word, limit=_MOST)]

    def _two_edits(self, word: str) -> list[str]:
        there = self._searcher.terms_with_prefix(self._field, word[:_HEAD])
        return _commonest(
            {term: n for term, n in there if abs(len(term) - len(word)) <= 2 and distance(term, word) <= 2}
        )

    def _count(self, term: str) -> int:
        count: int = self._searcher.doc_freq(self._field, term)
        return count


def distance(one: str, other: str) -> int:
    """The letters to add, drop, change or exchange with their neighbour to make one word of the other."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        oldest, before, row = before, row, [i]
        for j, its in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, oldest[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _commonest(counts: dict[str, int]) -> list[str]:
    return sorted(counts, key=lambda term: (-counts[term], term))[:_MOST]


def _one_edit(word: str) -> Iterator[str]:
    letters = _LETTERS if word.isascii() else "".join(sorted({*_LETTERS, *word}))
    for i in range(len(word) + 1):
        head, tail = word[:i], word[i:]
        yield from (head + letter + tail for letter in letters)
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in letters)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
