"""What is wrong with the documents of one source while it is refreshed, and what of that the database does not know."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.records import KnownProblem


class Problems:
    """By path; "" is the source as a whole."""

    def __init__(self, known: Mapping[str, KnownProblem]) -> None:
        self._all = dict(known)
        self._met: set[str] = set()
        self._fresh: set[str] = set()
        self._solved: set[str] = set()

    def get(self, path: str) -> KnownProblem | None:
        """What is wrong with a document, if anything."""
        return self._all.get(path)

    def all(self) -> list[tuple[str, KnownProblem]]:
        """All of them, by path."""
        return sorted(self._all.items())

    def meet(self, path: str) -> None:
        """The document is still there, as it was when the problem was noted."""
        self._met.add(path)

    def is_met(self, path: str) -> bool:
        """Whether this refresh has come upon the document."""
        return path in self._met

    def unmet(self) -> list[str]:
        """The paths that this refresh has not come upon."""
        return [path for path in self._all if not self.is_met(path)]

    def name(self, path: str, problem: KnownProblem) -> None:
        """Something is wrong with the document."""
        self._met.add(path)
        self._solved.discard(path)
        if self._all.get(path) != problem:
            self._all[path] = problem
            self._fresh.add(path)

    def solve(self, path: str) -> None:
        """Nothing is wrong with it any more."""
        if self._all.pop(path, None) is not None:
            self._solved.add(path)

    def take_news(self) -> tuple[dict[str, KnownProblem], set[str]]:
        """What was named and what was solved since this was asked before."""
        named = {path: self._all[path] for path in self._fresh & self._all.keys()}
        solved, self._fresh, self._solved = self._solved, set(), set()
        return named, solved
