"""Two knowledge bases on one PostgreSQL, as two processes have them: each with indexes in a folder of its own, or with
one vector index for both on a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from chroma_server import OwnChroma
from sqlalchemy.ext.asyncio import AsyncEngine
from words_embedder import WordsEmbedder

from knowledge.access import PUBLIC
from knowledge.change_log import ChangeLog
from knowledge.chroma import ChromaServer
from knowledge.database import Database
from knowledge.errors import KnowledgeError, SourceUnavailable
from knowledge.index import VectorIndex
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.leases import Leases
from knowledge.sources.base import Checkpoint, Complete, Listed, Listing, Past, Reading, Source
from knowledge.sources.parsers.markdown import parse_text

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Place

TEAM = frozenset({"channel:C1"})


class Wiki:
    """Pages that a test changes; reading waits where the test wants it to."""

    kind = "wiki"
    name = "wiki"

    def __init__(self) -> None:
        self.pages = {"leave.md": "Thirty days of leave.", "pager.md": "The pager rotates on Mondays."}
        self.readers = PUBLIC
        self.lists = 0
        self.reading = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        self.lists += 1
        for path in self.pages:
            yield self._listing(path)
        yield Complete()

    async def read(self, listing: Listing) -> Reading:
        text = self.pages[listing.path]
        self.reading.set()
        await self.go_on.wait()
        return Reading(listing.path, parse_text(text), listing.path, None, None)

    async def find(self, path: str) -> Listing | None:
        return self._listing(path) if path in self.pages else None

    async def close(self) -> None:
        """Holds nothing."""

    def _listing(self, path: str) -> Listing:
        return Listing(path, self.pages[path], self.readers, None)


@asynccontextmanager
async def opened(place: Place, *sources: Source, models: Sequence[str] = ("words",)) -> AsyncIterator[KnowledgeBase]:
    """With the first of these models wanted, and the others at hand."""
    base = await open_knowledge(
        engine=place.engine,
        data_dir=place.data_dir,
        embedder=WordsEmbedder(models[0]),
        others=lambda: [WordsEmbedder(name) for name in models[1:]],
        sources=sources,
        chroma=place.chroma,
    )
    try:
        yield base
    finally:
        await base.close()


@pytest.fixture(params=["in each process", "on a server"])
def two(
    postgres_engine: AsyncEngine,
    tmp_path: Path,
    models_dir: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Place:
    """Where the vector index is in each process, and where all have one on a server."""
    from tests.integration.knowledge.conftest import Place

    monkeypatch.setattr("knowledge.shared_tended.LOOK", 0.05)
    server: OwnChroma | None = request.getfixturevalue("chroma") if request.param == "on a server" else None
    return Place(postgres_engine, tmp_path / "data", models_dir, ChromaServer(server.address) if server else None)


async def texts(base: KnowledgeBase, question: str, scopes: frozenset[str] = PUBLIC) -> list[str]:
    return [passage.text for passage in (await base.search(question, scopes=scopes)).passages]


async def until(condition: Callable[[], object]) -> None:
    """Waits until what other processes wrote has been followed."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what it waits for is not this process's
            await asyncio.sleep(0.01)


def in_step(one: KnowledgeBase, other: KnowledgeBase) -> bool:
    indexes = one._serving.indexes, other._serving.indexes
    followed = {tended.number for each in indexes for tended in each._tended.values()}
    return len({each.table.holds for each in indexes}) == len(followed) == 1 and not (one.troubles or other.troubles)


