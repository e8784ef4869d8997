from __future__ import annotations

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
from knowledge.index import VectorIndex
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.reports import lacking
from knowledge.sources.folder import FolderSource

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)


async def opened(engine: AsyncEngine, folder: Path) -> KnowledgeBase:
    (folder / "docs").mkdir(exist_ok=True)
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
