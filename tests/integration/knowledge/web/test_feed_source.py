from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from knowledge.errors import DocumentUnreachable
from knowledge.sources.feed import FeedSource
from knowledge.sources.http import Manners

if TYPE_CHECKING:
    from tests.integration.knowledge.web.conftest import Shelf, Site

OpenFeed = Callable[..., FeedSource]


@pytest.fixture
async def open_feed(site: Site, tmp_path: Path) -> AsyncIterator[OpenFeed]:
    """Opens the feed of the site as a source; several times, as a program that is started again."""
    opened: list[FeedSource] = []

    def open_source(path: str = "feed", days: int = 365, headers: Mapping[str, str] | None = None) -> FeedSource:
        manners = Manners(pause=0.0, backoff=0.001, tries=2)
        address = f"{site.url}{path}"
        opened.append(FeedSource("news", address, tmp_path / "cache", days=days, headers=headers, manners=manners))
        return opened[-1]

    yield open_source
    for source in opened:
        await source.close()


def entry(number: int, text: str = "", more: str = "") -> str:
    words = text or f"<p>Entry {number} says what happened.</p>"
    return (
        f"<item><title>News {number}</title><link>/news/{number}</link><guid>https://ex.org/news/{number}</guid>"
        f"<pubDate>Sat, 03 Jan 2026 10:00:00 +0100</pubDate>{more}<description><![CDATA[{words}]]></description></item>"
    )


def publish(site: Site, *entries: str, path: str = "/feed") -> None:
    rss = f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>{"".join(entries)}</channel></rss>'
    site.send(path, rss.encode(), headers={"Content-Type": "application/rss+xml"})


async def test_each_entry_is_a_document_with_its_link_author_date_and_text(
    site: Site, open_feed: OpenFeed, shelf: Shelf
) -> None:
    text = (
        "<p>The <b>new</b> pager is here.</p><script>x()</script><pre>pagerctl ack\n  --all</pre><ul><li>one</li></ul>"
    )
    more = "<author>maya@example.org (Maya)</author><category>ops</category>"
    publish(site, entry(1, text, more))
    await shelf.refresh(open_feed())
    (path,) = shelf.readings
    reading = shelf.readings[path]
    assert path == "ex.org/news/1"
    assert shelf.listings[path].url == f"{site.url}news/1"
    assert reading.title == "News 1"
    assert reading.tags == {"ops"}
    assert "Maya" in (reading.author or "")
    assert reading.updated == datetime(2026, 1, 3, 9, tzinfo=UTC)
    assert shelf.text(path) == "The new pager is here.\n\n```\npagerctl ack\n  --all\n```\n\n- one"


async def test_atom_is_read_too_with_titles_as_plain_words(site: Site, open_feed: OpenFeed, shelf: Shelf) -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><author><name>Jo</name></author>
        <entry><id>urn:a:1</id><title type="html">A &lt;b&gt;bold&lt;/b&gt; step</title><link href="javascript:x()"/>
        <updated>2026-01-03T10:00:00Z</updated><content type="text">One *thing*.

