"""What a search is narrowed to: by whom it is asked, and by what the asker wants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from knowledge import access
from knowledge.records import Facets


@dataclass(frozen=True, slots=True)
class Filters:
    """What the asker wants; an empty set and None want everything.

    `tags`: a document that has one of them is wanted. `updated_after`: those of unknown age are not; a time without a
    zone is taken for UTC. `languages` are ISO 639-1 codes.
    """

    sources: frozenset[str] = frozenset()
    updated_after: datetime | None = None
    languages: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reach:
    """What one search may find: readable by `scopes`, from one of `sources`, and as the asker wants it."""

    scopes: frozenset[str]
    sources: frozenset[str]
    updated_after: datetime | None = None
    languages: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    def covers(self, facets: Facets) -> bool:
        """Whether a document that says this of itself may be found."""
        return (
            facets.source in self.sources
            and access.readable(facets.readers, self.scopes)
            and (not self.languages or facets.language in self.languages)
            and (not self.tags or not self.tags.isdisjoint(facets.tags))
            and (self.updated_after is None or moment(facets.updated) > moment(self.updated_after))
        )


def reach(scopes: frozenset[str], sources: frozenset[str], filters: Filters) -> Reach:
    """What an audience with `scopes` may find in `sources`, narrowed by `filters`."""
    named = sources & filters.sources if filters.sources else sources
    return Reach(scopes, named, filters.updated_after, filters.languages, filters.tags)


def moment(time: datetime | None) -> float:
    """Seconds since 1970; not a number where the time is unknown, so that it is after none and before none."""
    if time is None:
        return math.nan
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
