from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledge.filters import Filters
from knowledge.knowledge_base import KnowledgeBase
from knowledge.sources.folder import FolderSource

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Folder, Place

PUBLIC = frozenset({"everyone"})
LAMPS = "The lamp in the corridor is changed by the janitor as soon as somebody tells the desk that it went dark."


def page(title: str, text: str, **front: object) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in front.items())
    return f"---\n{lines}---\n\n# {title}\n\n{text}\n"


@pytest.fixture
def pages(folder: Folder, tmp_path: Path) -> list[FolderSource]:
    """One matter told in two sources, two languages, at two times."""
    folder.write("lamp.md", page("Lamps", LAMPS, tags="[light, house]", date="2024-03-01"))
    folder.write("dim.md", page("Dimmers", "A dimmer makes a lamp darker.", tags="[light]", date="2026-03-01"))
    german = "Der Hausmeister wechselt die Lampe im Flur, sobald jemand sagt, dass sie nicht mehr leuchtet."
    folder.write("lampe.md", page("Lampen", german, date="2026-03-01"))
    other = tmp_path / "wiki"
    other.mkdir()
    (other / "lamp.md").write_text(page("Light", f"{LAMPS} Ask Ada.", date="2020-01-01"))
    return [folder.source(), FolderSource("wiki", other, frozenset({"channel:C1"}))]


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        (Filters(sources=frozenset({"wiki"})), {"Light"}),
        (Filters(sources=frozenset({"docs"}), tags=frozenset({"light"})), {"Lamps", "Dimmers"}),
        (Filters(tags=frozenset({"house", "garden"})), {"Lamps"}),
        (Filters(languages=frozenset({"de"})), {"Lampen"}),
        (Filters(updated_after=datetime(2025, 1, 1, tzinfo=UTC), tags=frozenset({"light"})), {"Dimmers"}),
        (Filters(sources=frozenset({"nowhere"})), set()),
    ],
)
async def test_a_search_is_narrowed_to_what_was_asked_for(
    place: Place, pages: list[FolderSource], filters: Filters, titles: set[str]
) -> None:
    async with place.open(*pages) as base:
        await base.refresh()
        result = await base.search("lamp", scopes=PUBLIC | {"channel:C1"}, k=10, filters=filters)
        assert {passage.title for passage in result.passages} == titles


async def test_a_german_question_finds_the_german_page_in_another_form_of_its_words(
    sqlite_place: Place, pages: list[FolderSource]
) -> None:
    async with sqlite_place.open(*pages) as base:
        await base.refresh()
        result = await base.search("Wer wechselt die Lampen in den Fluren?", scopes=PUBLIC)
        assert result.passages[0].title == "Lampen"
        assert result.passages[0].lexical > 0.5


async def test_a_mistyped_word_is_found_as_what_it_means_and_counts_as_covered(
    sqlite_place: Place, folder: Folder
) -> None:
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh()
        result = await base.search("vacatoin", scopes=PUBLIC, k=1)
        assert result.passages[0].title == "Vacation"
        assert result.coverage == 1.0


async def copies(base: KnowledgeBase, scopes: frozenset[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    found = await base.search("who changes the lamp in the corridor", scopes=scopes, k=1)
    return [(one.source, [(other.source, other.path) for other in one.also]) for one in found.passages]


async def test_the_same_text_is_shown_once_with_its_other_homes_that_may_be_read(
    place: Place, folder: Folder, tmp_path: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    for path in (folder.path / "a.md", folder.path / "b.md", closed / "c.md"):
        path.write_text(f"# Lamps\n\n{LAMPS}\n")
    async with place.open(folder.source(), FolderSource("closed", closed, frozenset({"channel:C1"}))) as base:
        await base.refresh()
        assert await copies(base, PUBLIC) == [("docs", [("docs", "b.md")])]
        assert await copies(base, frozenset({"channel:C1"})) == [("closed", [])]
        ((source, also),) = await copies(base, PUBLIC | {"channel:C1"})
        assert {(source, "a.md"), *also} == {("docs", "a.md"), ("docs", "b.md"), ("closed", "c.md")}


async def test_a_hundred_chunks_are_given_where_a_hundred_are_wanted(sqlite_place: Place, folder: Folder) -> None:
    for number in range(130):
        folder.write(f"{number}.md", f"# Room {number}\n\nRoom {number} has {number % 9} lamps and a door.")
    async with sqlite_place.open(folder.source()) as base:
        await base.refresh()
        result = await base.search("which room has lamps", scopes=PUBLIC, k=100, joined=False)
        assert len({passage.chunk_id for passage in result.passages}) == 100
        assert [passage.score for passage in result.passages] == sorted(
            (passage.score for passage in result.passages), reverse=True
        )
