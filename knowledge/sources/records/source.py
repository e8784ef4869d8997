"""A file of records as a source. A file of any size is read line by line."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from pydantic import ValidationError

from knowledge import access
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, SourceUnavailable
from knowledge.markdown import plain
from knowledge.reports import Problem
from knowledge.sources.base import Checkpoint, Complete, Listed, Listing, Past, Reading
from knowledge.sources.parsers.base import clean
from knowledge.sources.parsers.markdown import parse_text
from knowledge.sources.records.record import Record, explained
from knowledge.sources.records.rows import Broken, Row, rows

_NAMED = 100  # problems that are named one by one
_AT_ONCE = 500
_TITLE_WORDS = 10
_TITLE_LONGEST = 80


class RecordsSource:
    """The records of one file. Without `readers` of its own, a record is for the source's."""

    kind = "import"

    def __init__(self, name: str, path: Path, readers: frozenset[str]) -> None:
        self.name = name
        self._path = path.expanduser()
        self._readers = access.parse_scopes(readers)

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """Every record, unless the file is the one that was read before. Raises SourceUnavailable."""
        state = self._state()
        if state == past.state:
            return
        listed = self._listed()
        try:
            while some := await asyncio.to_thread(lambda: list(itertools.islice(listed, _AT_ONCE))):
                for each in some:
                    yield each
        except OSError as error:
            raise self._unavailable(error) from error
        except csv.Error as error:
            raise SourceUnavailable(
                f"{self._path.name} of the source “{self.name}” is CSV up to {error}. Correct it there and import the "
                "file again; the lines before were read, and what was read before is kept."
            ) from None
        yield Checkpoint(state)
        yield Complete()

    async def read(self, listing: Listing) -> Reading:
        """One record. Raises DocumentUnreadable where it has no words, DocumentUnreachable where the file changed."""
        return await asyncio.to_thread(self._read, listing)

    async def close(self) -> None:
        """Holds nothing."""

    def _state(self) -> str:
        try:
            status = self._path.stat()
        except OSError as error:
            raise self._unavailable(error) from error
        stamp = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        return json.dumps([stamp, sorted(self._readers)])

    def _unavailable(self, error: OSError) -> SourceUnavailable:
        return SourceUnavailable(
            f"{self._path} of the source “{self.name}” cannot be read ({error.strerror}). Import the file again, or "
            "forget the source; what was read before is kept."
        )

    def _listed(self) -> Iterator[Listing | Problem]:
        for found in checked_rows(self._path, self.name):
            yield found if isinstance(found, Problem) else self._listing(*found)

    def _listing(self, row: Row, record: Record) -> Listing:
        readers = record.readers if record.readers is not None else self._readers
        return Listing(record.id, row.version, readers, record.url, str(row.offset))

    def _read(self, listing: Listing) -> Reading:
        try:
            with self._path.open("rb") as file:
                row = next(iter(rows(file, self._path, int(listing.handle))), None)
        except OSError as error:
            raise DocumentUnreachable(f"{listing.path} cannot be read ({error.strerror}).") from error
        if not isinstance(row, Row) or row.version != listing.version:
            raise DocumentUnreachable(f"{listing.path}: the file changed while it was read; the next refresh reads it.")
        return reading_of(row.record(), listing, hashlib.sha256(row.raw).hexdigest())


def checked_rows(file: Path, name: str) -> Iterator[tuple[Row, Record] | Problem]:
    """The records of a file for the source called `name`, and what is wrong with lines that are none.

    Raises OSError, csv.Error where nobody can tell any more where a row begins, and SourceUnavailable where no line is
    a record.
    """
    seen: set[int] = set()  # hashes of ids: a fraction of the ids' own size
    broken = 0
    first = ""
    with file.open("rb") as opened:
        for row in rows(opened, file):
            found = _checked(row, seen)
            if not isinstance(found, Problem):
                yield found
                continue
            broken += 1
            first = first or found.sentence
            if broken <= _NAMED:
                yield found
    if broken and not seen:
        raise SourceUnavailable(
            f"No line of {file.name} of the source “{name}” could be imported. {first} Correct the file and import it "
            "again; what was read before is kept."
        )
    if broken > _NAMED:
        yield Problem("lines", f"{broken - _NAMED:,} more lines were not imported, for reasons like these.")


def reading_of(record: Record, listing: Listing, digest: str) -> Reading:
    """What a record says. Raises DocumentUnreadable where it has no words."""
    content = parse_text(clean(record.text))
    if not content.blocks:
        raise DocumentUnreadable(f"{listing.path} holds no text.")
    title = clean(record.title or "").strip() or content.title or _first_words(content.blocks[0].text)
    return Reading(
        title or listing.path,
        content,
        digest,
        record.updated or content.updated,
        record.author or content.author,
        record.tags,
    )


def _checked(row: Row | Broken, seen: set[int]) -> tuple[Row, Record] | Problem:
    if isinstance(row, Broken):
        return _problem(row.line, row.reason)
    try:
        record = row.record()
    except ValidationError as error:
        return _problem(row.line, explained(error))
    if hash(record.id) in seen:
        return _problem(row.line, f"an earlier line has the id “{record.id}” too, and is the one that counts.")
    seen.add(hash(record.id))
    return row, record


def _problem(line: int, reason: str) -> Problem:
    return Problem(f"line {line}", f"Line {line} was not imported: {reason}")


def _first_words(text: str) -> str:
    words = plain(text).split()
    short = " ".join(words[:_TITLE_WORDS])[:_TITLE_LONGEST]
    return short + "…" if len(short) < len(" ".join(words)) else short
