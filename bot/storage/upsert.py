"""INSERT … ON CONFLICT for the two databases: the same words, in different dialects."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Insert = sqlite.Insert | postgresql.Insert


def insert(connection: AsyncConnection | sa.Connection, table: sa.Table) -> Insert:
    """An insert into `table` with `on_conflict_do_update` and `on_conflict_do_nothing` for this database."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
