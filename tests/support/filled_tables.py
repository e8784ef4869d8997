"""Rows for every table that a database has, whatever its revision: made by the kinds of its columns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

ROWS = 3
"""So many a table: one with everything filled, one with NULL wherever that may be, one of odd values."""
_MONEY = {"cost", "held", "judge_cost", "judge_held", "budget", "spent"}
_WORDS = ("Where is the VPN?", "Grüße aus Köln: 日本 🎉", 'it\'s "quoted"\\n\ta\nline; DROP TABLE ledger --')


def tables_of(connection: Connection) -> sa.MetaData:
    """All tables as the database has them, without those that keep the revisions."""
    found = sa.MetaData()
    found.reflect(connection, only=lambda name, _: not name.endswith("_version"))
    return found


def fill(connection: Connection, time: int = 0, found: sa.MetaData | None = None) -> None:
    """Puts rows into every table; each `time` others."""
    made: dict[str, dict[int, dict[str, Any]]] = {}
    for table in (found or tables_of(connection)).sorted_tables:
        numbers = range(ROWS * time, ROWS * (time + 1))
        made[table.name] = {number: _row(table, number, made) for number in numbers}
        for row in made[table.name].values():
            connection.execute(table.insert().values(row))


def contents(connection: Connection, found: sa.MetaData | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as the driver reads it: names of columns with values, in an order of their own."""
    everything = {}
    for table in (found or tables_of(connection)).sorted_tables:
        rows = connection.execute(sa.select(table)).mappings()
        plain = [tuple(sorted((name, _plain(name, value)) for name, value in row.items())) for row in rows]
        everything[table.name] = sorted(plain, key=repr)
    return everything


def shape(found: sa.MetaData) -> dict[str, object]:
    """Columns, keys and indexes of every table."""
    return {
        name: (
            sorted((c.name, str(c.type), c.nullable, c.primary_key, _words(c.server_default)) for c in table.columns),
            sorted((str(index.columns.keys()), index.unique) for index in table.indexes),
            sorted(
                (type(constraint).__name__, str(constraint.columns.keys()))
                for constraint in table.constraints
                if isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint | sa.ForeignKeyConstraint)
            ),
        )
        for name, table in found.tables.items()
    }


def _words(default: Any) -> str:
    return "" if default is None else str(getattr(default, "arg", default))


def _row(table: sa.Table, number: int, made: dict[str, dict[int, dict[str, Any]]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    alone = len(table.primary_key.columns) == 1
    for column in table.columns:
        if column.primary_key and alone and isinstance(column.type, sa.Integer):
            continue  # the database counts
        if column.nullable and number % ROWS == 1:
            row[column.name] = sa.null()
        elif column.foreign_keys:
            (key,) = column.foreign_keys
            row[column.name] = made[key.column.table.name][number][key.column.name]
        else:
            row[column.name] = _value(column, number)
    return row


def _value(column: sa.Column[Any], number: int) -> Any:
    kind, odd = column.type, number % ROWS
    if isinstance(kind, sa.JSON):
        return [{"a": [1, 2.5, None, True], "ü": "…"}, [], {"deep": [[_WORDS[1]]], "1": 1e-300}][odd]
    if isinstance(kind, sa.Boolean):
        return odd == 0
    if isinstance(kind, sa.DateTime):
        return datetime(2026, 3, 1, 2, 30, odd, 123_456 * odd, tzinfo=UTC) + timedelta(days=number)
    if isinstance(kind, sa.Date):
        return date(2026, 2, 27 + odd % 2)
    if isinstance(kind, sa.LargeBinary):
        return bytes(range(256)) * odd
    if isinstance(kind, sa.Float):
        return [0.1, -1.5e-9, 1e15][odd]
    if isinstance(kind, sa.BigInteger):
        return [1, 0, 9_000_000_000_000_000_001][odd]
    if isinstance(kind, sa.Integer):
        return [number, 0, 2_000_000_000][odd] if not column.primary_key else number + 1
    if column.name in _MONEY:
        return ["0.000000000001", "0", "1234567.123456789012"][odd]
    text = f"{column.name[:4]}{number} {_WORDS[odd]}"
    return text[: getattr(kind, "length", None) or len(text)]


def _plain(name: str, value: Any) -> Any:
    if name in _MONEY and isinstance(value, str):
        return Decimal(value)  # with or without zeros behind it
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    return repr(value) if isinstance(value, (dict, list)) else value
