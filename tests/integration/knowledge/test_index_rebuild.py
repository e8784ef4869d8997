from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa
import structlog
from structlog.typing import EventDict

from knowledge.embedding.minilm import MiniLM
from knowledge.errors import IndexBroken, KnowledgeInUse
from knowledge.filters import Reach
from knowledge.index import FolderHome, VectorIndex
from knowledge.knowledge_base import KnowledgeBase
from knowledge.lexical import LexicalIndex
from knowledge.retrieval import nearest_readable
from knowledge.schema import chunks
from knowledge.trial import tried

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Folder, Place

EVERYONE = frozenset({"everyone"})


async def assert_both_indexes_answer(base: KnowledgeBase) -> None:
    """Words and meaning each find the page on their own, once both are whole."""
    await base.mended()
    assert base.troubles == {}
    indexes = base._serving.indexes
    vector = await base.embedder.embed_query("E4711 queue")
    (best,) = indexes.vectors.nearest(vector, 1)
    assert [key for key, _ in indexes.lexical.search(indexes.lexical.wording("E4711", ()), None, 5)] == [best]
    result = await base.search("E4711", scopes=EVERYONE)
    assert result.passages[0].title == "On call"


def rebuilt(lines: list[EventDict]) -> list[str]:
    return [str(line["index"]) for line in lines if line["event"] == "knowledge.index_rebuilt"]


