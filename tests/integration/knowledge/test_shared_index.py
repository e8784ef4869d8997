"""One vector index for all processes, on a Chroma server that goes, hangs, forgets and comes back."""

from __future__ import annotations

import shutil
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from chroma_server import OwnChroma
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from knowledge.access import PUBLIC
from knowledge.chroma import ChromaServer
from knowledge.documents import Vector
from knowledge.errors import IndexAway
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.server_home import ServerHome
from knowledge.shared_stamp import NotKept
from knowledge.shared_tended import SharedTended
from knowledge.sources.folder import FolderSource
from tests.integration.knowledge.test_several_processes import until

PAGES = 40


class CountedWords(WordsEmbedder):
    """Counts the texts that it embeds."""

    def __init__(self) -> None:
        super().__init__("words")
        self.texts = 0

    async def embed(self, texts: Sequence[str]) -> Vector:
        self.texts += len(texts)
        return await super().embed(texts)


class Team:
    """A database and a folder of pages; each `opened` is as one more process."""

    def __init__(self, engine: AsyncEngine, folder: Path, address: str) -> None:
        self.engine = engine
        self.server = ChromaServer(address)
        self.embedder = CountedWords()
        self._folder = folder
        for number in range(PAGES):
            self.write(number, f"Topic {number % 7}, matter{number}.")

    def write(self, number: int, text: str) -> None:
        (self._folder / "docs").mkdir(parents=True, exist_ok=True)
        (self._folder / "docs" / f"{number}.md").write_text(f"# Page {number}\n\n{text}")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[KnowledgeBase]:
        base = await open_knowledge(
            engine=self.engine,
            data_dir=self._folder / "data",
            embedder=self.embedder,
            sources=[FolderSource("docs", self._folder / "docs", PUBLIC)],
            chroma=self.server,
        )
        try:
            yield base
        finally:
            await base.close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks come often, and every search by meaning goes through Chroma as where there are more than a million."""
    monkeypatch.setattr("knowledge.shared_tended.LOOK", 0.02)
    monkeypatch.setattr("knowledge.shared_tended.AGAIN", (0.05,))
    monkeypatch.setattr("knowledge.retrieval._EXACT_ROWS", 0)


@pytest.fixture
def team(postgres_engine: AsyncEngine, tmp_path: Path, chroma: OwnChroma) -> Team:
    """On a server that stays up."""
    return Team(postgres_engine, tmp_path, chroma.address)


@pytest.fixture
def shaken(postgres_engine: AsyncEngine, tmp_path: Path, own_chroma: OwnChroma) -> Team:
    """On a server of its own."""
    return Team(postgres_engine, tmp_path, own_chroma.address)


def vectors(base: KnowledgeBase) -> SharedTended:
    tended = base._serving.indexes._tended["vector index"]
    assert isinstance(tended, SharedTended)
    return tended


async def answers(base: KnowledgeBase, number: int = 3) -> bool:
    result = await base.search(f"matter{number}", scopes=PUBLIC, k=1)
    return f"matter{number}." in result.passages[0].text


async def by_meaning(base: KnowledgeBase, number: int = 3) -> bool:
    """Whether Chroma alone finds the page."""
    vector = await base.embedder.embed_query(f"Page {number} Topic {number % 7}, matter{number}.")
    (key,) = vectors(base).vectors.nearest(vector, 1)
    exact = base._serving.indexes.snapshot.nearest(vector, base._serving.indexes.snapshot.alive, 1)[0]
    return key in base._serving.indexes.snapshot.keys[exact].tolist()


def rebuilds(lines: Sequence[Any]) -> int:
    return sum(line["event"] == "knowledge.index_rebuilt" and line["index"] == "vector index" for line in lines)


async def test_one_process_writes_the_index_and_all_search_in_it_until_another_takes_over(
    team: Team, sqlite_engine: AsyncEngine, tmp_path: Path
) -> None:
    async with team.opened() as one, team.opened() as other:
        await one.refresh()
        await until(lambda: not (one.troubles or other.troubles) and vectors(other).is_whole)
        assert sorted([vectors(one).is_kept_here, vectors(other).is_kept_here]) == [False, True]
        assert await by_meaning(one)
        assert await by_meaning(other)
        assert vectors(one).vectors.count() == PAGES
        keeping, using = (one, other) if vectors(one).is_kept_here else (other, one)
        # Another team on the same server has an index of its own, and clears that alone.
        stranger = Team(sqlite_engine, tmp_path / "stranger", team.server.address)
        async with stranger.opened() as apart:
            await apart.refresh()
            await apart.mended()
            await answers(apart)
            assert vectors(apart).vectors.count() == PAGES
        assert vectors(using).vectors.count() == PAGES
        # In peace it is handed over at once; what is written next is in it.
        await keeping.close()
        await until(lambda: vectors(using).is_kept_here and not using.troubles)
        team.write(PAGES, f"Topic 1, matter{PAGES}.")
        embedded = team.embedder.texts
        await using.refresh()
        assert (vectors(using).vectors.count(), team.embedder.texts) == (PAGES + 1, embedded + 1)
        assert await by_meaning(using, PAGES)
        assert await using.check(closely=True) == {}
        await keeping.mended()  # closed: it waits for nothing


async def test_a_process_that_died_loses_the_index_and_may_not_say_anything_of_it_any_more(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("leases", "shared_tended"):
        monkeypatch.setattr(f"knowledge.{module}.SECONDS", 0.4)
    async with team.opened() as dead:
        await dead.refresh()
        await dead.mended()
        tended = vectors(dead)
        assert tended._looking is not None
        tended._looking.cancel()  # it gives no sign of life any more
        async with team.opened() as living:
            await until(lambda: vectors(living).is_kept_here and not living.troubles)
            assert await by_meaning(living)
            with pytest.raises(NotKept):
                await tended._shared.set(tended._wanted)
            team.write(PAGES, f"Topic 1, matter{PAGES}.")
            await dead.refresh()  # its own write goes into the index by the other's hand
            assert not tended.is_kept_here
            await until(lambda: vectors(living).is_whole and vectors(living).number >= dead._serving.indexes.number)
            assert vectors(living).vectors.count() == PAGES + 1
            assert await living.check(closely=True) == {}


async def test_a_server_that_is_away_is_said_in_a_sentence_and_healed_without_an_embedding_when_it_is_back(
    shaken: Team, own_chroma: OwnChroma, tmp_path: Path
) -> None:
    with structlog.testing.capture_logs() as lines:
        async with shaken.opened() as base:
            await base.refresh()
            sentence = f"the Chroma server at {own_chroma.address} cannot be reached (ConnectError)"
            await until(lambda: base.failing == {"vector index": sentence})
            with pytest.raises(IndexAway, match="cannot be reached"):
                await base.ping_chroma()
            assert await answers(base)
            embedded = shaken.embedder.texts
            own_chroma.start()
            await base.mended()
            await base.ping_chroma()
            assert await by_meaning(base)
            # Killed while it is searched in: the search goes on, and what it kept is taken as it is.
            shutil.copytree(own_chroma.folder, tmp_path / "older")
            shaken.write(PAGES, f"Topic 1, matter{PAGES}.")
            await base.refresh()
            before = rebuilds(lines)
            own_chroma.kill()
            assert await answers(base)
            assert set(base.troubles) == {"vector index"}
            own_chroma.start()
            await base.mended()
            assert rebuilds(lines) == before
            assert await by_meaning(base, PAGES)
            # It comes back with what it kept before, then with nothing: both are seen, and built again.
            for number, older in enumerate((True, False), 1):
                own_chroma.kill()
                assert await answers(base)
                own_chroma.forget()
                if older:
                    shutil.copytree(tmp_path / "older", own_chroma.folder)
                own_chroma.start()
                await base.mended()
                assert rebuilds(lines) == before + number
                assert await by_meaning(base, PAGES)
            assert await base.check(closely=True) == {}
            assert shaken.embedder.texts == embedded + 1
    failed = [line for line in lines if line["event"] == "knowledge.rebuild_failed"]
    assert 1 <= len(failed) <= 4  # once for each time that it was away, however often it was tried


async def test_a_server_that_hangs_keeps_no_question_waiting(
    shaken: Team, own_chroma: OwnChroma, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_chroma.start()
    async with shaken.opened() as keeping, shaken.opened() as using:
        await keeping.refresh()
        await until(lambda: not (keeping.troubles or using.troubles) and vectors(using).is_whole)
        monkeypatch.setattr("knowledge.server_home._SEARCH", 0.2)
        monkeypatch.setattr("knowledge.server_home._WORK", 0.2)
        own_chroma.signal(signal.SIGSTOP)
        for base in (keeping, using):
            assert await answers(base)
            assert await answers(base)
        await until(lambda: all("did not answer in time" in base.troubles["vector index"] for base in (keeping, using)))
        own_chroma.signal(signal.SIGCONT)
        await until(lambda: not (keeping.troubles or using.troubles))
        assert await by_meaning(using)


async def test_whoever_finds_the_index_gone_says_so_and_the_process_that_keeps_it_builds_it_again(team: Team) -> None:
    async with team.opened() as one, team.opened() as other:
        await one.refresh()
        await until(lambda: not (one.troubles or other.troubles) and vectors(other).is_whole)
        keeping, using = (one, other) if vectors(one).is_kept_here else (other, one)
        vectors(keeping)._home.clear("")
        place = vectors(using)._place
        assert await answers(using)
        await until(lambda: vectors(using)._place != place and vectors(using).is_whole and not keeping.troubles)
        assert await by_meaning(using)
        assert await by_meaning(keeping)


@contextmanager
def behind_a_door(server: OwnChroma, token: str) -> Iterator[tuple[str, list[str]]]:
    """A proxy before the server that lets in who has the token; what it was asked for."""
    asked: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.headers["Authorization"] != f"Bearer {token}" or self.headers["X-Chroma-Token"] != token:
                self._say(401, b'{"error":"AuthError","message":"no"}')
                return
            length = int(self.headers["Content-Length"] or 0)
            inner = urllib.request.Request(
                server.address + self.path, self.rfile.read(length) if length else None, method=self.command
            )
            inner.add_header("Content-Type", "application/json")
            try:
                with urllib.request.urlopen(inner) as answer:
                    self._say(answer.status, answer.read())
            except urllib.error.HTTPError as error:
                self._say(error.code, error.read())

        do_POST = do_PUT = do_DELETE = do_GET

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=door.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{door.server_port}", asked
    finally:
        door.shutdown()
        door.server_close()


def problem(address: str, token: str = "") -> str:
    with pytest.raises(IndexAway) as caught:
        ServerHome(ChromaServer(address, token), "model").ping()
    return str(caught.value)


def test_a_wrong_token_or_address_is_said_without_the_token_and_the_right_one_is_let_in(chroma: OwnChroma) -> None:
    with behind_a_door(chroma, "s3cret") as (address, asked):
        ServerHome(ChromaServer(address, "s3cret"), "model").ping()
        assert asked[0] == "/api/v2/heartbeat"
        assert problem(address) == f"the Chroma server at {address} wants a token: set CHROMA_TOKEN"
        assert problem(address, "wr0ng") == f"the Chroma server at {address} refuses CHROMA_TOKEN"
    assert "cannot be reached" in problem(address)
    assert problem(f"{chroma.address}/wiki").endswith("is no Chroma server (status 404)")
    assert "s3cret" not in repr(ChromaServer(address, "s3cret"))
