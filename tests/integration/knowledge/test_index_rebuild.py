from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import structlog
from structlog.typing import EventDict

from knowledge.embedding.minilm import MiniLM
from knowledge.errors import KnowledgeInUse
from knowledge.filters import Reach
from knowledge.knowledge_base import KnowledgeBase
from knowledge.retrieval import nearest_readable

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Folder, Place

EVERYONE = frozenset({"everyone"})


async def assert_both_indexes_answer(base: KnowledgeBase) -> None:
    """Words and meaning each find the page on their own."""
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


def empty(folder: Path) -> None:
    shutil.rmtree(folder)


def unsealed(folder: Path) -> None:
    """As a process leaves it that is killed while it writes."""
    (folder / "stamp.json").unlink()


def behind(folder: Path) -> None:
    stamp = json.loads((folder / "stamp.json").read_text())
    (folder / "stamp.json").write_text(json.dumps({**stamp, "count": 1, "sum": 1, "greatest": 1}))


def of_another_model(folder: Path) -> None:
    stamp = json.loads((folder / "stamp.json").read_text())
    (folder / "stamp.json").write_text(json.dumps({**stamp, "model": "another"}))


@pytest.mark.parametrize("break_it", [damage, empty, unsealed, behind, of_another_model])
@pytest.mark.parametrize(("name", "index"), [("vectors", "vector index"), ("lexical", "lexical index")])
async def test_an_index_that_cannot_be_used_is_rebuilt_from_sql_with_a_line_that_says_so(
    sqlite_place: Place, folder: Folder, name: str, index: str, break_it: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(sqlite_place, folder)
    assert callable(break_it)
    (indexes,) = (sqlite_place.data_dir / "indexes").iterdir()
    break_it(indexes / name)

    async def refuse(*_: object) -> None:
        raise AssertionError("a rebuild needs no embedding")

    with structlog.testing.capture_logs() as lines:
        async with sqlite_place.open(folder.source()) as base:
            await assert_both_indexes_answer(base)
            monkeypatch.setattr(MiniLM, "embed_closely", refuse)
            report = await base.refresh()
            assert report.sources[0].unchanged == 3
    assert rebuilt(lines) == [index]
    with structlog.testing.capture_logs() as lines:
        async with sqlite_place.open(folder.source()) as base:
            await assert_both_indexes_answer(base)
    assert rebuilt(lines) == []


async def test_both_indexes_are_rebuilt_on_either_database_when_the_folder_is_lost(
    place: Place, folder: Folder
) -> None:
    await filled(place, folder)
    shutil.rmtree(place.data_dir)
    with structlog.testing.capture_logs() as lines:
        async with place.open(folder.source()) as base:
            await assert_both_indexes_answer(base)
    assert rebuilt(lines) == ["vector index", "lexical index"]


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
        assert [line["event"] for line in lines] == ["knowledge.index_failed"]
        await base.refresh()
        await assert_both_indexes_answer(base)


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
