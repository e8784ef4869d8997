from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import structlog

from knowledge.documents import Content, Vector
from knowledge.errors import RefreshStopped, UnknownSource
from knowledge.knowledge_base import KnowledgeBase
from knowledge.reports import RefreshProgress, RefreshReport, SourceReport
from knowledge.schema import chunks, documents, embeddings
from knowledge.sources.base import Listed, Listing, Past, Reading
from knowledge.sources.folder import FolderSource

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Folder, Place

EVERYONE = frozenset({"everyone"})


async def found(base: KnowledgeBase, question: str, scopes: frozenset[str] = EVERYONE) -> list[str]:
    """The titles of what is found, best first."""
    return [passage.title for passage in (await base.search(question, scopes=scopes)).passages]


def only(report: RefreshReport) -> SourceReport:
    (one,) = report.sources
    return one


def counts(report: RefreshReport) -> tuple[int, int, int, int]:
    one = only(report)
    return one.added, one.changed, one.removed, one.unchanged


async def count(place: Place, table: sa.Table) -> int:
    async with place.engine.connect() as connection:
        return int((await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def test_a_first_refresh_reads_everything_and_a_second_one_nothing(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        first = await base.refresh()
        assert counts(first) == (3, 0, 0, 0)
        assert only(first).chunks == 3
        assert first.problems == ()
        second = await base.refresh()
        assert counts(second) == (0, 0, 0, 3)
        assert only(second).chunks == 0
        (status,) = await base.status()
        assert (status.name, status.kind, status.documents, status.chunks) == ("docs", "folder", 3, 3)
        assert status.refreshed is not None


async def test_a_passage_tells_where_it_comes_from(place: Place, folder: Folder) -> None:
    source = FolderSource("docs", folder.path, link_base="https://example.org/docs")
    async with place.open(source) as base:
        await base.refresh()
        result = await base.search("what does E4711 mean?", scopes=EVERYONE)
        best = result.passages[0]
        assert (best.source, best.title, best.heading) == ("docs", "On call", ("On call",))
        assert best.url == "https://example.org/docs/oncall/pager.md"
        assert best.updated is not None
        assert "E4711 means that the queue is full" in best.text
        assert best.lexical == 1.0
        assert 0.3 < best.similarity <= 1.0
        assert best.score > result.passages[1].score
        assert result.coverage == 1.0
        assert result.vector.shape == (384,)


async def test_a_changed_file_is_found_by_its_new_text_alone(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        folder.write("deploy.md", "# Deploys\n\nReleases go out on Fridays. A robot does it.")
        report = await base.refresh()
        assert counts(report) == (0, 1, 0, 2)
        result = await base.search("when do releases go out", scopes=EVERYONE)
        assert "Fridays" in result.passages[0].text
        assert not any("Tuesdays" in passage.text for passage in result.passages)


async def test_only_the_changed_chunks_of_a_file_are_embedded_again(place: Place, folder: Folder) -> None:
    sections = [f"## Part {n}\n\n" + f"Chapter {n} speaks of matter {n} at length. " * 12 for n in range(8)]
    folder.write("long.md", "# Long\n\n" + "\n\n".join(sections))
    async with place.open(folder.source()) as base:
        before = only(await base.refresh()).chunks
        assert before >= 11
        sections[3] += "One more sentence."
        folder.write("long.md", "# Long\n\n" + "\n\n".join(sections))
        assert only(await base.refresh()).chunks == 1


async def test_the_chunks_of_many_documents_are_written_in_one_statement(place: Place, folder: Folder) -> None:
    for number in range(40):
        folder.write(f"rooms/{number}.md", f"# Room {number}\n\nRoom {number} holds {number + 3} people and one lamp.")
    inserts: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO knowledge_chunks "):
            inserts.append(statement)

    sa.event.listen(place.engine.sync_engine, "before_cursor_execute", note)
    async with place.open(folder.source()) as base:
        assert only(await base.refresh()).added == 43
        assert len(inserts) == 1
        for number in (0, 17, 39):  # each key belongs to its own text
            assert (await found(base, f"how many people does room {number} hold?"))[0] == f"Room {number}"


async def test_a_deleted_file_vanishes_from_answers(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        assert "Vacation" in await found(base, "how many days of leave")
        (folder.path / "vacation.md").unlink()
        assert counts(await base.refresh()) == (0, 0, 1, 2)
        assert "Vacation" not in await found(base, "how many days of leave")
    assert await count(place, documents) == await count(place, chunks) == await count(place, embeddings) == 2


async def test_a_file_that_was_only_touched_embeds_nothing(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        os.utime(folder.path / "deploy.md")
        assert only(await base.refresh()).chunks == 0
        assert counts(await base.refresh()) == (0, 0, 0, 3)


async def test_a_renamed_file_is_one_document(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        (folder.path / "deploy.md").rename(folder.path / "releases.md")
        assert counts(await base.refresh()) == (1, 0, 1, 2)
        assert (await found(base, "release captain")).count("Deploys") == 1


async def test_the_same_text_in_two_files_is_embedded_for_both(place: Place, folder: Folder) -> None:
    folder.write("a/same.txt", "one text")
    folder.write("b/same.txt", "one text")
    async with place.open(folder.source()) as base:
        assert counts(await base.refresh()) == (5, 0, 0, 0)
        (folder.path / "a" / "same.txt").unlink()
        await base.refresh()
        assert "same" in await found(base, "one text")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("broken.pdf", b"%PDF-1.4 nothing", "is a broken PDF"),
        ("huge.txt", None, "has 200 MB"),
        ("program.txt", b"\x7fELF\0\0\0\0", "holds binary data"),
        ("slides.pptx", b"nothing", "is a broken .pptx file"),
    ],
)
async def test_one_broken_file_is_named_and_stops_nothing(
    place: Place, folder: Folder, name: str, data: bytes | None, words: str
) -> None:
    path = folder.write(name, data or b"")
    if data is None:
        os.truncate(path, 200_000_000)
    async with place.open(folder.source()) as base:
        for _ in range(2):
            report = await base.refresh()
            ((source, problem),) = report.problems
            assert (source, problem.path) == ("docs", name)
            assert words in problem.sentence
            (status,) = await base.status()
            assert status.problems == (problem,)
            assert await found(base, "release captain")
        folder.write(name.rpartition(".")[0] + ".md", "# Mended\n\nnow it reads well")
        path.unlink()
        assert (await base.refresh()).problems == ()
        assert "Mended" in await found(base, "reads well")


async def test_a_file_that_breaks_is_searched_no_more_until_it_is_mended(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        folder.write("deploy.md", b"\0\0\0\0")
        assert counts(await base.refresh()) == (0, 0, 1, 2)
        assert "Deploys" not in await found(base, "release captain")
        folder.write("deploy.md", "# Deploys\n\nThe release captain is back.")
        assert counts(await base.refresh()) == (1, 0, 0, 2)
        assert (await found(base, "release captain"))[0] == "Deploys"


async def test_an_empty_file_is_no_problem_and_has_nothing_to_find(place: Place, folder: Folder) -> None:
    folder.write("empty.md", "")
    async with place.open(folder.source()) as base:
        assert (await base.refresh()).problems == ()
        assert counts(await base.refresh()) == (0, 0, 0, 4)


async def test_text_with_nul_and_odd_characters_reaches_the_database(place: Place, folder: Folder) -> None:
    folder.write("odd.md", "# Odd\n\n" + "words " * 3000 + "nul \x00 bell \x07 emoji 🎉 cut \xed\xa0\x80 end")
    folder.write("latin.txt", "Größe".encode("cp1252"))
    async with place.open(folder.source()) as base:
        assert (await base.refresh()).problems == ()
        assert "latin" in await found(base, "Größe")


async def test_a_folder_that_goes_missing_is_named_and_what_it_held_is_kept(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        shutil.move(folder.path, folder.path.with_name("elsewhere"))
        report = await base.refresh()
        ((_, problem),) = report.problems
        assert problem.path == ""
        assert "does not exist" in problem.sentence
        assert (await base.status())[0].problems == (problem,)
        assert "Deploys" in await found(base, "release captain")
        shutil.move(folder.path.with_name("elsewhere"), folder.path)
        assert (await base.refresh()).problems == ()


async def test_a_source_that_is_taken_out_is_not_found_and_then_forgotten(place: Place, folder: Folder) -> None:
    other = folder.source("other")
    async with place.open(folder.source(), other) as base:
        await base.refresh()
        assert await count(place, documents) == 6
        base.set_sources([other])
        result = await base.search("release captain", scopes=EVERYONE)
        assert {passage.source for passage in result.passages} == {"other"}
        await base.refresh()
        assert await count(place, documents) == 3


async def test_a_refresh_of_one_source_leaves_the_others(place: Place, folder: Folder, tmp_path: Path) -> None:
    second = FolderSource("second", tmp_path / "second")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "a.md").write_text("# Second\n\nother words")
    async with place.open(folder.source(), second) as base:
        assert only(await base.refresh(["second"])).source == "second"
        assert [status.documents for status in await base.status()] == [0, 1]
        with pytest.raises(UnknownSource, match=r"“third”\. The sources are: docs, second"):
            await base.refresh(["third"])


async def test_progress_is_told_up_to_the_last_document(sqlite_place: Place, folder: Folder) -> None:
    for number in range(150):
        folder.write(f"page{number}.md", f"# Page {number}\n\nwords of page {number}")
    folder.write("broken.pdf", b"no")
    told: list[RefreshProgress] = []
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh(progress=told.append)
    assert len(told) > 2
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert told[-1] == RefreshProgress("docs", 154, 154, 153)


class WaitingSource:
    """A folder whose reading waits until the test lets it go on."""

    kind = "folder"

    def __init__(self, inner: FolderSource) -> None:
        self.name = inner.name
        self._inner = inner
        self.reading = asyncio.Event()
        self.go_on = asyncio.Event()

    async def listings(self, past: Past) -> AsyncIterator[Listed]:
        async for listing in self._inner.listings(past):
            yield listing

    async def read(self, listing: Listing) -> Reading:
        self.reading.set()
        await self.go_on.wait()
        return await self._inner.read(listing)

    async def close(self) -> None:
        """Holds nothing."""


async def test_a_second_refresh_waits_for_the_first(place: Place, folder: Folder) -> None:
    source = WaitingSource(folder.source())
    async with place.open(source) as base:
        first = asyncio.create_task(base.refresh())
        await asyncio.wait_for(source.reading.wait(), 10)
        assert base.is_refreshing
        second = asyncio.create_task(base.refresh())
        assert await found(base, "release captain") == []
        assert not second.done()
        source.go_on.set()
        assert counts(await first) == (3, 0, 0, 0)
        assert counts(await second) == (0, 0, 0, 3)


async def test_a_refresh_that_is_cancelled_leaves_what_it_wrote_and_the_next_one_goes_on(
    place: Place, folder: Folder
) -> None:
    source = WaitingSource(folder.source())
    async with place.open(source) as base:
        refreshing = asyncio.create_task(base.refresh())
        await asyncio.wait_for(source.reading.wait(), 10)
        refreshing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await refreshing
        source.go_on.set()
        assert counts(await base.refresh()) == (3, 0, 0, 0)


async def test_closing_stops_a_refresh_and_the_next_one_goes_on(place: Place, folder: Folder) -> None:
    source = WaitingSource(folder.source())
    async with place.open(source) as base:
        refreshing = asyncio.create_task(base.refresh())
        await asyncio.wait_for(source.reading.wait(), 10)
        closing = asyncio.create_task(base.close())
        await asyncio.wait_for(base._closing.wait(), 10)
        source.go_on.set()
        with pytest.raises(RefreshStopped, match="the next one goes on from there"):
            await refreshing
        await closing
    async with place.open(source) as base:
        assert counts(await base.refresh()) == (3, 0, 0, 0)


async def test_a_cancellation_never_leaves_the_indexes_behind_the_database(
    place: Place, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge.index import VectorIndex

    writing, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    add = VectorIndex.add

    def slowly(self: VectorIndex, keys: Sequence[int], vectors: Vector) -> None:
        loop.call_soon_threadsafe(writing.set)
        go_on.wait(10)
        add(self, keys, vectors)

    monkeypatch.setattr(VectorIndex, "add", slowly)
    with structlog.testing.capture_logs() as lines:
        async with place.open(folder.source()) as base:
            refreshing = asyncio.create_task(base.refresh())
            await asyncio.wait_for(writing.wait(), 10)
            refreshing.cancel()
            go_on.set()
            with pytest.raises(asyncio.CancelledError):
                await refreshing
            lexical = base._serving.indexes.lexical
            assert lexical.search(lexical.wording("E4711", ()), None, 5)
        async with place.open(folder.source()) as base:
            assert counts(await base.refresh()) == (0, 0, 0, 3)
            lexical = base._serving.indexes.lexical
            assert lexical.search(lexical.wording("E4711", ()), None, 5)
            assert (await found(base, "E4711"))[0] == "On call"
    assert lines == []


class SurprisingSource(WaitingSource):
    """A source with a mistake of its own in one document."""

    async def read(self, listing: Listing) -> Reading:
        if listing.path == "deploy.md":
            raise ZeroDivisionError("a mistake")
        return await self._inner.read(listing)


async def test_a_mistake_in_reading_one_document_is_named_and_stops_nothing(place: Place, folder: Folder) -> None:
    async with place.open(SurprisingSource(folder.source())) as base:
        report = await base.refresh()
        assert counts(report) == (2, 0, 0, 0)
        ((_, problem),) = report.problems
        assert problem.sentence == "deploy.md could not be read (ZeroDivisionError); the log says where."


async def test_the_event_loop_goes_on_while_a_file_is_parsed_and_split(
    sqlite_place: Place, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge.chunking import Chunker

    threads: set[int] = set()
    split = Chunker.split

    def noted(self: Chunker, title: str, content: Content) -> object:
        threads.add(threading.get_ident())
        return split(self, title, content)

    monkeypatch.setattr(Chunker, "split", noted)
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh()
    assert threads
    assert threading.get_ident() not in threads
