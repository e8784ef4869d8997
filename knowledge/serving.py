"""One embedding model at work: its indexes, the search in them, and all that reads and writes with its vectors."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path

from knowledge.change_log import ChangeLog
from knowledge.contents import Contents
from knowledge.database import Database
from knowledge.embedding.base import Embedder
from knowledge.indexes import Indexes
from knowledge.kept_vectors import KeptVectors
from knowledge.refresh.reading import Reader
from knowledge.refresh.vectors import Vectors
from knowledge.refresh.writer import SourceWriter
from knowledge.retrieval import Retriever
from knowledge.shared_tended import Sharing
from knowledge.store import Store


class Serving:
    """What answers now. Another model gets another one, filled beside it."""

    def __init__(
        self,
        database: Database,
        store: Store,
        log: ChangeLog,
        embedder: Embedder,
        data_dir: Path,
        turn: asyncio.Lock,
        sharing: Sharing | None,
    ) -> None:
        """`turn` is held for one change to the database and the indexes; `store` writes to `database` by `log`."""
        self.embedder = embedder
        self.folder = indexes_of(data_dir) / hashlib.sha256(embedder.name.encode()).hexdigest()[:16]
        self.indexes = Indexes(database, log, embedder, self.folder, turn, sharing)
        self.retriever = Retriever(Contents(database), embedder, self.indexes)
        self.reader = Reader(embedder)
        self.vectors = Vectors(KeptVectors(database), embedder)
        self._store = store
        self._turn = turn
        self._writers: dict[str, SourceWriter] = {}

    def writer(self, source: str) -> SourceWriter:
        """The one who writes for a source."""
        if source not in self._writers:
            name = self.embedder.name
            self._writers[source] = SourceWriter(source, self._store, self.indexes, self._turn, name)
        return self._writers[source]

    async def close(self, *, for_good: bool = False) -> None:
        """Waits for the searches that run, and lets go of the folder; the embedder is closed by whoever opened it."""
        await self.retriever.close()
        await self.indexes.close(for_good=for_good)

    async def remove(self) -> None:
        """Closes it for good: its folder goes too."""
        await self.close(for_good=True)
        await asyncio.to_thread(shutil.rmtree, self.folder, True)


def indexes_of(data_dir: Path) -> Path:
    """The folder of all search indexes: without it they are built anew from the database at the next start."""
    return data_dir / "indexes"