async def test_each_process_finds_what_another_wrote_and_nothing_that_it_took_away(two: Place) -> None:
    wiki = Wiki()
    async with opened(two, wiki) as writing, opened(two, wiki) as searching:
        assert (writing._lock.folder, searching._lock.folder) == (two.data_dir, two.data_dir / "process-2")
        await writing.refresh()
        await until(lambda: in_step(writing, searching))
        assert (await texts(searching, "pager rotates"))[0] == "The pager rotates on Mondays."
        indexes = searching._serving.indexes
        assert len(indexes.lexical.search(indexes.lexical.wording("pager", ()), None, 5)) == 1
        assert indexes.vectors.count() == 2
        # Taken away: by the database's word, whether it has been followed or not.
        wiki.readers = TEAM
        await writing.restrict("wiki", TEAM)
        assert await texts(searching, "pager rotates") == []
        await until(lambda: indexes.number >= writing._log.latest)
        assert "The pager rotates on Mondays." in await texts(searching, "pager rotates", TEAM)
        del wiki.pages["pager.md"]
        await writing.follow("wiki", "pager.md")
        assert await texts(searching, "pager rotates", TEAM) == ["Thirty days of leave."]
        await until(lambda: in_step(writing, searching))
        assert await searching.check(closely=True) == {}
        await searching.forget("wiki")
        assert await texts(writing, "leave", TEAM) == []


async def test_a_process_that_was_away_follows_what_it_missed_without_a_rebuild(two: Place) -> None:
    wiki = Wiki()
    async with opened(two, wiki) as first, opened(two, wiki) as second:
        await first.refresh()
        await until(lambda: in_step(first, second))
    wiki.pages["new.md"] = "Bicycles are parked in the yard."
    async with opened(two, wiki) as first:
        await first.refresh()
        async with opened(two, wiki) as second:
            number = second._serving.indexes._tended["lexical index"].number
            assert 0 < number < first._log.latest
            await second.mended()
            assert in_step(first, second)
            assert (await texts(second, "bicycles parked"))[0] == "Bicycles are parked in the yard."
            assert await second.check(closely=True) == {}


