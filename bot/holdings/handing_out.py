"""Everything that is stored on a person, for that person."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.errors import UnusableBackup
from bot.holdings.registry import REGISTRY, Held
from bot.holdings.search import AT_ONCE, rows_with
from bot.holdings.subject import Subject
from bot.storage.direct import transaction
from bot.storage.whole import TABLES, plain_tables


def hand_out(url: str, subject: Subject, file: Path, now: datetime) -> Mapping[str, int]:
    """Writes what is stored on a person into a zip of JSON lines with a README, which only its owner can read.

    Gives how many rows there are, by table. Raises UnusableBackup where the file is there or cannot be written.
    """
    try:
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as target, ZipFile(target, "w", ZIP_DEFLATED) as archive:
            rows = _written(url, subject, archive, now)
    except FileExistsError:
        raise UnusableBackup(f"{file} is there already. Choose a new name.") from None
    except OSError as error:
        raise UnusableBackup(f"{file} could not be written ({error.strerror}).") from error
    return {name: count for name, count in rows.items() if count}


def _written(url: str, subject: Subject, archive: ZipFile, now: datetime) -> dict[str, int]:
    with transaction(url, "read") as connection:
        rows = {name: _table(connection, name, subject, archive) for name in REGISTRY}
        tables = plain_tables(connection).tables
        named = {name: sum(1 for _ in rows_with(connection, tables[name], subject)) for name in REGISTRY}
    archive.writestr("README.txt", _readme(subject, rows, named, now))
    return rows


def _table(connection: Connection, name: str, subject: Subject, archive: ZipFile) -> int:
    table = TABLES[name]
    theirs = _theirs(REGISTRY[name], table, subject)
    if theirs is None:
        return 0
    query = sa.select(table).where(theirs).order_by(*table.primary_key.columns)
    lines = [
        json.dumps(dict(row), default=_plain, ensure_ascii=False)
        for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}).mappings()
    ]
    if lines:
        archive.writestr(f"{name}.jsonl", "\n".join(lines) + "\n")
    return len(lines)


def _theirs(held: Held, table: sa.Table, subject: Subject) -> sa.ColumnElement[bool] | None:
    """Rows that are theirs or that they made; what others wrote is theirs alone to have, though it names them."""
    questions = TABLES["questions"]
    conditions: list[sa.ColumnElement[bool]] = [
        table.c[name] == subject.id for name in f"{held.owner} {held.actor}".split()
    ]
    if held.key:
        conditions.append(sa.and_(table.c.scope == "person", table.c[held.key] == subject.id))
    asked = sa.select(questions.c.id).where(questions.c.asker == subject.id)
    for name in held.question.split() if held.texts else ():
        owners = [table.c[owner].in_(("", subject.id)) for owner in held.owner.split()]
        of_nobody_else = sa.and_(sa.true(), *owners)
        conditions.append(sa.and_(table.c[name].in_(asked), of_nobody_else))
    return sa.or_(*conditions) if conditions else None


def _readme(subject: Subject, rows: Mapping[str, int], named: Mapping[str, int], now: datetime) -> str:
    lines = [
        f"What Switchboard stores on {subject.id}, as it was at {now:%Y-%m-%d %H:%M} UTC.",
        "",
        "Each file has one row a line, as JSON. Moments are in UTC, costs in US dollars.",
        "",
        *(f"{name}.jsonl: {REGISTRY[name].what} ({_rows(count)})" for name, count in rows.items() if count),
    ]
    others = [(REGISTRY[n].what, count - rows[n]) for n, count in named.items() if count > rows[n]]
    if others:
        lines += ["", "These name the person in the words of others, whose they are, and are not in these files:"]
        lines += [f"- {what}: {_rows(count)}" for what, count in others]
    lines += ["", f"`switchboard forget --user {subject.id}` removes all of it."]
    return "\n".join(lines) + "\n"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return base64.b64encode(value).decode("ascii")
