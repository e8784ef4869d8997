"""INSERT … ON CONFLICT for the two databases: the same words, in different dialects."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Insert = sqlite.Insert | postgresql.Insert


def insert(connection: AsyncConnection, table: sa.Table) -> Insert:
    """An insert into `table` with `on_conflict_do_update` and `on_conflict_do_nothing` for this database."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: sa.Table) -> Insert:
    """The same by the database's name, "postgresql" or "sqlite"."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
