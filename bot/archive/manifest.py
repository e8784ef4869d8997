"""What a backup says of itself: who made it when, of which schema, and what has to be in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile, ZipFile

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.errors import UnusableBackup

NAME = "manifest.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TablePart(_Part):
    """One table: its columns in the order of the values, how many rows, and the SHA-256 of them."""

    columns: tuple[str, ...]
    rows: int
    sha256: str


class FilePart(_Part):
    """A file that was imported, by its name: how many bytes, and their SHA-256."""

    bytes: int
    sha256: str


class Manifest(_Part):
    """`revisions`: the schema's, by the table that keeps each; `last_keys`: numbers that are never given again;
    `imports`: the folder of the imported files where the backup was made."""

    format: Literal[1] = 1
    program: str
    made_at: datetime
    database: str
    revisions: dict[str, str]
    tables: dict[str, TablePart]
    last_keys: dict[str, int]
    imports: str
    files: dict[str, FilePart]

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(table.rows for table in self.tables.values())


def table_entry(name: str) -> str:
    """Where a table stands in the archive."""
    return f"tables/{name}.jsonl"


def file_entry(name: str) -> str:
    """Where an imported file stands in the archive."""
    return f"imports/{name}"


def read_manifest(archive: ZipFile, file: Path) -> Manifest:
    """What the archive says. Raises UnusableBackup."""
    try:
        return Manifest.model_validate_json(archive.read(NAME))
    except (KeyError, BadZipFile, ValidationError, OSError) as error:
        raise UnusableBackup(
            f"{file} is no backup that this version can read: it has no manifest of format 1. Name a file that "
            "`switchboard backup` wrote."
        ) from error


def lines_of(archive: ZipFile, name: str) -> Iterator[bytes]:
    """The lines of an entry, one after the other. Raises BadZipFile where it is damaged."""
    with archive.open(name) as entry:
        yield from entry


def encoded(row: list[Any]) -> bytes:
    """A row as one line."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
