"""A hosted source that fails while it is read: what is known stays, and the next refresh goes on from there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from knowledge.access import PUBLIC
from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.knowledge_base import KnowledgeBase
from knowledge.sources.hosted import HostedSource, Item, Page
from knowledge.sources.parsers.markdown import parse_text

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Place


class Wiki:
    """A service with pages; after `left` of them were read, its token has expired."""

    def __init__(self, **pages: str) -> None:
        self.pages = pages
        self.left = 1000
        self.read: list[str] = []

    def items(self, since: datetime | None) -> Iterator[Item]:
        for name, text in self.pages.items():
            yield Item(name, str(len(text)), f"https://wiki.example/{name}", name)

    def page(self, handle: str) -> Page | None:
        if len(self.read) >= self.left:
            raise PermissionError("the token secret-token has expired")
        self.read.append(handle)
        return Page(handle, parse_text(self.pages[handle]), None, None)

    def explain(self, error: Exception) -> SourceUnavailable | DocumentUnreachable | None:
        is_ours = isinstance(error, PermissionError)
        return SourceUnavailable("The wiki does not accept the token in WIKI_TOKEN.") if is_ours else None

    def close(self) -> None:
        pass


async def paths(base: KnowledgeBase, text: str) -> set[str]:
    return {passage.path for passage in (await base.search(text, scopes=PUBLIC)).passages}


async def test_a_token_that_expires_in_the_middle_keeps_what_is_known_and_the_next_refresh_goes_on(
    sqlite_place: Place,
) -> None:
    wiki = Wiki(**{f"page{n}": f"Robots of kind {n} are oiled on day {n}." for n in range(12)})
    source = HostedSource("wiki", "confluence", PUBLIC, wiki)
    async with sqlite_place.open(source) as base:
        await base.refresh()
        assert len(await paths(base, "when are robots oiled")) >= 6
        wiki.pages = {name: f"{text} And polished on Fridays." for name, text in wiki.pages.items()}
        wiki.read.clear()
        wiki.left = 5
        (report,) = (await base.refresh()).sources
        assert [problem.sentence for problem in report.problems] == [
            "The wiki does not accept the token in WIKI_TOKEN."
        ]
        (status,) = await base.status()
        assert status.documents == 12
        assert "secret-token" not in str(status)
        wiki.left = 1000
        (report,) = (await base.refresh()).sources
        assert report.problems == ()
        found = await base.search("polished on Fridays", scopes=PUBLIC, k=12)
        assert len({passage.path for passage in found.passages if "polished" in passage.text}) >= 6
    await source.close()
