from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.archive.restore import checked
from bot.jobs.backup_job import KEPT, backup_job, nightly_backups


async def test_each_night_has_its_backup_and_the_last_seven_are_kept(
    sqlite_engine: AsyncEngine, tmp_path: Path
) -> None:
    folder, first = tmp_path / "backups", datetime(2026, 11, 1, 2, 45, tzinfo=UTC)
    folder.mkdir()
    (folder / "mine.zip").write_text("not the job's")
    work = backup_job(sqlite_engine.url.render_as_string(hide_password=False), folder, tmp_path / "none")
    for night in range(KEPT + 2):
        await work(first + timedelta(days=night))
    await work(first + timedelta(days=KEPT + 1))  # the same firing once more
    names = [file.name for file in nightly_backups(folder)]
    assert names == [f"switchboard-2026-11-{day:02}-0245.zip" for day in range(3, 10)]
    assert checked(nightly_backups(folder)[-1]).made_at == first + timedelta(days=KEPT + 1)
    assert (folder / "mine.zip").exists()
