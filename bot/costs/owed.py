"""What is to be written of calls that are over: now, or as soon as the database takes it."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import reason
from bot.storage.one_writer import write
from knowledge.uninterrupted import uninterrupted

log = structlog.get_logger("bot.costs")

Work = Callable[[sa.Connection], object]


class Owed:
    """The writes by the rows that they are of, each of which does nothing the second time.

    They last as long as the process; a call of which it never wrote the end is lost to the next one.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._left: dict[int, Work] = {}

    def __contains__(self, row: int) -> bool:
        return row in self._left

    async def write(self, row: int, work: Work) -> None:
        """Writes it, whoever cancels meanwhile, and what was left before; keeps it where the database refuses."""
        await uninterrupted(self._write(row, work))

    async def catch_up(self) -> None:
        """Writes what is left, as far as the database takes it."""
        for row, work in list(self._left.items()):
            if not await self._is_written(row, work):
                return
            self._left.pop(row, None)

    async def _write(self, row: int, work: Work) -> None:
        if await self._is_written(row, work):
            await self.catch_up()
        else:
            self._left[row] = work

    async def _is_written(self, row: int, work: Work) -> bool:
        try:
            await write(self._engine, work)
        except (SQLAlchemyError, OSError) as error:
            log.warning("call_not_written", call=row, problem=reason(error))
            return False
        return True
