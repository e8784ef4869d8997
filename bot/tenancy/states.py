"""What ties Slack's answer to the person who began an installation: one use, for ten minutes, on every replica."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.installations import oauth_states

MINUTES = 10


class States:
    """Kept in the registry's database, as digests."""

    def __init__(self, engine: AsyncEngine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock

    async def new(self) -> str:
        """A state that nobody can guess. What is past is forgotten on the way."""
        state, now = secrets.token_urlsafe(32), self._clock()
        values = {"state": _digest(state), "expires_at": now + timedelta(minutes=MINUTES)}
        async with self._engine.begin() as connection:
            await connection.execute(sa.delete(oauth_states).where(oauth_states.c.expires_at < now))
            await connection.execute(sa.insert(oauth_states).values(values))
        return state

    async def use(self, state: str) -> bool:
        """Whether this is one that was given out, for the first time and in time."""
        mine = (oauth_states.c.state == _digest(state)) & (oauth_states.c.expires_at >= self._clock())
        async with self._engine.begin() as connection:
            return (await connection.execute(sa.delete(oauth_states).where(mine))).rowcount == 1


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
