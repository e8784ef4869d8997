"""A Chroma server as the home of a vector index: one index for all processes of a database, beside those of others.

The client is the one of the library, but for its patience: a server that hangs costs a question two seconds, once.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from chromadb.api.fastapi import FastAPI
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings, System

from knowledge.chroma import ChromaServer
from knowledge.errors import IndexAway
from knowledge.index import CONFIGURATION

_CONNECT, _SEARCH, _SIGN_OF_LIFE, _WORK = 2.0, 2.0, 3.0, 20.0  # seconds until a server counts as one that hangs
_AT_ONCE = 5_000
_BYTES = 16_000_000  # of one request: the server takes 40 MB
_LISTED = 500
_thread = threading.local()


class ServerHome:
    """The collections of one database and embedding model on a server. Its methods raise IndexAway where the server
    cannot be asked, and Chroma's own errors. `house` is set before anything is asked of it."""

    def __init__(self, server: ChromaServer, model: str) -> None:
        self.house = ""
        self._server = server
        self._model = model

    def connect(self, place: str, *, new: bool) -> tuple[Any, Any]:
        """A collection for each place: Chroma keeps what it knew of one that it has seen."""
        client = _Client(self._server)
        make = client.api.create_collection if new else client.api.get_collection
        more = {"configuration": CONFIGURATION, "metadata": {"model": self._model}} if new else {}
        try:
            model = make(name=self._prefix + place, **more)
        except BaseException:
            client.close()
            raise
        return client, Collection(client=client.api, model=model, embedding_function=None, data_loader=None)

    def at_once(self, dimensions: int) -> int:
        """As many as the server says, in a request that it takes (four bytes a number, written with a third more)."""
        client = _Client(self._server)
        try:
            return max(1, min(_AT_ONCE, int(client.api.get_max_batch_size()), _BYTES // (6 * dimensions)))
        finally:
            client.close()

    def clear(self, kept: str) -> None:
        """Removes the other collections of this database and model, and nobody else's."""
        _remove(self._server, self._prefix, self._prefix + kept)

    @contextmanager
    def haste(self) -> Iterator[None]:
        """Within it, this thread waits two seconds at most: somebody waits for an answer. Without haste a search has
        time, as a server that has just started loads an index with the first one."""
        _thread.in_haste = True
        try:
            yield
        finally:
            _thread.in_haste = False

    def ping(self) -> None:
        """Raises IndexAway where the server does not answer."""
        client = _Client(self._server)
        try:
            client.api.heartbeat()
            client.api.count_collections()  # which a server's or proxy's door may be closed to
        finally:
            client.close()

    @property
    def _prefix(self) -> str:
        return f"{of_house(self.house)}{hashlib.sha256(self._model.encode()).hexdigest()[:12]}."


def remove_all(server: ChromaServer, house: str) -> None:
    """Removes every collection of a database, whatever its models. Raises IndexAway, and Chroma's own errors."""
    _remove(server, of_house(house))


def of_house(house: str) -> str:
    """How the names of a database's collections begin."""
    return f"switchboard.{house[:16]}."


def _remove(server: ChromaServer, prefix: str, kept: str = "") -> None:
    client = _Client(server)
    try:
        names: list[str] = []
        while listed := client.api.list_collections(limit=_LISTED, offset=len(names)):
            names += [collection.name for collection in listed]
        for name in names:
            if name.startswith(prefix) and name != kept:
                client.api.delete_collection(name)
    finally:
        client.close()


class _Client:
    """The library's client, with requests that end. It keeps connections until it is closed."""

    def __init__(self, server: ChromaServer) -> None:
        settings = Settings(
            anonymized_telemetry=False,
            is_persistent=False,
            chroma_server_host=server.address,
            chroma_server_http_port=8000,  # of no meaning beside a whole address
        )
        self.api: Any = System(settings).instance(FastAPI)
        headers = dict(self.api.get_request_headers())
        if server.token:
            headers |= {"Authorization": f"Bearer {server.token}", "X-Chroma-Token": server.token}
        self.api._session.close()
        self.api._session = _Session(server, headers)

    def close(self) -> None:
        """Lets go of the connections."""
        self.api._session.close()


class _Session(httpx.Client):
    """Says in a sentence why a server cannot be asked. What Chroma itself says of a request is left to the library."""

    def __init__(self, server: ChromaServer, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self._home = server
        self._turn = threading.Lock()
        self._under_way = 0
        self._closing = False

    def request(self, method: str, url: Any, **more: Any) -> httpx.Response:
        """As the library asks. Raises IndexAway."""
        with self._turn:
            if self._closing:
                raise IndexAway("it was closed meanwhile")
            self._under_way += 1
        try:
            return self._request(method, url, **more)
        finally:
            with self._turn:
                self._under_way -= 1
                self._close_unused()

    def close(self) -> None:
        """Closes it once no other thread asks: a pool that is closed beside one leaves open what that one connects."""
        with self._turn:
            self._closing = True
            self._close_unused()

    def _close_unused(self) -> None:
        if self._closing and not self._under_way:
            super().close()

    def _request(self, method: str, url: Any, **more: Any) -> httpx.Response:
        told, address = str(url), self._home.address
        seconds = _SIGN_OF_LIFE if told.endswith("/heartbeat") else _WORK
        if getattr(_thread, "in_haste", False):
            seconds = _SEARCH
        try:
            answer = super().request(method, url, timeout=httpx.Timeout(seconds, connect=_CONNECT), **more)
        except httpx.TimeoutException as error:
            raise IndexAway(f"the Chroma server at {address} did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise IndexAway(f"the Chroma server at {address} cannot be reached ({type(error).__name__})") from error
        if answer.status_code in (401, 403):
            what = "refuses CHROMA_TOKEN" if self._home.token else "wants a token: set CHROMA_TOKEN"
            raise IndexAway(f"the Chroma server at {address} {what}")
        if answer.status_code in (429, 502, 503, 504):
            raise IndexAway(f"the Chroma server at {address} is not ready (status {answer.status_code})")
        if "json" not in answer.headers.get("Content-Type", ""):
            raise IndexAway(f"what answers at {address} is no Chroma server (status {answer.status_code})")
        return answer
