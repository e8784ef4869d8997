"""Two processes for the proof of killed indexes: one that writes until it is killed, and one that starts and heals."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import structlog
from words_embedder import WordsEmbedder

import knowledge.retrieval
from bot.storage.engine import open_engine, upgrade
from knowledge.access import PUBLIC
from knowledge.chroma import ChromaServer
from knowledge.documents import Vector
from knowledge.errors import IndexAway
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.folder import FolderSource

CHANGING = 60
"""Pages that change with every refresh."""
TOPICS = (
    *("lamp", "ferry", "cheese", "violin", "harbour", "engine", "garden", "window"),
    *("ladder", "copper", "saddle", "thunder", "pillow", "basket", "marble"),
)


class CountedEmbedder(WordsEmbedder):
    """Writes down how many texts it embedded, where a killed process cannot take it away."""

    def __init__(self, journal: Path) -> None:
        super().__init__()
        self._journal = journal

    async def embed(self, texts: Sequence[str]) -> Vector:
        with self._journal.open("a") as file:
            file.write(f"{len(texts)}\n")
        return await super().embed(texts)


def page(number: int, edition: int = 0) -> str:
    """Words that no other page has in this mixture."""
    chosen = random.Random(number).choices(TOPICS, k=6)
    return f"# Page {number}\n\nPage {number} tells of {' '.join(chosen)} and of number{number}. Edition {edition}.\n"


def fill(work: Path, pages: int) -> None:
    """The pages that stay, and those that change."""
    (work / "docs").mkdir(parents=True, exist_ok=True)
    for number in range(pages + CHANGING):
        (work / "docs" / f"{number}.md").write_text(page(number))


async def opened(work: Path) -> KnowledgeBase:
    """On the database and the Chroma server that the environment names; else on SQLite, with Chroma in process."""
    engine = open_engine(os.environ.get("PROOF_DATABASE") or f"sqlite+aiosqlite:///{work / 'knowledge.db'}")
    server = os.environ.get("PROOF_CHROMA")
    await upgrade(engine, "knowledge:migrations", "knowledge_version")
    return await open_knowledge(
        engine=engine,
        data_dir=work / "data",
        embedder=CountedEmbedder(work / "embedded"),
        sources=[FolderSource("docs", work / "docs")],
        chroma=ChromaServer(server) if server else None,
    )


async def write(work: Path, pages: int) -> None:
    """Changes pages and refreshes, until it is killed."""
    base = await opened(work)
    await base.mended()
    print("writing", flush=True)
    for edition in itertools.count(int(time.time())):
        for number in range(pages, pages + CHANGING):
            (work / "docs" / f"{number}.md").write_text(page(number, edition))
        await base.refresh()


async def heal(work: Path, pages: int, *, refresh: bool) -> dict[str, object]:
    """Starts as the bot does, waits until all is whole, compares all with the database and asks every question."""
    knowledge.retrieval._EXACT_ROWS = 0  # the search by meaning goes through Chroma, as with more than a million
    asked_before = _embedded(work)
    with structlog.testing.capture_logs() as lines:
        began = time.monotonic()
        base = await opened(work)
        opening = time.monotonic() - began
        at_start = sorted(base.troubles)
        await base.mended()
        healing = time.monotonic() - began - opening
        await _kept_here(base)
        if refresh:
            await base.refresh()
        troubles = await base.check(closely=True)
        numbers = range(0, pages, max(1, pages // 100))
        found, by_meaning = 0, 0.0
        indexes = base._serving.indexes
        for number in numbers:
            text = page(number)
            result = await base.search(text, scopes=PUBLIC, k=3, joined=False)
            found += any(f"number{number}." in passage.text for passage in result.passages)
            vector = await base.embedder.embed_query(text)
            exact = indexes.snapshot.nearest(vector, indexes.snapshot.alive, 10)[0]
            near = set(await _nearest(base, vector, len(exact)))
            by_meaning += len(near & set(indexes.snapshot.keys[exact].tolist())) / len(exact)
        await base.close()
    events = Counter(f"{line['event'].removeprefix('knowledge.')} {line.get('index', '')}".strip() for line in lines)
    return {
        "troubles_at_start": at_start,
        "troubles": sorted(troubles),
        "start_seconds": opening,
        "healing_seconds": healing,
        "recall": found / len(numbers),
        "recall_of_chroma": by_meaning / len(numbers),
        "embedded": 0 if refresh else _embedded(work) - asked_before,
        "events": dict(events),
    }


async def _kept_here(base: KnowledgeBase) -> None:
    """Waits until it is this process that keeps a shared index, and has compared all of it."""
    tended = base._serving.indexes._tended["vector index"]
    while not (tended.is_kept_here and tended.is_whole):  # noqa: ASYNC110 - it waits for the end of a dead one's lease
        await asyncio.sleep(0.1)


async def _nearest(base: KnowledgeBase, vector: Vector, count: int) -> list[int]:
    """What Chroma finds, once it can be asked: a question that it did not answer in time has it compared anew."""
    while True:
        await base.mended()
        try:
            return await asyncio.to_thread(base._serving.indexes.vectors.nearest, vector, count)
        except IndexAway:
            await asyncio.sleep(0.1)


def _embedded(work: Path) -> int:
    journal = work / "embedded"
    return sum(map(int, journal.read_text().split())) if journal.is_file() else 0


def main() -> None:
    """Which of the two, the folder, and how many pages stay."""
    what, work, pages = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if what == "write":
        asyncio.run(write(work, pages))
    print(json.dumps(asyncio.run(heal(work, pages, refresh=what == "first"))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
