"""What a refresh tells: how far it is, what it did, and how the sources stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read. `path` names it inside its source ("" is the source itself)."""

    path: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RefreshProgress:
    """How far the refresh of one source is: documents done of those that have changed, chunks embedded so far."""

    source: str
    done: int
    total: int
    chunks: int


Progress = Callable[[RefreshProgress], None]


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one refresh of one source did. The first five count documents; `chunks` counts those embedded anew."""

    source: str
    seen: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    chunks: int = 0
    seconds: float = 0.0
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What one refresh did, source by source."""

    sources: tuple[SourceReport, ...]
    seconds: float

    @property
    def problems(self) -> tuple[tuple[str, Problem], ...]:
        """All problems, each with the name of its source."""
        return tuple((report.source, problem) for report in self.sources for problem in report.problems)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source stands. `refreshed` is None where it was never refreshed; `seconds` is what the last one took."""

    name: str
    kind: str
    documents: int
    chunks: int
    refreshed: datetime | None
    seconds: float | None
    problems: tuple[Problem, ...]


_LACKING = {
    "lexical index": "Search by word is being rebuilt, as {why}. Until then passages are found by meaning alone.",
    "vector index": "The vector index is being rebuilt, as {why}. Search goes on with all vectors in memory.",
}


def lacking(troubles: Mapping[str, str]) -> list[str]:
    """What search lacks now, in a sentence for each index that cannot be used; `troubles` says why, by its name."""
    return [_LACKING[name].format(why=why.rstrip(".")) for name, why in sorted(troubles.items())]
