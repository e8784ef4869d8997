"""Imported files: their records are kept in the database, so that every process can read them, wherever it runs."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from knowledge import access
from knowledge.database import Database
from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.reports import Problem
from knowledge.schema import imports
from knowledge.secrets import masking
from knowledge.sources.base import Checkpoint, Complete, Listed, Listing, Past, Reading
from knowledge.sources.records.record import Record
from knowledge.sources.records.rows import ENDINGS, Row
from knowledge.sources.records.source import checked_rows, reading_of

_AT_ONCE = 100  # records are of any size
_PIECE = 1 << 20  # bytes
_Row = sa.Row[tuple[int, str, str, str]]


class KeptRecordsSource:
    """The records of one imported file. Without `readers` of its own, a record is for the source's."""

    kind = "import"

    def __init__(self, name: str, digest: str, readers: frozenset[str], database: Database) -> None:
        self.name = name
        self._digest = digest
        self._readers = access.parse_scopes(readers)
        self._database = database

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        """Every record, unless they were listed before. Raises SourceUnavailable where they are there no more, and
        StoreUnavailable."""
        state = json.dumps([self._digest, sorted(self._readers)])
        if state == past.state:
            return
        place = -1
        while rows := await self._rows(imports.c.position > place):
            for listed in await asyncio.to_thread(self._listed, rows):
                yield listed
            place = rows[-1].position
        if not await self._rows():
            raise SourceUnavailable(
                f"The records of the source “{self.name}” are not there any more: somebody has imported the file anew, "
                "or forgotten them all. Refresh again, or forget the source."
            )
        yield Checkpoint(state)
        yield Complete()

    async def read(self, listing: Listing) -> Reading:
        """One record. Raises DocumentUnreadable where it has no words, DocumentUnreachable where it is gone."""
        rows = await self._rows(imports.c.position == int(listing.handle))
        if not rows or _version(rows[0].record) != listing.version:
            raise DocumentUnreachable(f"{listing.path} was imported anew while it was read; the next refresh reads it.")
        record = rows[0].record
        digest = hashlib.sha256(record.encode()).hexdigest()
        return await asyncio.to_thread(lambda: reading_of(Record.model_validate_json(record), listing, digest))

    async def close(self) -> None:
        """Holds nothing: the database belongs to whoever lent it."""

    async def _rows(self, *where: sa.ColumnElement[bool]) -> list[_Row]:
        """The first rows of the file."""
        columns = imports.c.position, imports.c.path, imports.c.record, imports.c.problem
        ours = (imports.c.source == self.name, imports.c.file == self._digest)
        query = sa.select(*columns).where(*ours, *where).order_by(imports.c.position).limit(_AT_ONCE)
        async with self._database.reading() as connection:
            return list(await connection.execute(query))

    def _listed(self, rows: list[_Row]) -> list[Listing | Problem]:
        return [self._listing(row) if row.problem is None else Problem(row.path, row.problem) for row in rows]

    def _listing(self, row: _Row) -> Listing:
        record = Record.model_validate_json(row.record)
        readers = record.readers if record.readers is not None else self._readers
        return Listing(record.id, _version(row.record), readers, record.url, str(row.position))


def digest_of(file: Path) -> str:
    """The SHA-256 of a file of records. Raises SourceUnavailable where it is none or cannot be read."""
    if file.suffix.lower() not in ENDINGS:
        raise SourceUnavailable(f"{file} is no file of records: its name must end in one of {', '.join(ENDINGS)}.")
    digest = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while piece := opened.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise _unreadable(file, error) from error
    return digest.hexdigest()


async def keep_records(connection: AsyncConnection, source: str, file: Path, digest: str) -> None:
    """Puts the records of a file in the place of those that the source had, in the caller's transaction.

    Raises SourceUnavailable where it holds no record, or nobody can tell where one begins.
    """
    await drop_records(connection, source)
    fresh = enumerate(checked_rows(file, source))
    place = -1
    try:
        while some := await asyncio.to_thread(lambda: list(_as_rows(itertools.islice(fresh, _AT_ONCE)))):
            await connection.execute(sa.insert(imports), [{"source": source, "file": digest, **row} for row in some])
            place += len(some)
    except OSError as error:
        raise _unreadable(file, error) from error
    except csv.Error as error:
        raise SourceUnavailable(f"{file} is CSV up to {error}. Correct it there; nothing was imported.") from None
    if place < 0:
        raise SourceUnavailable(f"{file} holds no record; nothing was imported.")


async def drop_records(connection: AsyncConnection, source: str) -> None:
    """Removes what the source imported."""
    await connection.execute(sa.delete(imports).where(imports.c.source == source))


def _as_rows(found: Iterator[tuple[int, tuple[Row, Record] | Problem]]) -> Iterator[dict[str, object]]:
    for position, each in found:
        if isinstance(each, Problem):
            yield {"position": position, "path": each.path, "record": None, "problem": each.sentence}
        else:
            yield {"position": position, "path": each[1].id, "record": _masked(each[1]), "problem": None}


def _masked(record: Record) -> str:
    """The record as JSON, without secrets."""
    mask = masking().text
    title = None if record.title is None else mask(record.title)
    fields = record.model_copy(update={"text": mask(record.text), "title": title}).model_dump(mode="json")
    # The same record gives the same JSON in every process.
    ordered = {name: sorted(value) if isinstance(value, list) else value for name, value in fields.items()}
    return json.dumps({name: value for name, value in ordered.items() if value is not None}, ensure_ascii=False)


def _version(record: str) -> str:
    return hashlib.blake2b(record.encode(), digest_size=16).hexdigest()


def _unreadable(file: Path, error: OSError) -> SourceUnavailable:
    return SourceUnavailable(f"{file} cannot be imported ({error.strerror}). Check that it is there and may be read.")
