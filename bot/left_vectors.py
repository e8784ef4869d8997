"""What lies of a database on a Chroma server, once the database is gone or was replaced."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from bot.config import Settings
from bot.secrets import chroma_server
from bot.storage.engine import open_engine
from knowledge.schema import standing
from knowledge.server_home import remove_all


async def house_of(settings: Settings) -> str | None:
    """The name under which a Chroma server has the vectors of this database; None where there can be none."""
    if chroma_server(settings.knowledge.chroma) is None:
        return None
    engine = open_engine(settings.database_url)
    try:
        async with engine.connect() as connection:
            return str((await connection.execute(sa.select(standing.c.house))).scalar_one())
    except DBAPIError:
        return None  # it has no tables: nothing was ever read
    finally:
        await engine.dispose()


async def remove_vectors(settings: Settings, house: str | None) -> None:
    """Takes away what lies under a name of `house_of`. Raises IndexAway, and Chroma's own errors."""
    server = chroma_server(settings.knowledge.chroma)
    if server is not None and house is not None:
        await asyncio.to_thread(remove_all, server, house)
