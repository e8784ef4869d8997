"""Where a workspace's data lies: making room for it, and taking it away."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.config import Settings
from bot.errors import StorageError
from bot.left_vectors import house_of, remove_vectors
from bot.storage.engine import reason
from bot.storage.tables import inbox
from bot.tenancy.settings import folder_of, schema_of, settings_of
from knowledge.errors import KnowledgeError


async def make_room(registry: AsyncEngine, settings: Settings, workspace: str) -> None:
    """Makes a workspace's folder and, on PostgreSQL, its schema. Raises StorageError."""
    folder = folder_of(settings, workspace)
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The data folder {folder} cannot be written: {error.strerror or error}.") from error
    if registry.dialect.name != "postgresql":
        return
    schema = schema_of(workspace)
    try:
        async with registry.begin() as connection:
            # Two who make one schema at once would fail on each other.
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(schema))))
            await connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    except DBAPIError as error:
        raise StorageError(
            f"The database has no room for workspace {workspace}: {reason(error)}. Its user has to own the database or "
            "have the right CREATE on it."
        ) from error


async def abandon(house: AsyncEngine) -> None:
    """Gives up what a workspace that left was not answered: after days nobody waits for it, should it come back."""
    unfinished = inbox.c.state.not_in(("done", "failed"))
    gone = {"payload": {}, "problem": "the bot was uninstalled"}
    values = {"state": "failed", "finished_at": datetime.now(UTC), **gone}
    async with house.begin() as connection:
        await connection.execute(sa.update(inbox).where(unfinished).values(values))


async def remove(connection: AsyncConnection, settings: Settings, workspace: str) -> None:
    """Takes away all that lies of a workspace; nobody may have it open. Raises StorageError."""
    await _remove_vectors(settings_of(settings, workspace))
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema_of(workspace)} CASCADE")
    await remove_folder(settings, workspace)


async def _remove_vectors(settings: Settings) -> None:
    """Takes away what lies on a Chroma server."""
    try:
        await remove_vectors(settings, await house_of(settings))
    except KnowledgeError as error:
        raise StorageError(f"The vectors of a workspace that left were not removed, as {error}.") from error


async def remove_folder(settings: Settings, workspace: str) -> None:
    """Takes away what lies of a workspace on this machine. Raises StorageError."""
    folder = folder_of(settings, workspace)
    try:
        await asyncio.to_thread(shutil.rmtree, folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StorageError(f"The folder {folder} cannot be removed: {error.strerror or error}.") from error
