"""What was made from labels and evaluations, kept by name so that it need not be made again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.tables import learned
from bot.storage.upsert import insert


class Kept:
    """Plain JSON values by name. A value of another form's version counts as missing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def put(self, name: str, version: int, made_at: datetime, value: dict[str, Any]) -> None:
        """Keeps the value in place of the one before."""
        values = {"version": version, "made_at": made_at, "value": value}
        async with self._engine.begin() as connection:
            statement = insert(connection, learned).values(name=name, **values)
            await connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))

    async def get(self, name: str, version: int) -> dict[str, Any] | None:
        """The value, None where there is none of this version."""
        query = sa.select(learned.c.value).where(learned.c.name == name, learned.c.version == version)
        async with self._engine.connect() as connection:
            value: dict[str, Any] | None = (await connection.execute(query)).scalar_one_or_none()
        return value