async def filled(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()


def damage(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "stamp.json":
            path.write_bytes(b"garbage " * 64)


def cut(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "stamp.json":
            os.truncate(path, path.stat().st_size // 2)


def empty(folder: Path) -> None:
    shutil.rmtree(folder)


def restamped(folder: Path, **changed: object) -> None:
    stamp = json.loads((folder / "stamp.json").read_text())
    (folder / "stamp.json").write_text(json.dumps(stamp | changed))


def ahead(folder: Path) -> None:
    """As where the database was restored from yesterday."""
    restamped(folder, number=10_000)


def of_another_model(folder: Path) -> None:
    restamped(folder, model="another")


def damaged_and_killed(folder: Path) -> None:
    damage(folder)
    restamped(folder, files="")


@pytest.mark.parametrize("break_it", [damage, cut, empty, ahead, of_another_model, damaged_and_killed])
async def test_indexes_that_cannot_be_used_are_rebuilt_from_sql_with_a_line_that_says_so(
    sqlite_place: Place, folder: Folder, break_it: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(sqlite_place, folder)
    (indexes,) = (sqlite_place.data_dir / "indexes").iterdir()
    for name in ("vectors", "lexical"):
        break_it(indexes / name)

    async def refuse(*_: object) -> None:
        raise AssertionError("a rebuild needs no embedding")

    with structlog.testing.capture_logs() as lines:
        async with sqlite_place.open(folder.source()) as base:
            await assert_both_indexes_answer(base)
            monkeypatch.setattr(MiniLM, "embed_closely", refuse)
            report = await base.refresh()
            assert report.sources[0].unchanged == 3
    assert sorted(rebuilt(lines)) == ["lexical index", "vector index"]
    with structlog.testing.capture_logs() as lines:
        async with sqlite_place.open(folder.source()) as base:
            assert base.troubles == {}
            await assert_both_indexes_answer(base)
    assert lines == []


async def test_what_a_killed_process_left_is_tried_out_and_brought_in_step_without_a_rebuild(
    place: Place, folder: Folder
) -> None:
    await filled(place, folder)
    (indexes,) = (place.data_dir / "indexes").iterdir()
    before = place.data_dir.with_name("before")
    shutil.copytree(indexes, before)
    async with place.open(folder.source()) as base:
        folder.write("deploy.md", "# Deploys\n\nA robot presses the button, says E4712.")
        (folder.path / "vacation.md").unlink()
        await base.refresh()
    shutil.rmtree(indexes)
    before.rename(indexes)  # the indexes know nothing of the second refresh
    for name in ("vectors", "lexical"):
        restamped(indexes / name, files="")
    with structlog.testing.capture_logs() as lines:
        async with place.open(folder.source()) as base:
            assert set(base.troubles) == {"vector index", "lexical index"}
            assert (await base.search("when does the pager rotate", scopes=EVERYONE)).passages[0].title == "On call"
            await assert_both_indexes_answer(base)
            assert await base.check(closely=True) == {}
            assert (await base.search("E4712", scopes=EVERYONE)).passages[0].title == "Deploys"
    events = [(line["event"], line["index"]) for line in lines]
    assert sorted(events) == [("knowledge.index_recovered", f"{name} index") for name in ("lexical", "vector")]


async def test_an_index_that_takes_its_process_down_is_rebuilt_and_takes_down_no_start(
    sqlite_place: Place, tmp_path: Path
) -> None:
    vectors = np.random.default_rng(1).standard_normal((1500, 16)).astype(np.float32)
    home = FolderHome(tmp_path / "vectors")
    index = VectorIndex(home, 16)
    place = index.recreate()
    index.add(range(1500), vectors)
    index.close()
    (graph,) = home.folder.rglob("data_level0.bin")
    nodes = np.frombuffer(graph.read_bytes(), np.uint8).reshape(1500, -1).copy()
    nodes[:, 4:132] = 255  # a count, 32 neighbours, the vector, a label: neighbours far outside of the memory
    assert tried("vectors", home.folder, place, 16)[0] == 1500
    graph.write_bytes(nodes.tobytes())
    with structlog.testing.capture_logs() as lines, pytest.raises(IndexBroken, match="took down the process"):
        tried("vectors", home.folder, place, 16)
    assert [(line["event"], line["signal"]) for line in lines] == [("knowledge.index_crashed", "SIGSEGV")]


async def test_both_indexes_are_rebuilt_on_either_database_when_the_folder_is_lost(
    place: Place, folder: Folder
) -> None:
    await filled(place, folder)
    shutil.rmtree(place.data_dir)
    with structlog.testing.capture_logs() as lines:
        async with place.open(folder.source()) as base:
            await assert_both_indexes_answer(base)
    assert sorted(rebuilt(lines)) == ["lexical index", "vector index"]


async def test_an_index_that_fails_in_a_search_is_named_replaced_by_exact_search_and_rebuilt(
    sqlite_place: Place, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.retrieval._EXACT_ROWS", 0)
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh()
        base._serving.indexes.vectors.close()
        with structlog.testing.capture_logs() as lines:
            result = await base.search("release captain", scopes=EVERYONE)
            assert result.passages[0].title == "Deploys"
            await base.search("release captain", scopes=EVERYONE)
        assert [line["event"] for line in lines].count("knowledge.index_failed") == 1
        await assert_both_indexes_answer(base)


async def test_a_check_finds_what_an_index_lacks_and_has_it_mended(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        indexes = base._serving.indexes
        (key, *_) = indexes.snapshot.keys.tolist()
        await asyncio.to_thread(indexes.vectors.remove, [key])
        await asyncio.to_thread(indexes.lexical.remove, [key])
        await asyncio.to_thread(indexes.lexical.commit)
        assert set(await base.check()) == {"vector index", "lexical index"}
        await assert_both_indexes_answer(base)
        assert await base.check(closely=True) == {}
        indexes.table.remove([key])
        assert await base.check() == {}
        assert indexes.table.holds[0] == 3
        # Somebody wrote past the program.
        async with place.engine.begin() as connection:
            await connection.execute(sa.delete(chunks).where(chunks.c.key == key))
        await base.check(closely=True)
        await base.mended()
        assert await base.check(closely=True) == {}
        assert indexes.table.holds[0] == 2


async def test_a_rebuild_without_room_is_tried_again(
    sqlite_place: Place, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.tended.AGAIN", (0.01,))
    tries: list[str] = []
    recreate = LexicalIndex.recreate

    def no_room(self: LexicalIndex) -> str:
        tries.append("one")
        if len(tries) < 3:
            raise OSError(28, "No space left on device")
        return recreate(self)

    await filled(sqlite_place, folder)
    shutil.rmtree(sqlite_place.data_dir / "indexes")
    monkeypatch.setattr(LexicalIndex, "recreate", no_room)
    with structlog.testing.capture_logs() as lines:
        async with sqlite_place.open(folder.source()) as base:
            assert (await base.search("release captain", scopes=EVERYONE)).passages[0].title == "Deploys"
            await assert_both_indexes_answer(base)
    failed = [line["problem"] for line in lines if line["event"] == "knowledge.rebuild_failed"]
    assert failed == ["[Errno 28] No space left on device"] * 2


async def test_the_broad_way_and_the_exact_way_agree(
    sqlite_place: Place, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(120):
        folder.write(f"{number}.md", f"# Page {number}\n\nTopic {number % 7}, matter {number}.")
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh()
        vector = await base.embedder.embed_query("topic 3")
        snapshot = base._serving.indexes.snapshot
        mask = snapshot.readable(Reach(EVERYONE, frozenset({"docs"})))
        exact = nearest_readable(base._serving.indexes, snapshot, vector, mask, 50)
        monkeypatch.setattr("knowledge.retrieval._EXACT_ROWS", 0)
        assert np.array_equal(nearest_readable(base._serving.indexes, snapshot, vector, mask, 50)[:10], exact[:10])


async def test_a_second_process_on_the_folder_is_told_so(sqlite_place: Place, folder: Folder) -> None:
    async with sqlite_place.open(folder.source()):
        with pytest.raises(KnowledgeInUse, match="Another process uses the knowledge"):
            async with sqlite_place.open(folder.source()):
                pass
    await filled(sqlite_place, folder)


async def test_another_embedding_model_reads_everything_again_and_compares_no_vectors_of_two(
    place: Place, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(place, folder)
    monkeypatch.setattr(MiniLM, "name", "all-MiniLM-L6-v2/another build")
    with structlog.testing.capture_logs() as lines:
        async with place.open(folder.source()) as base:
            assert (await base.search("E4711", scopes=EVERYONE)).passages == ()
            assert (await base.refresh()).sources[0].chunks == 3
            await assert_both_indexes_answer(base)
    assert ("knowledge.model_changed", 3) in {(line["event"], line.get("documents")) for line in lines}
