from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from knowledge.errors import InvalidScope
from knowledge.filters import Reach
from knowledge.indexes import Indexes
from knowledge.knowledge_base import KnowledgeBase
from knowledge.records import IndexedChunk, Written
from knowledge.retrieval import CANDIDATES, nearest_readable
from knowledge.sources.folder import FolderSource

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Folder, Place

PUBLIC = frozenset({"everyone"})


async def titles(base: KnowledgeBase, scopes: set[str], question: str = "what is the secret plan") -> set[str]:
    return {passage.title for passage in (await base.search(question, scopes=frozenset(scopes))).passages}


@pytest.fixture
def three_sources(tmp_path: Path) -> list[FolderSource]:
    """The same words, for everyone, for a channel, and for a person with a channel."""
    readers = {"open": {"everyone"}, "team": {"channel:C1"}, "ours": {"channel:C2", "user:U1"}}
    for name in readers:
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.md").write_text(f"# Plan of {name}\n\nThe secret plan is {name}.")
    return [FolderSource(name, tmp_path / name, frozenset(who)) for name, who in readers.items()]


@pytest.mark.parametrize(
    ("scopes", "seen"),
    [
        ({"everyone"}, {"open"}),
        ({"everyone", "channel:C1"}, {"open", "team"}),
        ({"channel:C1"}, {"team"}),
        ({"everyone", "user:U1"}, {"open", "ours"}),
        ({"everyone", "channel:C2", "channel:C1"}, {"open", "team", "ours"}),
        ({"user:U2"}, set()),
        (set(), set()),
    ],
)
async def test_an_audience_finds_what_it_may_read_and_nothing_else(
    place: Place, three_sources: list[FolderSource], scopes: set[str], seen: set[str]
) -> None:
    async with place.open(*three_sources) as base:
        await base.refresh()
        assert await titles(base, scopes) == {f"Plan of {name}" for name in seen}


async def test_new_readers_hold_after_a_refresh_without_embedding_anything(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        assert await titles(base, {"everyone"}, "release captain")
        base.set_sources([folder.source(readers=frozenset({"channel:C1"}))])
        report = await base.refresh()
        assert report.sources[0].chunks == 0
        assert await titles(base, {"everyone"}, "release captain") == set()
        assert "Deploys" in await titles(base, {"channel:C1"}, "release captain")
    async with place.open(folder.source(readers=frozenset({"channel:C1"}))) as base:
        assert await titles(base, {"everyone"}, "release captain") == set()
        assert "Deploys" in await titles(base, {"channel:C1"}, "release captain")


async def test_readers_and_text_that_change_together_both_hold(place: Place, folder: Folder) -> None:
    async with place.open(folder.source()) as base:
        await base.refresh()
        folder.write("deploy.md", "# Deploys\n\nThe release captain is a robot now.")
        base.set_sources([folder.source(readers=frozenset({"user:U1"}))])
        await base.refresh()
        assert await titles(base, {"everyone"}, "release captain") == set()
        assert "Deploys" in await titles(base, {"user:U1"}, "release captain")


async def test_an_audience_of_words_that_are_no_scopes_is_refused(sqlite_place: Place, folder: Folder) -> None:
    async with sqlite_place.open(folder.source()) as base:
        with pytest.raises(InvalidScope):
            await base.search("anything", scopes=frozenset({"#general"}))


@pytest.mark.parametrize("text", ["", "   \n", "\x00"])
async def test_a_question_without_words_finds_nothing_or_something_but_never_fails(
    sqlite_place: Place, folder: Folder, text: str
) -> None:
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh()
        result = await base.search(text, scopes=PUBLIC)
        assert np.isfinite(result.vector).all()


@pytest.mark.parametrize(
    "text",
    ["👍🎉", "Где лежит пароль?", "パスワードはどこですか", 'AND OR NOT "*:* (~', "x" * 40_000, "word " * 8_000],
)
async def test_any_text_can_be_asked(sqlite_place: Place, folder: Folder, text: str) -> None:
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh()
        result = await base.search(text, scopes=PUBLIC, k=2)
        assert len(result.passages) <= 2
        assert 0 <= result.coverage <= 1
        assert 0 <= result.agreement <= 1


async def test_searches_during_a_refresh_never_see_half_a_document(sqlite_place: Place, folder: Folder) -> None:
    def write(edition: int) -> None:
        words = f"edition{edition} of the handbook speaks of lamps. " * 12
        folder.write("book.md", "# Book\n\n" + "\n\n".join(f"## Part {n}\n\n{words}" for n in range(12)))

    async with sqlite_place.open(folder.source()) as base:
        write(0)
        await base.refresh()
        for edition in range(1, 4):
            write(edition)
            refreshing = asyncio.create_task(base.refresh())
            while not refreshing.done():
                result = await base.search("handbook of lamps", scopes=PUBLIC, k=12)
                seen = {p.text.partition("edition")[2][:1] for p in result.passages if p.title == "Book"}
                assert len(seen) <= 1
            await refreshing
        result = await base.search("handbook of lamps", scopes=PUBLIC, k=12)
        assert {p.text.partition("edition")[2][:1] for p in result.passages if p.title == "Book"} == {"3"}


async def test_search_with_any_readers_finds_what_sorting_all_readable_vectors_finds(sqlite_place: Place) -> None:
    """Readers of one chunk in a thousand up to all of them, over 8,000 clustered vectors."""
    random = np.random.default_rng(11)
    centres = random.standard_normal((40, 384))
    vectors = (centres[random.integers(0, 40, 8_000)] + 0.7 * random.standard_normal((8_000, 384))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = (0.001, 0.01, 0.05, 0.2, 0.6, 1.0)
    draws = random.random(8_000)
    readers = [frozenset(f"channel:C{n}" for n, share in enumerate(shares) if draw < share) for draw in draws]
    chunks = [IndexedChunk(key, "docs", who, "a.md", (), "words") for key, who in enumerate(readers, 1)]
    async with sqlite_place.open() as base:
        indexes: Indexes = base._serving.indexes
        await indexes.apply(Written(chunks, vectors, []))
        snapshot = indexes.snapshot
        hits = dict.fromkeys(shares, 0)
        for _ in range(40):
            question = vectors[random.integers(0, 8_000)] + 0.5 * random.standard_normal(384).astype(np.float32) / 20
            for n, share in enumerate(shares):
                scope = f"channel:C{n}"
                mask = snapshot.readable(Reach(frozenset({scope}), frozenset({"docs"})))
                got = snapshot.keys[nearest_readable(indexes, snapshot, question, mask, CANDIDATES)].tolist()
                assert all(scope in readers[key - 1] for key in got)
                assert len(got) == min(CANDIDATES, int(mask.sum()))
                rows = np.flatnonzero(mask)
                true = set((rows[np.argsort(-(vectors[rows] @ question))[:10]] + 1).tolist())
                hits[share] += len(true & set(got[:10])) * 10 // len(true)
        assert indexes.is_usable(indexes.vectors)
    assert all(hits[share] == 400 for share in shares)
