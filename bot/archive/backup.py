"""Makes a backup: every row as it was at one moment, while the bot goes on."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from bot.archive.manifest import NAME, FilePart, Manifest, TablePart, encoded, file_entry, table_entry
from bot.errors import UnusableBackup
from bot.storage.columns import UtcDateTime
from bot.storage.direct import transaction
from bot.storage.engine import reason
from bot.storage.revisions import PACKAGES
from bot.storage.whole import last_keys, plain_tables

AT_ONCE = 1_000
"""Rows that are in memory at a time."""


def back_up(url: str, file: Path, imports: Path, now: datetime) -> Manifest:
    """Writes everything in the database at `url`, and the imported files, to `file`, readable by its owner alone.

    Others read and write meanwhile. Raises UnusableBackup where the file is there, cannot be written, or nothing is to
    be backed up, and NewerSchema; then there is no file.
    """
    if file.exists():
        raise UnusableBackup(f"{file} is there already. A backup never writes over another file: choose a new name.")
    part = file.with_name(f"{file.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as target:
            with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=6) as archive:
                manifest = _written(url, archive, imports, now)
            target.flush()
            os.fsync(target.fileno())
        os.link(part, file)  # unlike a renaming, never over another file
    except DBAPIError as error:
        raise UnusableBackup(f"The database could not be read ({reason(error)}). No backup was made.") from error
    except OSError as error:
        raise UnusableBackup(f"{file} could not be written ({error.strerror}). No backup was made.") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _written(url: str, archive: ZipFile, imports: Path, now: datetime) -> Manifest:
    with transaction(url, "read") as connection:
        revisions = {package.table: found for package in PACKAGES if (found := package.check(connection)) is not None}
        tables = plain_tables(connection)
        if not revisions:
            raise UnusableBackup("The database has no tables yet: there is nothing to back up.")
        manifest = Manifest(
            program=version("switchboard"),
            made_at=now,
            database=connection.dialect.name,
            revisions=revisions,
            tables={table.name: _table(connection, table, archive) for table in tables.sorted_tables},
            last_keys=last_keys(connection, tables),
            imports=str(imports.absolute()),
            files={each.name: _file(each, archive) for each in sorted(imports.glob("*")) if each.is_file()},
        )
    archive.writestr(NAME, manifest.model_dump_json(indent=1))
    return manifest


def _table(connection: Connection, table: sa.Table, archive: ZipFile) -> TablePart:
    columns = list(table.columns)
    plain = [_encoder(column) for column in columns]
    digest, count = hashlib.sha256(), 0
    query = sa.select(table).order_by(*table.primary_key.columns)
    with archive.open(table_entry(table.name), "w", force_zip64=True) as entry:
        for rows in connection.execute(query, execution_options={"yield_per": AT_ONCE}).partitions():
            for row in rows:
                line = encoded([None if v is None else turn(v) for v, turn in zip(row, plain, strict=True)])
                digest.update(line)
                entry.write(line)
                count += 1
    return TablePart(columns=tuple(column.name for column in columns), rows=count, sha256=digest.hexdigest())


def _file(file: Path, archive: ZipFile) -> FilePart:
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as source, archive.open(file_entry(file.name), "w", force_zip64=True) as entry:
        while piece := source.read(1 << 20):
            digest.update(piece)
            entry.write(piece)
            size += len(piece)
    return FilePart(bytes=size, sha256=digest.hexdigest())


def _encoder(column: sa.Column[Any]) -> Callable[[Any], Any]:
    match column.type:
        case sa.LargeBinary():
            return lambda value: base64.b64encode(value).decode("ascii")
        case sa.Date():
            return date.isoformat
        case UtcDateTime():
            return lambda value: value.astimezone(UTC).isoformat()
    return lambda value: value
