"""INSERT … ON CONFLICT for the two databases: the same words, in different dialects."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Insert = sqlite.Insert | postgresql.Insert

INSERTS: dict[str, Callable[[sa.Table], Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""By the dialect's name: for statements that are made once and run often."""


def insert(connection: AsyncConnection, table: sa.Table) -> Insert:
    """An insert into `table` with `on_conflict_do_update` and `on_conflict_do_nothing` for this database."""
    return INSERTS[connection.dialect.name](table)
