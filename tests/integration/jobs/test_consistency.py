from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from bot.jobs.consistency_job import consistency_job
from bot.jobs.refresh_job import Refreshing
from bot.jobs.told import ToldProblems
from handlers.blocks.knowledge import status
from knowledge.index import FolderHome, VectorIndex
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.reports import lacking
from knowledge.sources.folder import FolderSource

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)


async def opened(engine: AsyncEngine, folder: Path) -> KnowledgeBase:
    (folder / "docs").mkdir(exist_ok=True, parents=True)
    (folder / "docs" / "a.md").write_text("# Lamps\n\nLamps are in the cellar.")
    source = FolderSource("docs", folder / "docs")
    return await open_knowledge(
        engine=engine, data_dir=folder / "data", embedder=WordsEmbedder("words"), sources=[source]
    )


async def everything() -> frozenset[str]:
    return frozenset({"docs"})


async def test_a_rebuild_that_fails_is_told_once_and_once_more_when_it_is_mended(
    sqlite_engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.tended.AGAIN", (0.01,))
    said: list[str] = []

    async def tell(sentence: str) -> None:
        said.append(sentence)

    knowledge = await opened(sqlite_engine, tmp_path)
    await knowledge.refresh()
    await knowledge.close()
    shutil.rmtree(tmp_path / "data" / "indexes")

    def no_room(self: VectorIndex) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(VectorIndex, "recreate", no_room)
        knowledge = await opened(sqlite_engine, tmp_path)
        told = ToldProblems(sqlite_engine)
        work = consistency_job(knowledge, told, tell)
        tended = knowledge._serving.indexes._tended["vector index"]
        while not tended.failed:
            await knowledge.check()
        for _ in range(2):
            await work(NOW)
            await Refreshing(knowledge, told, tell, everything).run(NOW)  # which tells of sources alone
        assert said == [
            "The vector index is being rebuilt, as [Errno 28] No space left on device. Search goes on with all vectors "
            "in memory. It is tried again every few minutes; the log says more."
        ]
        shown = str(status([], NOW, lacking=lacking(knowledge.troubles)))
        assert "The vector index is being rebuilt" in shown
    await knowledge.mended()
    for _ in range(2):
        await work(NOW.replace(hour=4))
    assert said[1:] == ["Mended: the vector index. Search is whole again."]
    assert knowledge.troubles == {}
    await knowledge.close()


async def test_what_another_process_cannot_rebuild_is_told_once_and_once_more_when_it_is_mended_there(
    postgres_engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.processes.BEAT", 0.0)
    monkeypatch.setattr("knowledge.tended.AGAIN", (0.01,))
    said: list[str] = []
    full = True
    recreate = VectorIndex.recreate

    async def tell(sentence: str) -> None:
        said.append(sentence)

    def no_room_for_one(self: VectorIndex) -> str:
        if full and isinstance(self._home, FolderHome) and self._home.folder.is_relative_to(tmp_path / "one"):
            raise OSError(28, "No space left on device")
        return recreate(self)

    async def known(failing: set[str]) -> None:
        async with asyncio.timeout(60):
            while True:
                if set(await other.failing_anywhere()) == failing:
                    return
                await asyncio.sleep(0.05)

    monkeypatch.setattr(VectorIndex, "recreate", no_room_for_one)
    other, one = await opened(postgres_engine, tmp_path / "other"), await opened(postgres_engine, tmp_path / "one")
    await known({"vector index"})
    jobs = [consistency_job(each, ToldProblems(postgres_engine), tell) for each in (other, one, other)]
    for work in jobs:
        await work(NOW)
    assert (other.troubles, one.troubles) == ({}, {"vector index": "[Errno 28] No space left on device"})
    (told,) = said
    assert told.startswith("The vector index is being rebuilt, as [Errno 28] No space left on device.")
    full = False
    await known(set())
    for work in jobs:
        await work(NOW)
    assert said[1:] == ["Mended: the vector index. Search is whole again."]
    await other.close()
    await one.close()
