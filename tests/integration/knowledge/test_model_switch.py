"""Another embedding model: filled beside the one that answers, switched to when it is whole, paid for once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from words_embedder import WordsEmbedder

from knowledge.access import PUBLIC
from knowledge.documents import Vector
from knowledge.embedding.base import Embedder
from knowledge.errors import EmbeddingUnavailable, RefreshStopped
from knowledge.knowledge_base import KnowledgeBase, open_knowledge
from knowledge.sources.base import Source

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Folder, Place


@asynccontextmanager
async def opened(place: Place, source: Source, embedders: Sequence[Embedder]) -> AsyncIterator[KnowledgeBase]:
    base = await open_knowledge(
        engine=place.engine,
        data_dir=place.data_dir,
        embedder=embedders[0],
        others=lambda: embedders[1:],
        sources=[source],
    )
    try:
        yield base
    finally:
        await base.close()


async def first(base: KnowledgeBase, text: str) -> str:
    found = await base.search(text, scopes=PUBLIC)
    return found.passages[0].path


async def test_the_old_model_answers_until_the_new_one_knows_everything(place: Place, folder: Folder) -> None:
    old, new = WordsEmbedder("old"), WordsEmbedder("new", 64)
    async with opened(place, folder.source(), [old]) as base:
        await base.refresh()
    new.gate.clear()
    async with opened(place, folder.source(), [new, WordsEmbedder("old")]) as base:
        assert (base.embedder.name, base.next_model) == ("old", "new")
        switching = asyncio.create_task(base.switch_model())
        await asyncio.wait_for(new.asked.wait(), 10)
        assert await first(base, "pager rotates monday") == "oncall/pager.md"
        # What comes in meanwhile is found at once, and is known to the new model too.
        folder.write("new.md", "# Parking\n\nBicycles are parked in the yard.")
        await base.refresh()
        assert await first(base, "bicycles parked yard") == "new.md"
        new.gate.set()
        assert await switching
        assert (base.embedder.name, base.next_model) == ("new", None)
        assert len(new.embedded) == 4
        assert await first(base, "bicycles parked yard") == "new.md"
        assert await first(base, "releases tuesdays captain") == "deploy.md"
        assert not await base.switch_model()
    again = WordsEmbedder("new", 64)
    async with opened(place, folder.source(), [again, WordsEmbedder("old")]) as base:
        assert base.next_model is None
        assert (await base.refresh()).sources[0].unchanged == 4
        assert again.embedded == []


async def test_the_old_model_s_vectors_and_folder_are_gone_after_the_switch(place: Place, folder: Folder) -> None:
    async with opened(place, folder.source(), [WordsEmbedder("old")]) as base:
        await base.refresh()
    async with opened(place, folder.source(), [WordsEmbedder("new"), WordsEmbedder("old")]) as base:
        await base.switch_model()
        assert await base._kept.models() == {"new"}
    assert len(list((place.data_dir / "indexes").iterdir())) == 1


async def test_a_model_that_fails_in_the_middle_changes_nothing_and_is_not_paid_twice(
    sqlite_place: Place, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.reembedding._AT_ONCE", 1)
    async with opened(sqlite_place, folder.source(), [WordsEmbedder("old")]) as base:
        await base.refresh()
    new = WordsEmbedder("new")
    embed = new.embed

    async def embed_twice(texts: Sequence[str]) -> Vector:
        if len(new.embedded) == 2:
            raise EmbeddingUnavailable("The endpoint is down.")
        return await embed(texts)

    monkeypatch.setattr(new, "embed", embed_twice)
    async with opened(sqlite_place, folder.source(), [new, WordsEmbedder("old")]) as base:
        with pytest.raises(EmbeddingUnavailable):
            await base.switch_model()
        assert base.embedder.name == "old"
        assert await first(base, "pager rotates monday") == "oncall/pager.md"
    rest = WordsEmbedder("new")
    async with opened(sqlite_place, folder.source(), [rest, WordsEmbedder("old")]) as base:
        assert await base.switch_model()
        assert len(rest.embedded) == 1


async def test_closing_stops_a_switch_and_the_next_start_goes_on(sqlite_place: Place, folder: Folder) -> None:
    async with opened(sqlite_place, folder.source(), [WordsEmbedder("old")]) as base:
        await base.refresh()
    new = WordsEmbedder("new")
    new.gate.clear()
    async with opened(sqlite_place, folder.source(), [new, WordsEmbedder("old")]) as base:
        switching = asyncio.create_task(base.switch_model())
        await asyncio.wait_for(new.asked.wait(), 10)
        base._closing.set()
        new.gate.set()
        await asyncio.gather(switching, return_exceptions=True)
        assert switching.exception() is None or isinstance(switching.exception(), RefreshStopped)
    assert new.is_closed
