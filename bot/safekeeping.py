"""`switchboard backup` and `switchboard restore`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.archive.backup import back_up
from bot.archive.manifest import Manifest
from bot.archive.restore import checked, restore, rows_there
from bot.audit import COMMAND_LINE, Action, Change, noted
from bot.config import Settings
from bot.errors import UnusableBackup
from bot.left_vectors import house_of, remove_vectors
from bot.lock import DataFolderLock
from bot.printing import print_json
from bot.sources import imports_of
from bot.storage.engine import open_existing
from knowledge.change_log import ChangeLog
from knowledge.database import Database
from knowledge.errors import KnowledgeError
from knowledge.server_home import of_house
from knowledge.serving import indexes_of


async def make_backup(settings: Settings, file: Path, out: Console, as_json: bool) -> None:
    """Backs everything up into `file`; the bot may run meanwhile. Raises UnusableBackup and StorageError."""
    url = settings.database_url
    async with open_existing(url, "There is nothing to back up", "The database") as engine:
        manifest = await asyncio.to_thread(back_up, url, file, imports_of(settings), datetime.now(UTC))
        change = Change(action=Action.BACKED_UP, subject="the database", after=str(file.absolute()))
        await noted(engine, change, by=COMMAND_LINE, at=manifest.made_at)
    if as_json:
        print_json(out, manifest.model_dump(mode="json"))
        return
    out.print(f"Backed up to {escape(str(file))} ({_size(file)}): {_words(manifest)}.")
    out.print(
        "It holds questions, answers and documents as they are, and no key or token of the environment: keep it where "
        "only admins can read it."
    )


async def restore_backup(
    settings: Settings, file: Path, replace: bool, sure: Callable[[str], bool], out: Console
) -> None:
    """Restores a backup; no bot may run on this data folder. `sure` is asked before anything is replaced.

    Raises UnusableBackup, NewerSchema, StorageError and AlreadyRunning.
    """
    url = settings.database_url
    lock = DataFolderLock(settings.data_dir)
    lock.acquire()
    try:
        manifest = await asyncio.to_thread(checked, file)
        out.print(f"{escape(str(file))} is whole: {_words(manifest)}, by Switchboard {manifest.program}.")
        if replace:
            there = await asyncio.to_thread(rows_there, url)
            gone = f"The database holds {sum(there.values()):,} rows in {len(there)} tables, which are then gone."
            if there and not sure(f"{gone} Replace them?"):
                raise UnusableBackup("Nothing was restored, as you wished.")
        house = await house_of(settings)
        await asyncio.to_thread(restore, url, file, imports_of(settings), replace=replace)
        await asyncio.to_thread(shutil.rmtree, indexes_of(settings.data_dir), ignore_errors=True)
        async with open_existing(url, "", "The database") as engine:
            await ChangeLog(Database(engine)).rename()
            change = Change(action=Action.RESTORED, subject="the database", after=str(file.absolute()))
            await noted(engine, change, by=COMMAND_LINE, at=datetime.now(UTC))
        await _clear_server(settings, house, out)
    finally:
        lock.release()
    out.print("Restored. `switchboard run` starts the bot; it builds the search indexes anew from the database first.")


async def _clear_server(settings: Settings, house: str | None, out: Console) -> None:
    """The vectors of the database that was replaced: nobody would look for them any more."""
    try:
        await remove_vectors(settings, house)
    except KnowledgeError as error:
        out.print(
            f"The vectors of the database that was replaced are still there, as {escape(str(error))}. Nobody searches "
            f"them; on that server they are the collections whose names begin with {of_house(house or '')}"
        )


def _words(manifest: Manifest) -> str:
    counted = "1 imported file" if len(manifest.files) == 1 else f"{len(manifest.files)} imported files"
    files = f" and {counted}" if manifest.files else ""
    made = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    return f"{manifest.rows:,} rows of {len(manifest.tables)} tables{files}, as they were at {made}"


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"
