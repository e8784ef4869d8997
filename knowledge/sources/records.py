"""Documents from a JSONL or CSV file: one a line, with its own readers, link and age.

The fields are `id`, `text`, and where wanted `title`, `url`, `readers`, `updated`, `tags` and `author`; others are
passed over. A file of any size is read line by line.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import itertools
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator

from knowledge import access
from knowledge.errors import DocumentUnreachable, DocumentUnreadable, InvalidScope, SourceUnavailable
from knowledge.markdown import plain
from knowledge.reports import Problem
from knowledge.sources.base import Checkpoint, Complete, Listed, Listing, Past, Reading
from knowledge.sources.kinds import SourceContext, SourceOptions
from knowledge.sources.names import printable
from knowledge.sources.parsers.base import clean
from knowledge.sources.parsers.markdown import parse_text

ENDINGS = (".jsonl", ".ndjson", ".csv", ".tsv")
MOST_BYTES = 50_000_000  # of one record
_LONGEST_ID = 500  # characters
_NAMED = 100  # problems that are named one by one
_AT_ONCE = 500
_TITLE_WORDS = 10
_TITLE_LONGEST = 80
_SPACES_OR_COMMAS = re.compile(r"[\s,]+")
_NAME = re.compile(r"[^\w.-]+")


class _Record(BaseModel):
    """One record of the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(validation_alias=AliasChoices("id", "_id"), max_length=_LONGEST_ID, coerce_numbers_to_str=True)
    text: str
    title: str | None = None
    url: str | None = None
    readers: frozenset[str] | None = None
    updated: datetime | None = None
    tags: frozenset[str] = frozenset()
    author: str | None = None

    @field_validator("id")
    @classmethod
    def _id_is_there(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("it is empty")
        return printable(value.strip())

    @field_validator("url")
    @classmethod
    def _url_is_of_the_web(cls, value: str | None) -> str | None:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("it does not begin with https:// or http://")
        return value or None

    @field_validator("readers", mode="before")
    @classmethod
    def _readers_are_scopes(cls, value: object) -> object:
        if value is None:
            return None
        parts = _SPACES_OR_COMMAS.split(value.strip()) if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise ValueError("write them as a list, or as text with spaces between")
        try:
            scopes = access.parse_scopes(parts)
        except InvalidScope as error:
            raise ValueError(str(error)) from None
        if not scopes:
            raise ValueError("nobody may read it; leave readers out for those of the source")
        return scopes

    @field_validator("updated")
    @classmethod
    def _time_has_a_zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @field_validator("tags", mode="before")
    @classmethod
    def _tags_are_words(cls, value: object) -> object:
        if isinstance(value, str):
            value = value.split(",")
        return [tag.strip() for tag in value if str(tag).strip()] if isinstance(value, list) else value or []


@dataclass(frozen=True, slots=True)
class _Row:
    """One record as it stands in the file: where it begins, in bytes and in lines, and what it says."""

    offset: int
    line: int
    raw: bytes
    fields: dict[str, Any] | None
    """The fields of a row of CSV; None for JSONL, whose raw bytes say all."""

    @property
    def version(self) -> str:
        return hashlib.blake2b(self.raw, digest_size=16).hexdigest()

    def record(self) -> _Record:
        """Raises ValidationError."""
        return _Record.model_validate_json(self.raw) if self.fields is None else _Record.model_validate(self.fields)


@dataclass(frozen=True, slots=True)
class _Broken:
    """A line that is no record."""

    line: int
    reason: str


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
        seen: set[int] = set()  # hashes of ids: a fraction of the ids' own size
        broken = 0
        first = ""
        with self._path.open("rb") as file:
            for row in _rows(file, self._path):
                found = self._checked(row, seen)
                if isinstance(found, Listing):
                    yield found
                    continue
                broken += 1
                first = first or found.sentence
                if broken <= _NAMED:
                    yield found
        if broken and not seen:
            raise SourceUnavailable(
                f"No line of {self._path.name} of the source “{self.name}” could be imported. {first} Correct the file "
                "and import it again; what was read before is kept."
            )
        if broken > _NAMED:
            yield Problem("lines", f"{broken - _NAMED:,} more lines were not imported, for reasons like these.")

    def _checked(self, row: _Row | _Broken, seen: set[int]) -> Listing | Problem:
        if isinstance(row, _Broken):
            return _problem(row.line, row.reason)
        try:
            record = row.record()
        except ValidationError as error:
            return _problem(row.line, _explained(error))
        if hash(record.id) in seen:
            return _problem(row.line, f"an earlier line has the id “{record.id}” too, and is the one that counts.")
        seen.add(hash(record.id))
        readers = record.readers if record.readers is not None else self._readers
        return Listing(record.id, row.version, readers, record.url, str(row.offset))

    def _read(self, listing: Listing) -> Reading:
        try:
            with self._path.open("rb") as file:
                row = next(iter(_rows(file, self._path, int(listing.handle))), None)
        except OSError as error:
            raise DocumentUnreachable(f"{listing.path} cannot be read ({error.strerror}).") from error
        if not isinstance(row, _Row) or row.version != listing.version:
            raise DocumentUnreachable(f"{listing.path}: the file changed while it was read; the next refresh reads it.")
        record = row.record()
        content = parse_text(clean(record.text))
        if not content.blocks:
            raise DocumentUnreadable(f"{listing.path} holds no text.")
        title = clean(record.title or "").strip() or content.title or _first_words(content.blocks[0].text)
        return Reading(
            title or listing.path,
            content,
            hashlib.sha256(row.raw).hexdigest(),
            record.updated or content.updated,
            record.author or content.author,
            record.tags,
        )


class RecordsOptions(SourceOptions):
    """Which file is imported."""

    path: Path
    """A file in JSONL (.jsonl, .ndjson) or CSV (.csv, .tsv, with a line of names first)."""

    @field_validator("path")
    @classmethod
    def _ending_is_known(cls, path: Path) -> Path:
        if path.suffix.lower() not in ENDINGS:
            raise ValueError(f"its name must end in one of {', '.join(ENDINGS)}")
        return path


class RecordsKind:
    """Imported files, as a kind of source."""

    name = "import"
    options = RecordsOptions

    def recognise(self, text: str) -> dict[str, object] | None:
        """The path of a file of records that is there."""
        is_path = text.startswith(("/", "~")) and text.lower().endswith(ENDINGS)
        return {"path": text} if is_path and Path(text).expanduser().is_file() else None

    def open(
        self, name: str, readers: frozenset[str], options: RecordsOptions, context: SourceContext
    ) -> RecordsSource:
        """The file."""
        return RecordsSource(name, options.path, readers)


KIND = RecordsKind()


def keep_file(file: Path, folder: Path, name: str) -> Path:
    """Copies a file of records to where it stays, for the source called `name`; the answer is its path there.

    A copy that is there is replaced at once and whole, also while it is read. Raises SourceUnavailable.
    """
    if file.suffix.lower() not in ENDINGS:
        raise SourceUnavailable(f"{file} is no file of records: its name must end in one of {', '.join(ENDINGS)}.")
    # Names that differ in signs alone do not share a copy.
    short = hashlib.sha256(name.encode()).hexdigest()[:8]
    kept = folder / f"{_NAME.sub('-', name)[:60]}-{short}{file.suffix.lower()}"
    part = kept.with_name(f"{kept.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, part)
        os.replace(part, kept)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SourceUnavailable(
            f"{file} cannot be imported ({error.strerror}). Check that it is there and may be read, and that "
            f"{folder} has room for it."
        ) from error
    return kept


def _rows(file: IO[bytes], path: Path, offset: int | None = None) -> Iterator[_Row | _Broken]:
    """The rows of a file, from the one that begins at `offset`."""
    if path.suffix.lower() in (".csv", ".tsv"):
        return _csv_rows(file, offset)
    return _json_rows(file, offset)


def _json_rows(file: IO[bytes], offset: int | None) -> Iterator[_Row | _Broken]:
    file.seek(offset or 0)
    for line in itertools.count(1):
        start = file.tell()
        raw = file.readline(MOST_BYTES)
        if not raw:
            return
        if len(raw) == MOST_BYTES and not raw.endswith(b"\n"):
            yield _Broken(line, f"it has more than {MOST_BYTES / 1e6:,.0f} MB. Split it.")
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(MOST_BYTES)
            continue
        raw = raw.removeprefix(b"\xef\xbb\xbf") if start == 0 else raw
        if raw.strip():
            yield _Row(start, line, raw.strip(), None)


class _Lines:
    """The lines of a file as the csv module takes them, and what it took for the row at hand."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.taken: list[bytes] = []
        self.count = 0
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        while raw := self._file.readline(MOST_BYTES):
            self.taken.append(raw)
            self.count += 1
            self._size += len(raw)
            if self._size > MOST_BYTES:
                # A quote that nobody closes would take in all that is left.
                raise csv.Error(f"more than {MOST_BYTES / 1e6:,.0f} MB in one row, or a quote that is never closed")
            # What is no UTF-8 is named with its own row, when that is checked.
            yield raw.decode("utf-8-sig" if self._file.tell() == len(raw) else "utf-8", "surrogateescape")

    def take(self) -> bytes:
        """The bytes of the row, which are forgotten."""
        raw = b"".join(self.taken)
        self.taken, self._size = [], 0
        return raw


def _csv_rows(file: IO[bytes], offset: int | None) -> Iterator[_Row | _Broken]:
    """Raises csv.Error, with the line, where nobody can tell any more where a row begins."""
    csv.field_size_limit(MOST_BYTES)  # the module's own is 131,072 characters, for the whole program
    lines = _Lines(file)
    head = next(iter(lines), "")
    delimiter = max(",;\t", key=head.count)
    names = [name.strip() for name in next(csv.reader([head], delimiter=delimiter), [])]
    start = offset if offset is not None else file.tell()
    file.seek(start)
    lines.take()
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    while True:
        line = lines.count + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise csv.Error(f"line {line} ({error})") from None
        if cells is None:
            return
        raw = lines.take()
        if not _is_text(raw):
            yield _Broken(line, "it is not in UTF-8. Save the file as CSV in UTF-8.")
        elif any(cell.strip() for cell in cells):
            fields = {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
            yield _Row(start, line, raw, fields)
        start += len(raw)


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _explained(error: ValidationError) -> str:
    """What is wrong with a record, in words."""
    parts = []
    for item in error.errors(include_url=False, include_input=False):
        field = str(item["loc"][0]) if item["loc"] else ""
        reason = str(item["msg"]).removeprefix("Value error, ").rstrip(".")
        reason = f"{reason[:1].lower()}{reason[1:]}"
        if item["type"] == "missing":
            parts.append(f"it has no {field}")
        else:
            parts.append(f"{field}: {reason}" if field else reason)
    return "; ".join(parts) + "."


def _problem(line: int, reason: str) -> Problem:
    return Problem(f"line {line}", f"Line {line} was not imported: {reason}")


def _first_words(text: str) -> str:
    words = plain(text).split()
    short = " ".join(words[:_TITLE_WORDS])[:_TITLE_LONGEST]
    return short + "…" if len(short) < len(" ".join(words)) else short