Another thing.</content></entry><entry><id>urn:a:2</id><title>Only a title</title></entry><entry/></feed>"""
    site.send("/feed", atom.encode(), headers={"Content-Type": "application/atom+xml"})
    await shelf.refresh(open_feed())
    assert shelf.titles == {"urn:a:1": "A bold step", "urn:a:2": "Only a title"}
    assert shelf.text("urn:a:1") == "One *thing*.\n\nAnother thing."
    assert shelf.listings["urn:a:1"].url is None
    assert shelf.readings["urn:a:1"].author == "Jo"


async def test_an_unchanged_feed_costs_one_conditional_request(site: Site, open_feed: OpenFeed, shelf: Shelf) -> None:
    publish(site, entry(1), entry(2))
    await shelf.refresh(open_feed())
    site.forget_requests()
    await shelf.refresh(open_feed())
    assert site.sent == [("/feed", 304)]
    assert (shelf.read, len(shelf.readings)) == ([], 2)


async def test_only_new_and_changed_entries_are_read_and_those_that_left_the_feed_stay(
    site: Site, open_feed: OpenFeed, shelf: Shelf
) -> None:
    publish(site, entry(1), entry(2), entry(3))
    await shelf.refresh(open_feed())
    publish(site, entry(2, "<p>Corrected.</p>"), entry(3), entry(4))
    await shelf.refresh(open_feed())
    assert shelf.read == ["ex.org/news/2", "ex.org/news/4"]
    assert sorted(shelf.readings) == [f"ex.org/news/{number}" for number in (1, 2, 3, 4)]


async def test_an_entry_that_left_the_feed_goes_after_its_days_and_one_that_is_in_it_stays(
    site: Site, open_feed: OpenFeed, shelf: Shelf
) -> None:
    publish(site, entry(1), entry(2))
    await shelf.refresh(open_feed(days=30))
    publish(site, entry(2))
    await shelf.refresh(open_feed(days=30))
    today = shelf.state or ""
    for days, stay in ((30, ["ex.org/news/1", "ex.org/news/2"]), (31, ["ex.org/news/2"])):
        state = json.loads(today)
        state["left"] = {path: day - days for path, day in state["left"].items()}
        shelf.state = json.dumps(state)
        await shelf.refresh(open_feed(days=30))  # the feed has not changed, and its entries are in it still
        assert site.sent[-1] == ("/feed", 304)
        assert sorted(shelf.readings) == stay
    assert shelf.gone == ["ex.org/news/1"]


async def test_entries_that_are_known_outlive_a_lost_state_and_a_lost_cache(
    site: Site, open_feed: OpenFeed, shelf: Shelf, tmp_path: Path
) -> None:
    publish(site, entry(1), entry(2))
    await shelf.refresh(open_feed())
    publish(site, entry(2))
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    for broken in (None, "no json"):
        shelf.state = broken
        await shelf.refresh(open_feed())
        assert (shelf.read, len(shelf.readings)) == ([], 2)


async def test_an_entry_whose_file_vanished_is_fetched_again(
    site: Site, open_feed: OpenFeed, shelf: Shelf, tmp_path: Path
) -> None:
    publish(site, entry(1), entry(2))
    source = open_feed()
    await shelf.refresh(source)
    listing = shelf.listings["ex.org/news/1"]
    assert (await source.read(listing)).title == "News 1"
    publish(site, entry(2))
    with pytest.raises(DocumentUnreachable, match=r"ex\.org/news/1 left the feed"):
        await source.read(listing)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (
            b"<html><body>a page</body></html>",
            200,
            "is no feed that can be read. Name the address of an RSS or Atom feed",
        ),
        (b"", 200, "is no feed"),
        (b"\x00\x01garbage", 200, "is no feed"),
        (b"gone", 404, "There is no feed at"),
        (b"private", 401, "may not be read (401). Name a valid secret by token_env"),
        (b"sorry", 503, "it answers 503 (2 tries). What is known is kept"),
    ],
)
async def test_what_is_no_feed_is_told_and_what_is_known_is_kept(
    site: Site, open_feed: OpenFeed, shelf: Shelf, body: bytes, status: int, sentence: str
) -> None:
    publish(site, entry(1))
    await shelf.refresh(open_feed("feed?token=s3cret"))
    site.pages["/feed?token=s3cret"] = site.pages["/feed"]
    await shelf.refresh(open_feed("feed?token=s3cret"))
    site.send("/feed?token=s3cret", body, status, {"Content-Type": "text/html"})
    await shelf.refresh(open_feed("feed?token=s3cret"))
    assert sentence in shelf.unavailable
    assert "s3cret" not in shelf.unavailable
    assert len(shelf.readings) == 1


async def test_entities_that_multiply_are_not_expanded(site: Site, open_feed: OpenFeed, shelf: Shelf) -> None:
    names = "abcdefghi"
    entities = '<!ENTITY a "lollollollol">' + "".join(
        f'<!ENTITY {name} "{f"&{names[at]};" * 10}">' for at, name in enumerate(names[1:])
    )
    items = f"<item><title>&i;</title><guid>x</guid></item>{entry(1)}"
    bomb = f'<?xml version="1.0"?><!DOCTYPE l [{entities}]><rss version="2.0"><channel>{items}</channel></rss>'
    site.send("/feed", bomb.encode(), headers={"Content-Type": "application/rss+xml"})
    await shelf.refresh(open_feed())
    assert sum(len(shelf.text(path)) for path in shelf.readings) < 10_000


async def test_a_feed_that_is_cut_off_gives_what_it_holds(site: Site, open_feed: OpenFeed, shelf: Shelf) -> None:
    site.send("/feed", f'<rss version="2.0"><channel>{entry(1)}<item><title>cut'.encode())
    await shelf.refresh(open_feed())
    assert "ex.org/news/1" in shelf.readings


async def test_a_redirect_is_followed_but_not_into_the_machine_and_without_the_token(
    site: Site, other_site: Site, open_feed: OpenFeed, shelf: Shelf
) -> None:
    publish(site, entry(1), path="/moved")
    site.redirect("/feed", "/moved")
    await shelf.refresh(open_feed(headers={"Authorization": "Bearer s3cret"}))
    assert len(shelf.readings) == 1
    assert [request.headers.get("Authorization") for request in site.requests] == ["Bearer s3cret"] * 2
    publish(other_site, entry(2))
    for target in (
        f"{other_site.url}feed",
        f"http://localhost:{other_site.url.port}/feed",
        "http://[::1]:1/",
        "ftp://x/",
    ):
        site.redirect("/feed", target)
        await shelf.refresh(open_feed(headers={"Authorization": "Bearer s3cret"}))
        assert "leads to a private address" in shelf.unavailable or "is no web address" in shelf.unavailable
    assert other_site.asked == []


async def test_a_feed_that_redirects_for_ever_is_told(site: Site, open_feed: OpenFeed, shelf: Shelf) -> None:
    site.redirect("/feed", "/feed")
    await shelf.refresh(open_feed())
    assert "/feed redirects for ever" in shelf.unavailable


async def test_a_feed_above_the_limit_is_given_up(site: Site, open_feed: OpenFeed, shelf: Shelf) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(b"<item>" * 10_000)
        return response

    site.pages["/feed"] = endless
    await shelf.refresh(open_feed())
    assert "has more than 10.0 MB" in shelf.unavailable