@pytest.mark.parametrize("two", ["on a server"], indirect=True)
async def test_a_write_while_an_index_is_compared_is_no_reason_to_rebuild_it(
    two: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    wiki = Wiki()
    async with opened(two, wiki) as base:
        await base.refresh()
        await base.mended()
        place = base._serving.indexes._tended["vector index"]._place
    loop, ready, written = asyncio.get_running_loop(), threading.Event(), threading.Event()
    holds = VectorIndex.holds

    def holds_and_then_another(index: VectorIndex) -> tuple[int, int]:
        there = holds(index)
        if not written.is_set() and ready.wait(10):
            written.set()
            asyncio.run_coroutine_threadsafe(base.refresh(), loop).result(10)
        return there

    monkeypatch.setattr(VectorIndex, "holds", holds_and_then_another)
    async with opened(two, wiki) as base:
        wiki.pages["new.md"] = "Bicycles are parked in the yard."
        ready.set()
        await base.mended()
        assert written.is_set()
        assert base._serving.indexes._tended["vector index"]._place == place
        assert (await texts(base, "bicycles parked"))[0] == "Bicycles are parked in the yard."
        assert await base.check(closely=True) == {}


async def test_a_refresh_of_a_source_runs_once_for_all_who_asked_while_it_ran(two: Place) -> None:
    wiki = Wiki()
    async with opened(two, wiki) as one, opened(two, wiki) as two_, opened(two, wiki) as three:
        wiki.go_on.clear()
        first = asyncio.create_task(one.refresh())
        await asyncio.wait_for(wiki.reading.wait(), 10)
        others = [asyncio.create_task(base.refresh()) for base in (two_, three)]
        leases = Leases(Database(two.engine), "looking")
        assert not await leases.hold("refresh wiki")
        await until(lambda: all(base.is_refreshing for base in (two_, three)))
        assert not any(task.done() for task in others)
        wiki.go_on.set()
        assert (await first).sources[0].added == 2
        reports = [(await task).sources[0] for task in others]
        assert [(report.seen, report.unchanged) for report in reports] == [(2, 2), (2, 2)]
        # Whoever asked while the first ran wants what came after it began: one more list serves both.
        assert wiki.lists == 2


async def test_a_running_refresh_does_not_undo_what_another_process_heard_of(two: Place) -> None:
    wiki = Wiki()
    async with opened(two, wiki) as refreshing, opened(two, wiki) as hearing:
        await refreshing.refresh()
        wiki.pages |= {"pager.md": "The pager rotates on Tuesdays.", "leave.md": "Forty days of leave."}
        wiki.go_on.clear()
        wiki.reading.clear()
        running = asyncio.create_task(refreshing.refresh())
        await asyncio.wait_for(wiki.reading.wait(), 10)
        wiki.go_on.set()
        wiki.pages["pager.md"] = "The pager rotates on Fridays."
        await hearing.follow("wiki", "pager.md")
        await hearing.restrict("wiki", TEAM)
        wiki.readers = TEAM
        await running
        assert await texts(refreshing, "pager rotates leave") == await texts(hearing, "pager rotates leave") == []
        await until(lambda: in_step(refreshing, hearing))
        for base in (refreshing, hearing):
            found = set(await texts(base, "pager rotates leave days", TEAM))
            assert found == {"The pager rotates on Fridays.", "Forty days of leave."}


async def test_what_is_followed_while_another_process_closes_its_source_is_for_those_who_may_read_it_now(
    two: Place,
) -> None:
    wiki = Wiki()
    async with opened(two, wiki) as following, opened(two, wiki) as closing:
        await closing.refresh()
        wiki.pages["pager.md"] = "The pager rotates on Tuesdays."
        wiki.go_on.clear()
        wiki.reading.clear()
        running = asyncio.create_task(following.follow("wiki", "pager.md"))
        await asyncio.wait_for(wiki.reading.wait(), 10)
        await closing.restrict("wiki", TEAM)
        wiki.go_on.set()
        await running
        await until(lambda: in_step(following, closing))
        for base in (following, closing):
            assert await texts(base, "pager rotates") == []
            assert "The pager rotates on Tuesdays." in await texts(base, "pager rotates", TEAM)


class Slow(Wiki):
    """Lists what was there when it was asked, later."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.answer = asyncio.Event()
        self.answer.set()

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        listed = [self._listing(path) for path in self.pages]
        self.asked.set()
        await self.answer.wait()
        for each in listed:
            yield each
        yield Complete()


@pytest.mark.parametrize("text", ["The pager rotates on Mondays.", "The pager rotates on Tuesdays."])
async def test_a_list_that_is_older_than_an_event_gives_nobody_what_the_event_took_from_them(
    two: Place, text: str
) -> None:
    wiki = Slow()
    wiki.readers = TEAM
    async with opened(two, wiki) as refreshing, opened(two, wiki) as hearing:
        await hearing.refresh()
        wiki.readers, wiki.pages["pager.md"] = PUBLIC, text
        wiki.answer.clear()
        wiki.asked.clear()
        running = asyncio.create_task(refreshing.refresh())
        await asyncio.wait_for(wiki.asked.wait(), 10)
        wiki.readers = TEAM
        await hearing.follow("wiki", "pager.md")
        await refreshing._log.standing()  # it has heard of that event
        wiki.answer.set()
        await running
        for base in (refreshing, hearing):
            assert text not in await texts(base, "pager rotates")
        await refreshing.refresh()
        assert await texts(hearing, "pager rotates") == []
        assert text in await texts(hearing, "pager rotates", TEAM)


class Journal(Slow):
    """Lists everything once; of a single page it cannot tell."""

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        if past.state is None:
            async for each in super().listings(past):
                yield each
            yield Checkpoint("told")

    async def find(self, path: str) -> Listing | None:
        raise SourceUnavailable("The wiki is away.")


async def test_what_an_event_failed_to_bring_during_a_refresh_the_next_one_brings(two: Place) -> None:
    wiki = Journal()
    async with opened(two, wiki) as refreshing, opened(two, wiki) as hearing:
        wiki.answer.clear()
        running = asyncio.create_task(refreshing.refresh())
        await asyncio.wait_for(wiki.asked.wait(), 10)
        with pytest.raises(SourceUnavailable):
            await hearing.follow("wiki", "pager.md")
        wiki.answer.set()
        await running
        assert await texts(hearing, "pager rotates") == ["Thirty days of leave."]
        await hearing.refresh()
        assert "The pager rotates on Mondays." in await texts(hearing, "pager rotates")


async def test_a_source_that_another_process_forgets_ends_a_refresh_of_it(two: Place) -> None:
    wiki = Wiki()
    async with opened(two, wiki) as refreshing, opened(two, wiki) as forgetting:
        wiki.go_on.clear()
        running = asyncio.create_task(refreshing.refresh())
        await asyncio.wait_for(wiki.reading.wait(), 10)
        await forgetting.forget("wiki")
        wiki.go_on.set()
        ((_, problem),) = (await running).problems
        assert "the source was forgotten" in problem.sentence
        assert [status.documents for status in await forgetting.status()] == [0]
        assert (await forgetting.refresh()).sources[0].added == 2


@pytest.mark.parametrize("two", ["in each process"], indirect=True)
async def test_processes_that_want_different_models_say_so_and_undo_nothing_of_each_other(
    two: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.processes.BEAT", 0.05)
    monkeypatch.setattr("knowledge.listening.LOOK", 0.05)
    wiki = Wiki()
    async with opened(two, wiki, models=["new", "old"]) as new:
        async with opened(two, wiki, models=["old"]) as old:
            await until(lambda: new.disagreement and old.disagreement)
            assert new.disagreement == (
                "The embedding model here is “new”, and other processes on this database want “old”. Nothing is "
                "switched or read anew while they run: set knowledge.embedding alike for all."
            )
            await old.refresh()
            # One that would have to read everything anew does not start.
            with pytest.raises(
                KnowledgeError, match="“third”, and other processes on this database want “new” and “old”"
            ):
                async with opened(two, wiki, models=["third"]):
                    pass
            assert (await old.refresh()).sources[0].unchanged == 2
        await until(lambda: not new.disagreement)


async def test_a_process_follows_the_switch_to_a_model_that_it_wants_too(
    two: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.processes.BEAT", 0.05)
    monkeypatch.setattr("knowledge.listening.LOOK", 0.05)
    wiki = Wiki()
    async with opened(two, wiki, models=["old"]) as base:
        await base.refresh()
    async with opened(two, wiki, models=["old"]) as old, opened(two, wiki, models=["new", "old"]) as new:
        assert (new.embedder.name, await new.switch_model()) == ("old", False)
        await until(lambda: old.disagreement)
        assert await texts(new, "pager rotates") == await texts(old, "pager rotates") != []
    async with (
        opened(two, wiki, models=["new", "old"]) as one,
        opened(two, wiki, models=["new", "old"]) as other,
    ):
        assert await one.switch_model()
        await until(lambda: other.embedder.name == "new" and in_step(one, other))
        wiki.pages["new.md"] = "Bicycles are parked in the yard."
        await one.refresh()
        await until(lambda: in_step(one, other))
        assert (await texts(other, "bicycles parked"))[0] == "Bicycles are parked in the yard."


async def test_numbers_become_visible_in_their_order_whoever_commits_first(engine: AsyncEngine) -> None:
    database = Database(engine)
    logs = [ChangeLog(database), ChangeLog(database)]
    order: list[int] = []

    async def write(log: ChangeLog, key: int) -> None:
        for _ in range(10):
            async with log.changing() as change:
                seen = (await change.connection.execute(sa.text("SELECT number FROM knowledge_standing"))).scalar_one()
                assert seen == change.number  # nobody is between
                change.note(added=[change.number * 10 + key])
                await asyncio.sleep(0)
            order.append(change.number)

    await asyncio.gather(write(logs[0], 1), write(logs[1], 2))
    assert sorted(order) == list(range(order[0], order[0] + 20))
    standing = await logs[0].standing()
    assert (standing.number, standing.chunks) == (20, 20)
    logged = await logs[0].since(4)
    assert logged is not None
    assert (logged.number, len(logged.added)) == (20, 16)


async def test_a_lease_of_a_process_that_died_is_taken_over(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.leases.SECONDS", 0.5)
    monkeypatch.setattr("knowledge.leases._BEAT", 1000.0)
    dead, living = (Leases(Database(engine), name) for name in ("dead", "living"))
    assert await dead.hold("it")
    assert not await living.hold("it")
    async with asyncio.timeout(30), living.held("it") as lease:
        assert lease.turn == 1
        assert not await dead.hold("it")
