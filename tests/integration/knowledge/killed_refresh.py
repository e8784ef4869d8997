"""Refreshes a folder in a process of its own, so that a test can kill it: ENGINE_URL DATA MODELS FOLDER."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.storage.engine import open_engine
from knowledge.knowledge_base import open_knowledge
from knowledge.reports import RefreshProgress
from knowledge.sources.folder import FolderSource


def tell(progress: RefreshProgress) -> None:
    print(progress.done, flush=True)


async def main(url: str, data: str, models: str, folder: str) -> None:
    base = await open_knowledge(
        engine=open_engine(url),
        data_dir=Path(data),
        models_dir=Path(models),
        sources=[FolderSource("docs", Path(folder))],
    )
    await base.refresh(progress=tell)


asyncio.run(main(*sys.argv[1:]))
