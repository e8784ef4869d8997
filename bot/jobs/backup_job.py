"""Backs everything up each night, and keeps the last week's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bot.archive.backup import back_up
from bot.jobs.schedule import Work

NIGHTLY = "45 2 * * *"
KEPT = 7
"""So many backups stay; older ones of this job go once a new one is whole."""

log = structlog.get_logger("bot.jobs")


def backup_job(url: str, folder: Path, imports: Path) -> Work:
    """Work that backs the database at `url` up into `folder`."""

    async def work(fire_at: datetime) -> None:
        log.info("backed_up", file=str(await asyncio.to_thread(_back_up, url, folder, imports, fire_at)))

    return work


def nightly_backups(folder: Path) -> list[Path]:
    """The backups that this job made, oldest first."""
    return sorted(folder.glob("switchboard-????-??-??-????.zip"))


def _back_up(url: str, folder: Path, imports: Path, fire_at: datetime) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"switchboard-{fire_at.astimezone(UTC):%Y-%m-%d-%H%M}.zip"
    if not file.exists():  # else it was made for this very firing
        back_up(url, file, imports, fire_at)
    for old in nightly_backups(folder)[:-KEPT]:
        old.unlink()
    return file
