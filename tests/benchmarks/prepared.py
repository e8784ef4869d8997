"""Knowledge of about 10,000 chunks, made once and copied for each benchmark that wants it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path

from options import Options

from bot.config import Folder, Knowledge, Settings
from bot.core import open_core
from knowledge.chunking import Chunker
from knowledge.documents import Chunk
from knowledge.embedding.minilm import MiniLM
from knowledge.sources.base import Listing, Past
from knowledge.sources.folder import FolderSource

CHUNKS = 10_000
NARROW = "channel:C0ENG"
NARROW_SHARE = 20  # one chunk in so many may be read by one channel alone
QUESTIONS = 600
_SEED = 20


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder with `team` (for everyone) and `engineering` (for one channel), `data` (the stores) and questions."""

    folder: Path
    chunks: int
    documents: int
    questions: tuple[str, ...]

    @property
    def folders(self) -> tuple[Folder, Folder]:
        """The sources as they are configured."""
        return (
            Folder(path=self.folder / "team", name="team"),
            Folder(path=self.folder / "engineering", name="engineering", readers=(NARROW,)),
        )

    def copy_of_data(self, to: Path) -> Path:
        """The stores, copied to be written to."""
        return Path(shutil.copytree(self.folder / "data", to))


async def prepare(options: Options) -> Prepared:
    """Finds the prepared knowledge, or reads, splits and embeds it (about a minute)."""
    note = options.store / "prepared.json"
    if not note.exists():
        print(f"  preparing about {CHUNKS:,} chunks", flush=True)
        found = await _fill(options)
        settings = Settings(
            data_dir=options.store / "data", models_dir=options.models_dir, knowledge=Knowledge(folders=found.folders)
        )
        async with open_core(settings) as core:
            await core.knowledge.refresh()
        note.write_text(json.dumps([found.chunks, found.documents, found.questions]), encoding="utf-8")
    chunks, documents, questions = json.loads(note.read_text(encoding="utf-8"))
    return Prepared(options.store, chunks, documents, tuple(questions))


async def _fill(options: Options) -> Prepared:
    """Copies documents, in an order of chance, until there are enough chunks."""
    shutil.rmtree(options.store, ignore_errors=True)
    (options.store / "team").mkdir(parents=True)
    (options.store / "engineering").mkdir()
    embedder = MiniLM(options.models_dir)
    chunks = narrow = documents = 0
    headings: list[str] = []
    async for path, title, found in documents_of(options.documents, embedder):
        closed = narrow * NARROW_SHARE < chunks
        name = path.replace("/", "--")
        shutil.copy2(options.documents / path, options.store / ("engineering" if closed else "team") / name)
        documents, chunks = documents + 1, chunks + len(found)
        narrow += len(found) if closed else 0
        headings += [f"What does {title} say about {heading}?" for heading in _headings(found)]
        if chunks >= CHUNKS:
            break
    await embedder.close()
    random.Random(_SEED).shuffle(headings)
    return Prepared(options.store, chunks, documents, tuple(headings[:QUESTIONS]))


async def documents_of(folder: Path, embedder: MiniLM) -> AsyncGenerator[tuple[str, str, list[Chunk]], None]:
    """Path, title and chunks of the documents below a folder, in an order of chance that is always the same."""
    source = FolderSource(folder.name, folder)
    listings = [found async for found in source.listings(Past(None, {})) if isinstance(found, Listing)]
    chunker = Chunker(embedder.count_all_tokens, embedder.max_tokens)
    random.Random(_SEED).shuffle(listings)
    for listing in listings:
        reading = await source.read(listing)
        yield listing.path, reading.title, chunker.split(reading.title, reading.content)


def _headings(chunks: list[Chunk]) -> Iterator[str]:
    return iter(dict.fromkeys(chunk.heading[-1] for chunk in chunks if chunk.heading))
