"""Looks through every text of every table, whatever the registry says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from bot.holdings.subject import Subject
from bot.storage.whole import JsonAsText

AT_ONCE = 1_000


def text_columns(table: sa.Table) -> list[sa.Column[Any]]:
    """The columns of a table that hold text, JSON among it."""
    return [column for column in table.columns if isinstance(column.type, sa.String | JsonAsText)]


def rows_with(connection: Connection, table: sa.Table, subject: Subject) -> Iterator[sa.Row[Any]]:
    """The rows of a table that name the subject or hold its words in any column."""
    columns = text_columns(table)
    if not columns:
        return
    query = sa.select(table)
    if not subject.runs:  # ids and names can be looked for by the database
        likely = [_plain(c).contains(word, autoescape=True) for c in columns for word in subject.words]
        query = query.where(sa.or_(*likely))
    names = [column.name for column in columns]
    result = connection.execute(query, execution_options={"yield_per": AT_ONCE})
    for row in result:
        if any(value is not None and subject.is_in(str(value)) for value in (row._mapping[name] for name in names)):
            yield row


def counts(connection: Connection, tables: sa.MetaData, subject: Subject) -> dict[str, int]:
    """By table, how many rows name the subject or hold its words; tables without any are left out."""
    found = {name: sum(1 for _ in rows_with(connection, table, subject)) for name, table in tables.tables.items()}
    return {name: count for name, count in sorted(found.items()) if count}


def _plain(column: sa.Column[Any]) -> sa.ColumnElement[str]:
    return sa.cast(column, sa.Text)
