from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from yarl import URL

from knowledge.sources.base import Source
from knowledge.sources.feed import FeedSource
from knowledge.sources.http import Manners
from knowledge.sources.web.scope import Scope
from knowledge.sources.web.source import WebSource

if TYPE_CHECKING:
    from tests.integration.knowledge.conftest import Place
    from tests.integration.knowledge.web.conftest import Site

EVERYONE = frozenset({"everyone"})
S = TypeVar("S", bound=Source)
QUICK = Manners(pause=0.0, backoff=0.001, tries=2)


@asynccontextmanager
async def closing(source: S) -> AsyncIterator[S]:
    """The source, closed in the end."""
    try:
        yield source
    finally:
        await source.close()


def fill(site: Site) -> None:
    site.page("/", "Welcome to the handbook. It says how this team works together.", "/oncall", "/leave")
    site.page("/oncall", "On call. The pager rotates every Monday. Error code E4711 means that the queue is full.")
    site.page("/leave", "Leave. Everyone has thirty days of leave a year. Ask your lead two weeks before you go.")


def web(site: Site, folder: Path, readers: frozenset[str] = EVERYONE) -> WebSource:
    return WebSource("handbook", Scope(URL(str(site.url))), folder / "cache", readers, manners=QUICK)


async def test_a_site_is_found_by_its_words_with_the_links_of_its_pages(
    sqlite_place: Place, site: Site, tmp_path: Path
) -> None:
    fill(site)
    async with closing(web(site, tmp_path)) as source, sqlite_place.open(source) as base:
        first = (await base.refresh()).sources[0]
        assert (first.seen, first.added, first.problems) == (3, 3, ())
        passage = (await base.search("what does E4711 mean?", scopes=EVERYONE)).passages[0]
        assert (passage.title, passage.url) == ("On call", str(site.url / "oncall"))
        again = (await base.refresh()).sources[0]
        assert (again.added, again.changed, again.removed, again.unchanged, again.chunks) == (0, 0, 0, 3, 0)
        site.page("/leave", "Leave. Everyone has forty days of leave a year. Ask your lead two weeks before you go.")
        site.send("/oncall", b"", 403)
        changed = (await base.refresh()).sources[0]
        assert (changed.changed, changed.removed) == (1, 1)
        assert [problem.path for problem in changed.problems] == ["/oncall"]
        texts = [passage.text for passage in (await base.search("E4711 leave", scopes=EVERYONE)).passages]
        assert any("forty days" in text for text in texts)
        assert not any("E4711" in text for text in texts)


async def test_a_site_that_is_down_is_told_and_still_answers(sqlite_place: Place, site: Site, tmp_path: Path) -> None:
    fill(site)
    async with closing(web(site, tmp_path)) as source, sqlite_place.open(source) as base:
        await base.refresh()
        site.send("/robots.txt", b"", 503)
        report = (await base.refresh()).sources[0]
        assert [problem.path for problem in report.problems] == [""]
        assert "robots.txt cannot be read: it answers 503" in report.problems[0].sentence
        found = await base.search("what does E4711 mean?", scopes=EVERYONE)
        assert found.passages[0].title == "On call"


@pytest.mark.parametrize("scopes", [frozenset({"everyone"}), frozenset({"everyone", "user:U2"})])
async def test_a_private_site_is_found_by_its_readers_alone(
    sqlite_place: Place, site: Site, tmp_path: Path, scopes: frozenset[str]
) -> None:
    fill(site)
    source = web(site, tmp_path, frozenset({"user:U1"}))
    async with closing(source), sqlite_place.open(source) as base:
        await base.refresh()
        assert (await base.search("E4711", scopes=frozenset({"user:U1"}))).passages
        assert (await base.search("E4711", scopes=scopes)).passages == ()


async def test_entries_of_a_feed_stay_found_after_they_left_it(sqlite_place: Place, site: Site, tmp_path: Path) -> None:
    def publish(*numbers: int) -> None:
        items = "".join(
            f"<item><title>Release {n}</title><link>/r/{n}</link>"
            f"<description>Release {n} repairs bug B{n}.</description></item>"
            for n in numbers
        )
        site.send("/feed", f'<rss version="2.0"><channel>{items}</channel></rss>'.encode())

    publish(4711, 4712)
    source = FeedSource("releases", f"{site.url}feed", tmp_path / "cache", manners=QUICK)
    async with closing(source), sqlite_place.open(source) as base:
        assert (await base.refresh()).sources[0].added == 2
        publish(4712, 4713)
        report = (await base.refresh()).sources[0]
        assert (report.added, report.removed) == (1, 0)
        site.forget_requests()
        await base.refresh()
        assert site.sent == [("/feed", 304)]
        passage = (await base.search("which release repairs B4711?", scopes=EVERYONE)).passages[0]
        assert (passage.title, passage.url) == ("Release 4711", f"{site.url}r/4711")
