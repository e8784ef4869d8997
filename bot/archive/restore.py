"""Restores a backup into a database of either kind: all of it, or nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from bot.archive.backup import AT_ONCE
from bot.archive.manifest import Manifest, file_entry, lines_of, read_manifest, table_entry
from bot.errors import UnusableBackup
from bot.storage.columns import UtcDateTime
from bot.storage.direct import transaction
from bot.storage.engine import reason
from bot.storage.revisions import PACKAGES
from bot.storage.whole import counted, plain_tables, set_last_keys, without_triggers


def checked(file: Path) -> Manifest:
    """Reads a whole backup and holds it against its checksums. Raises UnusableBackup."""
    with _opened(file) as archive:
        manifest = read_manifest(archive, file)
        for package in PACKAGES:
            revision, known = manifest.revisions.get(package.table), package.known()
            if revision is not None and revision not in known:
                raise UnusableBackup(
                    f"{file} was made by Switchboard {manifest.program}: the schema of its {package.name} is "
                    f"{revision}, and this version knows {known[0]} to {known[-1]}. Restore it with that version."
                )
        for name, table in manifest.tables.items():
            digest, rows = hashlib.sha256(), 0
            for line in lines_of(archive, table_entry(name)):
                digest.update(line)
                rows += 1
            if (digest.hexdigest(), rows) != (table.sha256, table.rows):
                raise _damaged(file, f"the table {name} is not what was written")
        for name, part in manifest.files.items():
            digest = hashlib.sha256()
            for line in lines_of(archive, file_entry(name)):
                digest.update(line)
            if digest.hexdigest() != part.sha256 or Path(name).name != name:
                raise _damaged(file, f"the imported file {name} is not what was written")
    return manifest


def rows_there(url: str) -> dict[str, int]:
    """How many rows each table of a database has that has any. Raises UnusableBackup."""
    with _told("read"), transaction(url, "read") as connection:
        return {name: rows for name, rows in counted(connection, plain_tables(connection)).items() if rows}


def restore(url: str, file: Path, imports: Path, *, replace: bool = False) -> Manifest:
    """Puts a backup into the database at `url`, brought up to this version's schema; imported files go to `imports`.

    One transaction: where it fails, the database is as it was. Raises UnusableBackup where the backup is damaged or of
    a newer version, and where the database is not empty and `replace` is false; NewerSchema.
    """
    manifest = checked(file)
    with _opened(file) as archive, _told("written"), transaction(url, "rebuild") as connection:
        _make_room(connection, replace)
        for package in PACKAGES:
            if (revision := manifest.revisions.get(package.table)) is not None:
                package.upgrade(connection, revision)
        tables = plain_tables(connection)
        with without_triggers(connection, tables):
            for table in tables.sorted_tables:
                if table.name in manifest.tables:
                    _fill(connection, table, manifest, archive)
            _move_imports(connection, tables, manifest.imports, str(imports.absolute()))
        set_last_keys(connection, tables, manifest.last_keys)
        _hold_against(connection, tables, manifest)
        for package in PACKAGES:
            package.upgrade(connection)
        _put_files(archive, manifest, imports)
    return manifest


def _make_room(connection: Connection, replace: bool) -> None:
    """Takes away what is there, tables and all. Raises UnusableBackup where rows are there that may not go."""
    tables = plain_tables(connection)
    for package in PACKAGES:
        package.check(connection)
    rows = sum(counted(connection, tables).values())
    if rows and not replace:
        raise UnusableBackup(
            f"The database holds {rows:,} rows already. Restore into an empty one, or write --replace: what is there "
            "is then gone."
        )
    with without_triggers(connection, tables):
        for table in reversed(tables.sorted_tables):
            connection.execute(table.delete())
    for package in PACKAGES:
        if package.found(connection) is not None:
            package.downgrade(connection)


def _fill(connection: Connection, table: sa.Table, manifest: Manifest, archive: ZipFile) -> None:
    # What a migration puts there by itself is in the backup as well.
    connection.execute(table.delete())
    columns = manifest.tables[table.name].columns
    turn = [_decoder(table.columns[name]) for name in columns]
    rows: list[dict[str, Any]] = []
    for line in lines_of(archive, table_entry(table.name)):
        values = json.loads(line)
        rows.append({n: None if v is None else f(v) for n, v, f in zip(columns, values, turn, strict=True)})
        if len(rows) == AT_ONCE:
            connection.execute(table.insert(), rows)
            rows = []
    if rows:
        connection.execute(table.insert(), rows)


def _hold_against(connection: Connection, tables: sa.MetaData, manifest: Manifest) -> None:
    there = counted(connection, tables)
    wrong = [name for name, part in manifest.tables.items() if there.get(name) != part.rows]
    if connection.dialect.name == "sqlite":  # which did not look at foreign keys meanwhile
        wrong += [row[0] for row in connection.execute(sa.text("PRAGMA foreign_key_check"))]
    if wrong:
        raise UnusableBackup(f"The table {wrong[0]} did not come out whole. Nothing was restored.")


def _move_imports(connection: Connection, tables: sa.MetaData, old: str, new: str) -> None:
    """Sources that were imported are read from the folder where their files are now."""
    if (table := tables.tables.get("added_sources")) is None or old == new:
        return
    for row in connection.execute(sa.select(table.c.name, table.c.options)).all():
        options = json.loads(row.options)
        path = options.get("path") if isinstance(options, dict) else None
        if isinstance(path, str) and Path(path).parent == Path(old):
            moved = json.dumps({**options, "path": str(Path(new) / Path(path).name)})
            connection.execute(table.update().where(table.c.name == row.name).values(options=moved))


def _put_files(archive: ZipFile, manifest: Manifest, imports: Path) -> None:
    if not manifest.files:
        return
    imports.mkdir(parents=True, exist_ok=True)
    for name in manifest.files:
        part = imports / f"{name}.part"
        with archive.open(file_entry(name)) as source, part.open("wb") as target:
            while piece := source.read(1 << 20):
                target.write(piece)
        os.replace(part, imports / name)


@contextmanager
def _opened(file: Path) -> Iterator[ZipFile]:
    try:
        with ZipFile(file) as archive:
            yield archive
    except FileNotFoundError:
        raise UnusableBackup(f"There is no file {file}.") from None
    except (BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise _damaged(file, "it is cut short or changed") from error


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise UnusableBackup(f"The database could not be {what} ({reason(error)}). Nothing was restored.") from error
    except OSError as error:
        raise UnusableBackup(f"The backup could not be restored ({error.strerror}). Nothing was changed.") from error


def _damaged(file: Path, why: str) -> UnusableBackup:
    return UnusableBackup(f"{file} is damaged: {why}. Nothing was restored. Take another backup.")


def _decoder(column: sa.Column[Any]) -> Callable[[Any], Any]:
    match column.type:
        case sa.LargeBinary():
            return base64.b64decode
        case sa.Date():
            return date.fromisoformat
        case UtcDateTime():
            return datetime.fromisoformat
        case sa.Boolean():
            return bool
    return lambda value: value
