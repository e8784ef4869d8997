"""The whole database: every table of the bot and of the knowledge, as the database itself has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.storage import (
    audit_table,
    bases,
    cost_tables,
    door_tables,
    evaluation_tables,
    example_tables,
    golden_table,
    installations,
    mark_table,
    people_tables,
    recall_tables,
    rollout_tables,
    tables,
    tuning_run_tables,
    tuning_tables,
    work_tables,
)
from bot.storage.columns import UtcDateTime, metadata
from knowledge import schema

# Each adds its tables to the metadata.
_MODULES = (
    audit_table,
    bases,
    cost_tables,
    door_tables,
    evaluation_tables,
    example_tables,
    golden_table,
    installations,
    mark_table,
    people_tables,
    recall_tables,
    rollout_tables,
    tables,
    tuning_run_tables,
    tuning_tables,
    work_tables,
)
TABLES: Mapping[str, sa.Table] = {**metadata.tables, **schema.metadata.tables}
"""Every table that this version knows, by name."""


class JsonAsText(sa.TypeDecorator[str]):
    """PostgreSQL's JSON word for word, as it was written."""

    impl = sa.Text
    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        return sa.cast(column, sa.Text)

    def bind_expression(self, value: Any) -> Any:
        return sa.cast(value, sa.JSON)


def plain_tables(connection: Connection) -> sa.MetaData:
    """The tables that there are, whatever their revision; moments are in UTC, JSON is text, all else as it is kept."""
    found = sa.MetaData()
    found.reflect(connection, only=lambda name, _: name in TABLES)
    as_text = JsonAsText() if connection.dialect.name == "postgresql" else sa.Text()
    for table in found.tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.JSON):
                column.type = as_text
            elif isinstance(column.type, sa.DateTime):
                column.type = UtcDateTime()
    return found


def counted(connection: Connection, found: sa.MetaData) -> dict[str, int]:
    """How many rows each table has."""
    return {
        name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for name, table in sorted(found.tables.items())
    }


@contextmanager
def without_triggers(connection: Connection, found: sa.MetaData) -> Iterator[None]:
    """Within the block no trigger of these tables fires: what is written is written as it is."""
    names = sorted(found.tables)
    if connection.dialect.name == "postgresql":
        for name in names:
            connection.execute(sa.text(f'ALTER TABLE "{name}" DISABLE TRIGGER USER'))
        yield
        for name in names:
            connection.execute(sa.text(f'ALTER TABLE "{name}" ENABLE TRIGGER USER'))
        return
    query = sa.text("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = [row for row in connection.execute(query) if row.tbl_name in names]
    for trigger in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{trigger.name}"')
    yield
    for trigger in triggers:
        connection.exec_driver_sql(trigger.sql)


def last_keys(connection: Connection, found: sa.MetaData) -> dict[str, int]:
    """The last number that each table which counts its rows has given away; it is never given again."""
    if connection.dialect.name == "sqlite":
        there = sa.inspect(connection).has_table("sqlite_sequence")
        rows = connection.execute(sa.text("SELECT name, seq FROM sqlite_sequence")) if there else ()
        counters = {row.name: row.seq for row in rows}
    else:
        counters = {
            name: connection.execute(sa.text(f"SELECT last_value FROM {sequence} WHERE is_called")).scalar()  # noqa: S608
            for name, sequence in _sequences(connection, found)
        }
    return {name: counters[name] for name in sorted(found.tables) if counters.get(name) is not None}


def set_last_keys(connection: Connection, found: sa.MetaData, last: Mapping[str, int]) -> None:
    """Numbers go on behind these, and behind those of the rows that there are."""
    if connection.dialect.name == "sqlite":
        for name, key in last.items():
            if name in found.tables:
                # A table that counts without the sequence has no row there, and needs none.
                connection.execute(
                    sa.text("UPDATE sqlite_sequence SET seq = :key WHERE name = :name"), {"key": key, "name": name}
                )
        return
    for name, sequence in _sequences(connection, found):
        (column,) = found.tables[name].primary_key.columns
        greatest = connection.execute(sa.select(sa.func.max(column))).scalar()
        key = max(greatest or 0, last.get(name, 0))
        if key:
            connection.execute(sa.select(sa.func.setval(sequence, key)))


def _sequences(connection: Connection, found: sa.MetaData) -> list[tuple[str, str]]:
    sequences = []
    for name, table in sorted(found.tables.items()):
        columns = list(table.primary_key.columns)
        if len(columns) == 1 and isinstance(columns[0].type, sa.Integer):
            asked = sa.select(sa.func.pg_get_serial_sequence(name, columns[0].name))
            if (sequence := connection.execute(asked).scalar()) is not None:
                sequences.append((name, str(sequence)))
    return sequences
