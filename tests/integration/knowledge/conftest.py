"""A knowledge base on real databases, a real encoder and real indexes, over a folder that a test fills."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.access import PUBLIC
from knowledge.chroma import ChromaServer
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.base import Source
from knowledge.sources.folder import FolderSource

PAGES = {
    "deploy.md": "# Deploys\n\nReleases go out on Tuesdays at ten. The release captain presses the button.",
    "vacation.md": "# Vacation\n\nEveryone has thirty days of leave. Ask your lead two weeks before.",
    "oncall/pager.md": "# On call\n\nThe pager rotates every Monday. Error code E4711 means that the queue is full.",
}


class Folder:
    """A folder of pages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name, text in PAGES.items():
            self.write(name, text)

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def source(self, name: str = "docs", readers: frozenset[str] = PUBLIC) -> FolderSource:
        return FolderSource(name, self.path, readers)


@dataclass(frozen=True)
class Place:
    """Where a knowledge base lives; it can be opened again and again."""

    engine: AsyncEngine
    data_dir: Path
    models_dir: Path
    chroma: ChromaServer | None = None

    @asynccontextmanager
    async def open(self, *sources: Source) -> AsyncIterator[KnowledgeBase]:
        base = await open_knowledge(
            engine=self.engine,
            data_dir=self.data_dir,
            embedder=MiniLM(self.models_dir),
            sources=sources,
            chroma=self.chroma,
        )
        try:
            yield base
        finally:
            await base.close()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Three pages."""
    return Folder(tmp_path / "docs")


@pytest.fixture
def place(engine: AsyncEngine, tmp_path: Path, models_dir: Path) -> Place:
    """On SQLite, then on PostgreSQL."""
    return Place(engine, tmp_path / "data", models_dir)


@pytest.fixture
def sqlite_place(sqlite_engine: AsyncEngine, tmp_path: Path, models_dir: Path) -> Place:
    """On SQLite alone, for what does not touch the database's own ways."""
    return Place(sqlite_engine, tmp_path / "data", models_dir)
