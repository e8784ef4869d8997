"""The approximate vector index: Chroma, in process or a server, holding vectors and the chunks' keys and nothing else.

All methods block: call them in a worker thread. Everything here can be rebuilt from the store, so what Chroma cannot
use is left behind and a new one is begun.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import chromadb
from chromadb.config import Settings

from knowledge.documents import Vector
from knowledge.errors import IndexAway, IndexBroken
from knowledge.key_sum import key_sum, signed
from knowledge.memory import emptied

_COLLECTION = "chunks"
_AT_ONCE = 5_000
_READ_AT_ONCE = 50_000
CONFIGURATION: Any = {"hnsw": {"space": "cosine", "ef_construction": 100, "ef_search": 200, "max_neighbors": 16}}
_TRIED = 50  # chunks that are looked for by their own vectors
_SAME = 1e-3  # the cosine distance of a vector from itself, roundly


class Home(Protocol):
    """Where Chroma keeps an index."""

    def connect(self, place: str, *, new: bool) -> tuple[Any, Any]:
        """What is to be closed, and the collection of a place; one that is `new` is made."""
        ...

    def at_once(self, dimensions: int) -> int:
        """How many vectors it takes in at once."""
        ...

    def clear(self, kept: str) -> None:
        """Removes what was before the place that is kept."""
        ...

    def haste(self) -> AbstractContextManager[None]:
        """Within it, this thread waits for nothing that hangs."""
        ...


class FolderHome:
    """A folder of this process: Chroma runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def connect(self, place: str, *, new: bool) -> tuple[Any, Any]:
        """A folder for each place: Chroma keeps what it knew of one that it has seen."""
        path = self.folder / place
        path.mkdir(parents=True, exist_ok=True)
        client = chromadb.PersistentClient(str(path), settings=Settings(anonymized_telemetry=False))
        return client, client.get_or_create_collection(
            _COLLECTION, embedding_function=None, configuration=CONFIGURATION
        )

    def at_once(self, dimensions: int) -> int:
        """Chroma refuses batches above 5,461."""
        return _AT_ONCE

    def haste(self) -> AbstractContextManager[None]:
        """Nothing hangs here."""
        return nullcontext()

    def clear(self, kept: str) -> None:
        """Removes the other folders."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.is_dir() and path.name != kept:
                shutil.rmtree(path, ignore_errors=True)


class VectorIndex:
    """Nearest neighbours of a vector among all chunks, whoever may read them. Raises IndexBroken."""

    name = "vector index"

    def __init__(self, home: Home, dimensions: int) -> None:
        self._home = home
        self._dimensions = dimensions
        self._client: Any = None
        self._collection: Any = None
        self._place = ""
        self._at_once = _AT_ONCE

    def open(self, place: str, *, new: bool = False) -> None:
        """Opens what is there; on a server that has to be, unless it is `new`."""
        self.close()
        self._place = place
        try:
            with emptied():
                self._client, self._collection = self._home.connect(place, new=new)
            self._at_once = self._home.at_once(self._dimensions)
        except IndexBroken:
            raise
        except Exception as error:  # a damaged folder ends in errors of many kinds, AttributeError among them
            raise IndexBroken(f"it cannot be opened ({_first_line(error)})") from error

    def recreate(self) -> str:
        """Begins anew with an empty index, in a place that Chroma has not seen; returns it."""
        self.open(uuid.uuid4().hex[:8], new=True)
        return self._place

    def tidy(self) -> None:
        """Leaves nothing behind of what was before."""
        try:
            self._home.clear(self._place)
        except IndexBroken:
            raise
        except Exception as error:  # as above
            raise IndexBroken(f"it failed ({_first_line(error)})") from error

    def add(self, keys: Sequence[int], vectors: Vector) -> None:
        """Takes in chunks."""
        for start in range(0, len(keys), self._at_once):
            ids = [str(key) for key in keys[start : start + self._at_once]]
            self._call("upsert", ids=ids, embeddings=vectors[start : start + self._at_once])

    def remove(self, keys: Sequence[int]) -> None:
        """Takes chunks out."""
        for start in range(0, len(keys), self._at_once):
            self._call("delete", ids=[str(key) for key in keys[start : start + self._at_once]])

    def rest(self) -> None:
        """Ends the writing for now: there is nothing to end."""

    def nearest(self, vector: Vector, count: int, *, in_haste: bool = False) -> list[int]:
        """The keys of about the `count` nearest chunks, nearest first. `in_haste`, a server that hangs is not waited
        for."""
        with self._home.haste() if in_haste else nullcontext():
            found = self._call("query", query_embeddings=vector[None, :], n_results=count, include=[])
        return [int(key) for key in found["ids"][0]]

    def count(self) -> int:
        """How many chunks it says it holds."""
        return int(self._call("count"))

    def holds(self) -> tuple[int, int]:
        """How many chunks it really holds, and the sum of their keys (see `knowledge.key_sum`); reads them all."""
        count, checksum = 0, 0
        while ids := self._call("get", include=[], limit=_READ_AT_ONCE, offset=count)["ids"]:
            count, checksum = count + len(ids), signed(checksum + key_sum([int(key) for key in ids]))
        return count, checksum

    def try_out(self) -> None:
        """Asks for a few chunks by their own vectors: what is damaged fails here, or does not find them."""
        count = self.count()
        for offset in range(0, count, max(1, count // _TRIED)):
            self.try_once(offset)

    def try_once(self, offset: int = 0) -> None:
        """Asks for one chunk, where there is one, by its own vector."""
        one = self._call("get", include=["embeddings"], limit=1, offset=offset)
        if not one["ids"]:
            return
        found = self._call("query", query_embeddings=one["embeddings"], n_results=1, include=["distances"])
        # Another chunk with the same vector is as good.
        if not found["distances"][0] or found["distances"][0][0] > _SAME:
            raise IndexBroken("it does not find what it holds")

    def close(self) -> None:
        """Lets go of it."""
        client, self._client, self._collection = self._client, None, None
        if client is not None:
            client.close()

    def _call(self, method: str, **arguments: Any) -> Any:
        collection = self._collection
        if collection is None:
            raise IndexAway("it is closed")
        try:
            with emptied():  # Chroma keeps room for more vectors, and writes that room to disk as it is
                return getattr(collection, method)(**arguments)
        except IndexBroken:
            raise
        except Exception as error:  # Chroma's own errors, the database's and the disk's have no common base
            raise IndexBroken(f"it failed ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
