"""`switchboard migrate`: brings the database up to date and ends, as a step of its own before an upgrade."""

from __future__ import annotations

from rich.console import Console

from bot.config import Settings
from bot.lock import DataFolderLock
from bot.storage.engine import open_engine, upgrade
from bot.storage.revisions import PACKAGES


async def migrate(settings: Settings, out: Console) -> None:
    """Runs all migrations that are missing and says where that leads. Once it is done, once more changes nothing.

    Raises NewerSchema, StorageError, and with SQLite AlreadyRunning where a bot uses the file.
    """
    lock = DataFolderLock(settings.data_dir) if settings.database_url.startswith("sqlite") else None
    if lock is not None:
        lock.acquire()
    engine = open_engine(settings.database_url)
    try:
        for package in PACKAGES:
            await upgrade(engine, package.location, package.table)
            async with engine.connect() as connection:
                revision = await connection.run_sync(package.found)
            out.print(f"The schema of the {package.name} is {revision}.")
    finally:
        await engine.dispose()
        if lock is not None:
            lock.release()
    out.print("The database is up to date.")
