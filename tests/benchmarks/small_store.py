"""A real knowledge base over files that a benchmark has in hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import open_engine, upgrade
from knowledge.embedding.base import Embedder
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.folder import FolderSource

SOURCE = "pages"


@dataclass(frozen=True, slots=True)
class SmallStore:
    """`folder` holds the indexes and the database behind `engine`."""

    knowledge: KnowledgeBase
    engine: AsyncEngine
    folder: Path


@asynccontextmanager
async def small_store(pages: Mapping[str, str], models_dir: Path) -> AsyncIterator[SmallStore]:
    """Reads pages, given by their path, into a store that is gone afterwards."""
    with TemporaryDirectory(prefix="switchboard-pages-") as name:
        folder = Path(name)
        for path, text in pages.items():
            file = folder / SOURCE / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        async with opened(folder / SOURCE, folder / "data", MiniLM(models_dir)) as store:
            await store.knowledge.refresh()
            yield store


@asynccontextmanager
async def opened(docs: Path, work: Path, embedder: Embedder) -> AsyncIterator[SmallStore]:
    """A store in `work` whose source is `docs`, as it is there; nothing is refreshed yet."""
    work.mkdir(parents=True, exist_ok=True)
    engine = open_engine(f"sqlite+aiosqlite:///{work / 'knowledge.db'}")
    await upgrade(engine, "knowledge:migrations", "knowledge_version")
    knowledge = await open_knowledge(
        engine=engine, data_dir=work, embedder=embedder, sources=[FolderSource(name=SOURCE, path=docs)]
    )
    try:
        yield SmallStore(knowledge, engine, work)
    finally:
        await knowledge.close()
        await engine.dispose()
