"""Refreshes a folder until it is killed, in a process of its own: by itself, at a moment that a test names."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import open_engine
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import open_knowledge
from knowledge.reports import RefreshProgress
from knowledge.sources.folder import FolderSource


def refresh_until_a_batch_is_written(url: str, data: Path, models: Path, folder: Path) -> None:
    """Dies when the first batch is written, while the next one is under way."""
    asyncio.run(_refresh(open_engine(url), data, models, folder, lambda _: _die()))


def refresh_until_statement(url: str, data: Path, models: Path, folder: Path, statement: int) -> None:
    """Dies just before its database runs the statement of that number."""
    engine = open_engine(url)
    numbers = itertools.count(1)

    @sa.event.listens_for(engine.sync_engine, "before_cursor_execute")
    def count(*_arguments: object) -> None:
        if next(numbers) == statement:
            _die()

    asyncio.run(_refresh(engine, data, models, folder, lambda _: None))


async def _refresh(
    engine: AsyncEngine, data: Path, models: Path, folder: Path, progress: Callable[[RefreshProgress], None]
) -> None:
    source = FolderSource("docs", folder)
    base = await open_knowledge(engine=engine, data_dir=data, embedder=MiniLM(models), sources=[source])
    await base.refresh(progress=progress)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
