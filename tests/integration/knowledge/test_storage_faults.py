from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import structlog
import warm
from killed_refresh import refresh_until_a_batch_is_written, refresh_until_statement

from bot.storage.engine import open_engine
from knowledge.errors import StorageFull, StoreUnavailable
from knowledge.folder_lock import FolderLock
from knowledge.schema import chunks, documents, embeddings

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Folder, Place

EVERYONE = frozenset({"everyone"})


def write_pages(folder: Folder, count: int) -> None:
    for number in range(count):
        folder.write(f"{number:03}.md", f"# Page {number}\n\n" + f"Matter {number} of many words. " * 3)


async def test_a_refresh_that_is_killed_is_completed_by_the_next_one_and_nothing_is_doubled(
    sqlite_place: Place, folder: Folder
) -> None:
    write_pages(folder, 200)
    assert await killed(refresh_until_a_batch_is_written, sqlite_place, folder)
    with structlog.testing.capture_logs() as lines:
        async with sqlite_place.open(folder.source()) as base:
            report = (await base.refresh()).sources[0]
            assert report.added + report.unchanged == 203
            assert 0 < report.unchanged < 203
            result = await base.search("matter 17", scopes=EVERYONE, k=3)
            assert "Page 17" in {passage.title for passage in result.passages}
            async with sqlite_place.engine.connect() as connection:
                counts = [
                    (await connection.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
                    for table in (documents, chunks, embeddings)
                ]
            assert counts[0] == 203
            assert counts[1] == counts[2] == len(base._serving.indexes.table.snapshot.keys)
            assert (await base.refresh()).sources[0].unchanged == 203
            await base.mended()
            assert await base.check(closely=True) == {}
    assert {"knowledge.index_recovered", "knowledge.index_rebuilt"} & {line["event"] for line in lines}


@pytest.mark.parametrize("seed", range(2))
async def test_a_refresh_that_is_killed_before_any_statement_is_completed_and_nothing_is_doubled(
    place: Place, folder: Folder, seed: int
) -> None:
    write_pages(folder, 267)
    chance = random.Random(seed)
    deaths = 0
    for statement in sorted(chance.sample(range(8, 50), 3), reverse=True):
        deaths += await killed(refresh_until_statement, place, folder, statement)
        # What stood there has changed meanwhile, as it does in life.
        folder.write(f"{chance.randrange(267):03}.md", f"# Page new\n\nWritten before statement {statement}.")
        folder.write(f"added {statement}.md", f"# Added\n\nAdded before statement {statement}.")
    assert deaths > 1
    async with place.open(folder.source()) as base:
        await base.refresh()
        async with place.engine.connect() as connection:
            every = (await connection.execute(sa.select(chunks))).all()
            paths = (await connection.execute(sa.select(documents.c.path))).scalars().all()
            vectors = (await connection.execute(sa.select(sa.func.count()).select_from(embeddings))).scalar_one()
        assert len(paths) == 273
        assert len({(row.document_id, row.position) for row in every}) == len(every)
        assert vectors == len({row.digest for row in every})
        snapshot = base._serving.indexes.table.snapshot
        assert {row.key for row in every} == set(snapshot.keys[snapshot.alive].tolist())
        assert (await base.refresh()).sources[0].unchanged == 273
        result = await base.search("Page new written before statement", scopes=EVERYONE)
        assert "Page new" in {passage.title for passage in result.passages}


async def killed(refresh: Callable[..., None], place: Place, folder: Folder, *arguments: int) -> bool:
    """Whether a process that refreshed was killed before it came to an end."""
    url = place.engine.url.render_as_string(hide_password=False)
    places = (url, place.data_dir, place.models_dir, folder.path)
    return (await asyncio.to_thread(warm.ended, refresh, *places, *arguments)).status == -signal.SIGKILL


async def test_a_full_disk_is_named_and_what_was_written_before_stays(sqlite_place: Place, folder: Folder) -> None:
    write_pages(folder, 20)
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh()
    full = open_engine(sqlite_place.engine.url.render_as_string(hide_password=False))

    # SQLite's own limit ends in the same error as a disk without room.
    @sa.event.listens_for(full.sync_engine, "connect")
    def limit(connection: sa.engine.interfaces.DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]  # type: ignore[index]
        cursor.execute(f"PRAGMA max_page_count={pages}")
        cursor.close()

    write_pages(folder, 400)
    place = type(sqlite_place)(full, sqlite_place.data_dir, sqlite_place.models_dir)
    async with place.open(folder.source()) as base:
        with pytest.raises(StorageFull, match=r"no room left.*make room and refresh again"):
            await base.refresh()
        result = await base.search("matter 7", scopes=EVERYONE)
        assert "Page 7" in {passage.title for passage in result.passages}
    await full.dispose()
    async with sqlite_place.open(folder.source()) as base:
        assert (await base.refresh()).sources[0].seen == 403
        result = await base.search("page 333", scopes=EVERYONE)
        assert "Page 333" in {passage.title for passage in result.passages}


async def test_an_index_without_room_does_not_stop_a_refresh_and_is_rebuilt(
    sqlite_place: Place, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from knowledge.stamp import StampFile

    async with sqlite_place.open(folder.source()) as base:
        with monkeypatch.context() as patch, structlog.testing.capture_logs() as lines:

            def no_room(*_: object) -> None:
                raise OSError(28, "No space left on device")

            patch.setattr(StampFile, "set", no_room)
            assert (await base.refresh()).sources[0].added == 3
        assert [line["problem"] for line in lines] == ["[Errno 28] No space left on device"] * 2
        await base.refresh()
        assert (await base.search("E4711", scopes=EVERYONE)).passages[0].title == "On call"


async def test_a_database_without_the_tables_is_named(tmp_path: Path, sqlite_place: Place, folder: Folder) -> None:
    async with sqlite_place.open(folder.source()) as base:
        async with sqlite_place.engine.begin() as connection:
            await connection.execute(sa.text("DROP TABLE knowledge_sources"))
        with pytest.raises(StoreUnavailable, match="no such table"):
            await base.ping()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageFull, match="cannot be written"):
        FolderLock(tmp_path / "file" / "data")
