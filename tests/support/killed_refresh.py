"""Refreshes a folder in a process of its own, so that a test can kill it: ENGINE_URL DATA MODELS FOLDER [STATEMENT].

With STATEMENT it kills itself just before its database runs the statement of that number.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.storage.engine import open_engine
from knowledge.embedding.minilm import MiniLM
from knowledge.knowledge_base import open_knowledge
from knowledge.reports import RefreshProgress
from knowledge.sources.folder import FolderSource


def tell(progress: RefreshProgress) -> None:
    print(progress.done, flush=True)


def killed_before(engine: AsyncEngine, statement: int) -> None:
    numbers = itertools.count(1)

    @sa.event.listens_for(engine.sync_engine, "before_cursor_execute")
    def count(*_arguments: object) -> None:
        if next(numbers) == statement:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(url: str, data: str, models: str, folder: str, statement: str = "0") -> None:
    engine = open_engine(url)
    killed_before(engine, int(statement))
    base = await open_knowledge(
        engine=engine,
        data_dir=Path(data),
        embedder=MiniLM(Path(models)),
        sources=[FolderSource("docs", Path(folder))],
    )
    await base.refresh(progress=tell)


asyncio.run(main(*sys.argv[1:]))
