"""Settings that a process holds in memory and another one changed: heard within a second.

Every change of a setting is in the audit log with the transaction that made it, so the log is the news. PostgreSQL says
so as soon as an entry is there; looking once a second is enough on SQLite and where a connection was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import CHANNEL, Action
from bot.errors import SwitchboardError
from bot.storage.audit_table import audit_log
from bot.storage.engine import reason
from knowledge.listening import listen, look_and_listen

Heard = Callable[[], Awaitable[object]]

log = structlog.get_logger("bot.news")


class News:
    """Has read anew what was changed. `heard`: what reads it, by the action that changes it; it may be called for this
    process's own changes too."""

    def __init__(self, engine: AsyncEngine, heard: Mapping[Action, Heard]) -> None:
        self._engine = engine
        self._heard = heard
        self._known = 0
        self._told = asyncio.Event()

    async def open(self) -> None:
        """What happened until now is known: whoever starts reads it after this."""
        async with self._engine.connect() as connection:
            self._known = (await connection.execute(sa.select(sa.func.max(audit_log.c.id)))).scalar() or 0

    async def run(self) -> None:
        """Until it is cancelled. A database that is away is asked again."""
        is_told = self._engine.dialect.name == "postgresql"
        away = (SQLAlchemyError, OSError, SwitchboardError)
        await look_and_listen(self.look, self._told, self._listen() if is_told else None, away, _say)

    async def look(self) -> None:
        """Has read anew what was changed since the last look; what fails, the next time again."""
        query = sa.select(audit_log.c.id, audit_log.c.action).where(audit_log.c.id > self._known)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(query.order_by(audit_log.c.id))).all()
        if not rows:
            return
        actions = {row.action for row in rows}
        for heard in dict.fromkeys(self._heard[action] for action in self._heard if action.value in actions):
            await heard()
        self._known = rows[-1].id

    async def _listen(self) -> None:
        await listen(self._engine.dialect.create_connect_args(self._engine.url)[1], CHANNEL, self._told)


def _say(error: Exception) -> None:
    log.warning("news_not_read", problem=reason(error))
