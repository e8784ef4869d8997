"""The approximate vector index: Chroma in process, holding vectors and the chunks' keys and nothing else.

All methods block: call them in a worker thread. Everything here can be rebuilt from the store, so a folder that Chroma
cannot use is left behind and a new one is begun.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chromadb
from chromadb.config import Settings

from knowledge.documents import Vector
from knowledge.errors import IndexBroken
from knowledge.stamp import Stamp, StampFile

_COLLECTION = "chunks"
_AT_ONCE = 5_000  # Chroma refuses batches above 5,461
_HNSW = {"space": "cosine", "ef_construction": 100, "ef_search": 200, "max_neighbors": 16}


class VectorIndex:
    """Nearest neighbours of a vector among all chunks, whoever may read them. Raises IndexBroken."""

    name = "vector index"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp = StampFile(folder / "stamp.json")
        self._client: Any = None
        self._collection: Any = None
        self._generation = ""

    def open(self, expected: Stamp) -> None:
        """Opens what is there. Raises IndexBroken unless it is whole and holds what `expected` says."""
        stamp = self._stamp.read()
        if stamp is None:
            raise IndexBroken("it is missing, or was not finished")
        self._generation = str(stamp.pop("folder", ""))
        if stamp != expected:
            raise IndexBroken("it is not what the database holds")
        # Chroma can take the whole process down while it opens a damaged folder: without the stamp, the next start
        # does not try again.
        self._stamp.lift()
        self._connect()
        self._probe(expected)
        self.seal(expected)

    def recreate(self) -> None:
        """Begins anew with an empty index, in a folder that Chroma has not seen: it keeps what it knew of the old."""
        self.close()
        self._stamp.lift()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._generation = uuid.uuid4().hex[:8]
        self._connect()

    def add(self, keys: Sequence[int], vectors: Vector) -> None:
        """Takes in chunks."""
        self._stamp.lift()
        for start in range(0, len(keys), _AT_ONCE):
            ids = [str(key) for key in keys[start : start + _AT_ONCE]]
            self._call("upsert", ids=ids, embeddings=vectors[start : start + _AT_ONCE])

    def remove(self, keys: Sequence[int]) -> None:
        """Takes chunks out."""
        self._stamp.lift()
        for start in range(0, len(keys), _AT_ONCE):
            self._call("delete", ids=[str(key) for key in keys[start : start + _AT_ONCE]])

    def seal(self, stamp: Stamp) -> None:
        """Says that all was written, and what the index now holds."""
        self._stamp.set({**stamp, "folder": self._generation})

    def nearest(self, vector: Vector, count: int) -> list[int]:
        """The keys of about the `count` nearest chunks, nearest first."""
        found = self._call("query", query_embeddings=vector[None, :], n_results=count, include=[])
        return [int(key) for key in found["ids"][0]]

    def close(self) -> None:
        """Lets go of the folder."""
        client, self._client, self._collection = self._client, None, None
        if client is not None:
            client.close()

    def _connect(self) -> None:
        path = self._folder / self._generation
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._client = chromadb.PersistentClient(str(path), settings=Settings(anonymized_telemetry=False))
            self._collection = self._client.get_or_create_collection(
                _COLLECTION, embedding_function=None, configuration={"hnsw": _HNSW}
            )
        except Exception as error:  # a damaged folder ends in errors of many kinds, AttributeError among them
            raise IndexBroken(f"it cannot be opened ({_first_line(error)})") from error

    def _probe(self, expected: Stamp) -> None:
        count = self._call("count")
        if count != expected["count"]:
            raise IndexBroken(f"it holds {count} chunks, the database {expected['count']}")
        if count:
            self._call("query", query_embeddings=[[1.0] * int(str(expected["dimensions"]))], n_results=1, include=[])

    def _call(self, method: str, **arguments: Any) -> Any:
        if self._collection is None:
            raise IndexBroken("it is closed")
        try:
            return getattr(self._collection, method)(**arguments)
        except Exception as error:  # Chroma's own errors, the database's and the disk's have no common base
            raise IndexBroken(f"it failed ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
