"""The rows of a JSONL or CSV file, read one by one and found again by their place."""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from knowledge.sources.records.record import Record

MOST_BYTES = 50_000_000  # of one record
TABLES = (".csv", ".tsv")
ENDINGS = (".jsonl", ".ndjson", *TABLES)


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it stands in the file: where it begins, in bytes and in lines, and what it says."""

    offset: int
    line: int
    raw: bytes
    fields: dict[str, Any] | None
    """The fields of a row of CSV; None for JSONL, whose raw bytes say all."""

    @property
    def version(self) -> str:
        return hashlib.blake2b(self.raw, digest_size=16).hexdigest()

    def record(self) -> Record:
        """Raises ValidationError."""
        return Record.model_validate_json(self.raw) if self.fields is None else Record.model_validate(self.fields)


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that is no record."""

    line: int
    reason: str


def rows(file: IO[bytes], path: Path, offset: int | None = None) -> Iterator[Row | Broken]:
    """The rows of a file, from the one that begins at `offset`."""
    if path.suffix.lower() in TABLES:
        return _csv_rows(file, offset)
    return _json_rows(file, offset)


def _json_rows(file: IO[bytes], offset: int | None) -> Iterator[Row | Broken]:
    file.seek(offset or 0)
    for line in itertools.count(1):
        start = file.tell()
        raw = file.readline(MOST_BYTES)
        if not raw:
            return
        if len(raw) == MOST_BYTES and not raw.endswith(b"\n"):
            yield Broken(line, f"it has more than {MOST_BYTES / 1e6:,.0f} MB. Split it.")
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(MOST_BYTES)
            continue
        raw = raw.removeprefix(b"\xef\xbb\xbf") if start == 0 else raw
        if raw.strip():
            yield Row(start, line, raw.strip(), None)


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


def _csv_rows(file: IO[bytes], offset: int | None) -> Iterator[Row | Broken]:
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
            yield Broken(line, "it is not in UTF-8. Save the file as CSV in UTF-8.")
        elif any(cell.strip() for cell in cells):
            fields = {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
            yield Row(start, line, raw, fields)
        start += len(raw)


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
