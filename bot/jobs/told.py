"""Which problems of sources were told in Slack: none is told twice, not even by the next process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.tables import told_problems
from bot.storage.upsert import insert
from knowledge.reports import Problem

INDEXES = ""
"""What stands for a source where a search index is the problem: no source has this name."""

Place = tuple[str, str]
"""The name of a source, and the path inside it that could not be read ("" for all of it)."""


class ToldProblems:
    """What was told and is not yet known to be mended."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def places(self) -> set[Place]:
        """Where the problems are."""
        table = told_problems.c
        async with self._engine.connect() as connection:
            return {(row.source, row.path) for row in await connection.execute(sa.select(table.source, table.path))}

    async def keep(self, problems: Sequence[tuple[str, Problem]], now: datetime) -> list[tuple[str, Problem]]:
        """These are to be told by whoever gets them here: those that nobody else has told or is telling."""
        found = []
        async with self._engine.begin() as connection:
            for source, problem in problems:
                row = {"source": source, "path": problem.path, "sentence": problem.sentence, "told_at": now}
                new = insert(connection, told_problems).values(row).on_conflict_do_nothing()
                if (await connection.execute(new.returning(told_problems.c.source))).first() is not None:
                    found.append((source, problem))
        return found

    async def drop(self, places: Collection[Place]) -> list[Place]:
        """These are mended, or gone with their source; gives those that nobody else has dropped."""
        found = []
        async with self._engine.begin() as connection:
            for source, path in places:
                there = (told_problems.c.source == source) & (told_problems.c.path == path)
                if (await connection.execute(sa.delete(told_problems).where(there))).rowcount:
                    found.append((source, path))
        return found
