"""What one process changes in the settings, another one hears."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.audit import Action, Change, record
from bot.config import Folder, Knowledge, Settings
from bot.news import News
from bot.sources import Sources
from bot.storage.engine import open_engine
from knowledge import access
from knowledge.sources.base import Source
from knowledge.sources.kinds import SourceSpec

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PATIENT = 60


class Held:
    """Stands where the knowledge base does: remembers which sources it was given, and an event for each time."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.given = asyncio.Event()

    def set_sources(self, sources: list[Source]) -> None:
        self.names = [source.name for source in sources]
        self.given.set()

    async def forget(self, name: str) -> None:
        pass


@pytest.fixture
async def other(engine: AsyncEngine) -> AsyncIterator[AsyncEngine]:
    """The engine of another process on the same database."""
    opened = open_engine(engine.url.render_as_string(hide_password=False))
    yield opened
    await opened.dispose()


async def _opened(engine: AsyncEngine, folder: Path) -> tuple[Sources, Held]:
    held = Held()
    settings = Settings(data_dir=folder, knowledge=Knowledge(folders=(Folder(path=folder, name="docs"),)))
    sources = Sources(engine, held, settings, lambda: NOW)  # type: ignore[arg-type]
    await sources.open()
    return sources, held


async def test_a_source_that_one_process_adds_changes_and_forgets_another_one_opens_and_closes(
    engine: AsyncEngine, other: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine.dialect.name == "postgresql":
        monkeypatch.setattr("knowledge.listening.LOOK", 3600.0)  # it is told, and does not look
    mine, _ = await _opened(engine, tmp_path)
    theirs, held = await _opened(other, tmp_path)
    heard = dict.fromkeys((Action.SOURCE_ADDED, Action.SOURCE_CHANGED, Action.SOURCE_FORGOTTEN), theirs.sync)
    news = News(other, heard)
    await news.open()
    listening = asyncio.create_task(news.run())
    try:
        for act, there in (
            (mine.add(_spec(tmp_path, access.PUBLIC), "U0MAYA"), True),
            (mine.change(_spec(tmp_path, frozenset({"channel:C1"})), by="U0MAYA"), True),
            (mine.forget("runbook", by="U0MAYA"), False),
        ):
            held.given.clear()
            await act
            async with asyncio.timeout(PATIENT):
                await held.given.wait()
            assert ("runbook" in held.names) is there
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await mine.close()
        await theirs.close()


def _spec(folder: Path, readers: frozenset[str]) -> SourceSpec:
    return SourceSpec("runbook", "folder", readers, {"path": str(folder), "link_base": None})


async def test_what_could_not_be_read_anew_is_read_the_next_time(engine: AsyncEngine) -> None:
    heard: list[str] = []

    async def fails_once() -> None:
        heard.append("asked")
        if len(heard) == 1:
            raise OSError

    news = News(engine, {Action.PROMOTED: fails_once})
    await news.open()
    async with engine.begin() as connection:
        await record(connection, Change(action=Action.PROMOTED, subject="who chooses"), by="U0MAYA", at=NOW)
    with pytest.raises(OSError):
        await news.look()
    await news.look()
    await news.look()
    assert heard == ["asked", "asked"]
