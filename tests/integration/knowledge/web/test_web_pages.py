from __future__ import annotations

import gzip
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledge.sources.http import Manners, PoliteClient
from knowledge.sources.web.crawl import Limits

if TYPE_CHECKING:
    from tests.integration.knowledge.web.conftest import OpenWeb, Shelf, Site

ONCALL = "The pager rotates every Monday at nine in the morning. Whoever holds it answers within five minutes."
DEPLOY = "Releases go out on Tuesdays at ten. The release captain presses the green button and stays around."
LEAVE = "Everyone has thirty days of leave a year. Ask your lead two weeks before you go on a longer holiday."


def fill(site: Site) -> None:
    site.page(
        "/", "Welcome to the handbook of our team. It says how we work.", "/oncall", "deploy/", "https://example.org/"
    )
    site.page("/oncall", ONCALL, "/")
    site.page("/deploy/", DEPLOY, "leave")
    site.page("/deploy/leave", LEAVE)


async def test_pages_that_are_linked_below_the_start_are_read_and_no_others(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    site.page(
        "/docs/", "Start of the documentation. It leads on.", "a", "../private", "/docs-old/b", "a#part", "/docs/c?x=1"
    )
    for path in ("/docs/a", "/private", "/docs-old/b", "/docs/c?x=1"):
        site.page(path, f"The words of {path} are here. They are its own.")
    await shelf.refresh(open_web("/docs/"))
    assert sorted(shelf.readings) == ["/docs/", "/docs/a", "/docs/c?x=1"]
    assert shelf.problems == {}
    assert shelf.listings["/docs/a"].url == str(site.url / "docs/a")
    assert site.count("/docs/a") == 1
    assert site.count("/private") == site.count("/docs-old/b") == 0


async def test_a_page_carries_its_title_author_date_and_tags_without_what_stands_around_it(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    head = (
        "<title>On call — Handbook</title><meta name=author content='Maya Lindqvist'>"
        "<meta property='article:modified_time' content='2026-03-04T10:00:00Z'>"
        "<meta name=keywords content='pager, alerts'>"
    )
    body = f"""<html><head>{head}</head><body><nav><a href=/a>Home</a> <a href=/b>Everything else</a></nav>
        <main><article><h1>On call</h1><p>{ONCALL}</p><h2>Codes</h2>
        <table><tr><th>Code</th><th>Meaning</th></tr><tr><td>E4711</td><td>the queue is full</td></tr></table>
        <pre><code>kubectl drain node-1 \\
    --force</code></pre><ol><li>Acknowledge<ul><li>quickly</li></ul></li></ol></article></main>
        <script>var tracker = 1</script><footer>© 2026 Example. Privacy policy</footer></body></html>"""
    site.send("/", body.encode(), headers={"Content-Type": "text/html"})
    await shelf.refresh(open_web())
    reading = shelf.readings["/"]
    assert (reading.title, reading.author) == ("On call", "Maya Lindqvist")
    assert reading.updated == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert reading.tags == {"pager", "alerts"}
    text = shelf.text("/")
    assert ONCALL in text
    assert "| E4711 | the queue is full |" in text
    assert "kubectl drain node-1 \\\n    --force" in text
    assert "1. Acknowledge\n    - quickly" in text
    assert not any(word in text for word in ("Everything else", "tracker", "Privacy"))


async def test_an_unchanged_page_costs_one_conditional_request(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    await shelf.refresh(open_web())
    assert sorted(shelf.read) == ["/", "/deploy/", "/deploy/leave", "/oncall"]
    site.forget_requests()
    await shelf.refresh(open_web())
    assert shelf.read == []
    assert sorted(path for path, status in site.sent if status == 304) == ["/", "/deploy/", "/deploy/leave", "/oncall"]
    assert sorted(site.asked[3:]) == ["/", "/deploy/", "/deploy/leave", "/oncall"]  # robots, sitemap and probe before
    assert sorted(shelf.readings) == ["/", "/deploy/", "/deploy/leave", "/oncall"]


async def test_only_a_changed_page_is_read_again_and_one_that_went_is_dropped(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    fill(site)
    await shelf.refresh(open_web())
    site.page("/oncall", "The pager rotates every Friday now. Nothing else has changed in this text.")
    del site.pages["/deploy/leave"]
    await shelf.refresh(open_web())
    assert shelf.read == ["/oncall"]
    assert "Friday" in shelf.text("/oncall")
    assert shelf.gone == ["/deploy/leave"]
    assert sorted(shelf.readings) == ["/", "/deploy/", "/oncall"]
    assert shelf.problems == {}


async def test_a_page_that_differs_by_markup_alone_is_not_read_again(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    site.page("/", ONCALL, head="<meta name=nonce content=1>")
    await shelf.refresh(open_web())
    site.page("/", ONCALL, head="<meta name=nonce content=2>")
    await shelf.refresh(open_web())
    assert shelf.read == []
    assert sorted(shelf.readings) == ["/"]


async def test_a_page_that_nothing_leads_to_any_more_is_dropped(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    await shelf.refresh(open_web())
    site.page("/deploy/", DEPLOY)
    await shelf.refresh(open_web())
    assert "/deploy/leave" not in shelf.readings


async def test_without_its_cache_a_refresh_asks_for_everything_and_reads_nothing_twice(
    site: Site, open_web: OpenWeb, shelf: Shelf, tmp_path: Path
) -> None:
    fill(site)
    await shelf.refresh(open_web())
    shutil.rmtree(tmp_path / "cache")
    await shelf.refresh(open_web())
    assert shelf.read == []
    assert len(shelf.readings) == 4


async def test_a_damaged_cache_is_begun_anew(site: Site, open_web: OpenWeb, shelf: Shelf, tmp_path: Path) -> None:
    fill(site)
    await shelf.refresh(open_web())
    (tmp_path / "cache" / "visits.sqlite3").write_bytes(b"no database at all" * 1000)
    await shelf.refresh(open_web())
    assert (shelf.unavailable, shelf.read, len(shelf.readings)) == ("", [], 4)


async def test_sitemaps_are_followed_through_an_index_and_unpacked(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    site.send("/robots.txt", f"Sitemap: {site.url}maps/index.xml\n".encode())
    inner = f"<sitemap><loc>{site.url}maps/pages.xml.gz</loc></sitemap>"
    site.send("/maps/index.xml", f'<?xml version="1.0"?><sitemapindex {space}>{inner}</sitemapindex>'.encode())
    named = f"<url><loc>{site.url}oncall</loc></url><url><loc>{site.url}gone</loc></url><url><loc>http://example.org/x</loc></url>"
    site.send("/maps/pages.xml.gz", gzip.compress(f"<urlset {space}>{named}</urlset>".encode()))
    site.send("/sitemap.xml", f"<urlset><url><loc>{site.url}deploy?utm_source=mail</loc></url></urlset>".encode())
    site.page("/oncall", ONCALL)
    site.page("/deploy", DEPLOY)
    await shelf.refresh(open_web())  # there is no page at the start
    assert sorted(shelf.readings) == ["/deploy", "/oncall"]
    assert shelf.problems == {}
    assert site.count("/gone") == 1


async def test_what_robots_txt_forbids_is_not_asked_for(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    site.send("/robots.txt", b"User-agent: *\nDisallow: /deploy/\n\nUser-agent: Switchboard\nDisallow: /oncall\n")
    await shelf.refresh(open_web())
    assert site.count("/oncall") == 0
    assert sorted(shelf.readings) == ["/", "/deploy/", "/deploy/leave"]
    assert all(request.headers["User-Agent"].startswith("Switchboard/") for request in site.requests)


async def test_the_longer_of_the_two_pauses_wins(
    site: Site, open_web: OpenWeb, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(PoliteClient, "pause", lambda client, url, seconds: pauses.append(seconds))
    fill(site)
    site.send("/robots.txt", b"User-agent: *\nCrawl-delay: 0.01\n")
    for pause in (0.0, 0.02):
        await shelf.refresh(open_web(manners=Manners(pause=pause), limits=Limits(pages=1)), stop_after=0)
    assert pauses == [0.01, 0.02]


async def test_a_page_that_robots_txt_forbids_later_is_dropped(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    await shelf.refresh(open_web())
    site.send("/robots.txt", b"\xef\xbb\xbfUser-agent: *\nDisallow: /oncall\n")
    await shelf.refresh(open_web())
    assert sorted(shelf.readings) == ["/", "/deploy/", "/deploy/leave"]


async def test_noindex_keeps_a_page_out_and_nofollow_its_links(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    site.page("/", "Welcome to the handbook. It says how we work here.", "/meta", "/header", "/nofollow")
    site.page(
        "/meta", "A list of other pages. Not to be indexed itself.", "/a", head="<meta name=robots content='noindex'>"
    )
    site.page("/header", "Another list of pages. Not to be indexed either.", "/b", X_Robots_Tag="noindex")
    site.page(
        "/nofollow", "Indexed, but its links lead nowhere. So it wants.", "/c", X_Robots_Tag="switchboard: nofollow"
    )
    for path, text in (("/a", ONCALL), ("/b", DEPLOY), ("/c", LEAVE)):
        site.page(path, text)
    for _ in range(2):  # the second time from what was remembered
        await shelf.refresh(open_web())
        assert sorted(shelf.readings) == ["/", "/a", "/b", "/nofollow"]
    site.page("/a", ONCALL, head="<meta name=robots content='none'>")
    await shelf.refresh(open_web())
    assert "/a" not in shelf.readings


async def test_addresses_of_one_page_are_one_document(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    site.page(
        "/",
        "Welcome to the handbook. It says how we work here.",
        "/print/oncall",
        "/oncall?utm_source=x#top",
        "/same",
        "/old",
    )
    site.page("/oncall", ONCALL, head="<link rel=canonical href=/oncall>")
    site.page("/print/oncall", ONCALL + " Printed.", head="<link rel=canonical href=/oncall>")
    site.page("/same", ONCALL)
    site.redirect("/old", "/oncall")
    for _ in range(2):
        await shelf.refresh(open_web())
        assert sorted(shelf.readings) == ["/", "/oncall"]
    assert shelf.problems == {}
    assert site.count("/oncall?utm_source=x") == 0


async def test_a_page_whose_own_address_leads_nowhere_stands_for_itself(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    site.page("/", "Welcome to the handbook. It says how we work here.", "/a", "/b", "/c")
    site.page("/a", ONCALL, head="<link rel=canonical href=/missing>")
    site.page("/b", DEPLOY, head="<link rel=canonical href=/c>")
    site.page("/c", LEAVE, head="<link rel=canonical href=/b>")
    await shelf.refresh(open_web())
    assert "/a" in shelf.readings
    assert len({"/b", "/c"} & shelf.readings.keys()) == 1


async def test_a_page_that_sends_its_reader_on_is_an_alias(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    site.page("/", "Redirecting to another page.", head="<meta http-equiv=refresh content='0; url=oncall'>")
    site.page("/oncall", ONCALL)
    await shelf.refresh(open_web())
    assert sorted(shelf.readings) == ["/oncall"]


async def test_files_that_a_parser_reads_are_read_too(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    files = ("/a.csv", "/b.md", "/c.pdf", "/d.png", "/e.js", "/download")
    site.page("/", "Welcome to the handbook. It has files to download.", *files)
    site.send("/a.csv", b"code,meaning\nE4711,queue full\n", headers={"Content-Type": "text/csv"})
    site.send("/b.md", b"# Pager\n\nIt rings.", headers={"Content-Type": "text/plain"})
    site.send("/c.pdf", b"%PDF-1.4 broken", headers={"Content-Type": "application/pdf"})
    site.send("/d.png", b"\x89PNG", headers={"Content-Type": "image/png"})
    site.send("/e.js", b"var x", headers={"Content-Type": "text/javascript"})
    site.send(
        "/download",
        b"just words",
        headers={"Content-Type": "text/plain", "Last-Modified": "Sat, 03 Jan 2026 10:00:00 GMT"},
    )
    for _ in range(2):
        await shelf.refresh(open_web())
        assert sorted(shelf.readings) == ["/", "/a.csv", "/b.md", "/download"]
        assert list(shelf.problems) == ["/c.pdf"]
        assert "is a broken PDF" in shelf.problems["/c.pdf"]
    assert site.count("/d.png") == 0
    assert shelf.titles["/b.md"] == "Pager"
    assert "| E4711 | queue full |" in shelf.text("/a.csv")
    assert shelf.readings["/download"].updated == datetime(2026, 1, 3, 10, tzinfo=UTC)


async def test_a_calendar_without_end_meets_the_limits_and_they_are_named(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    for day in range(60):
        site.page(
            f"/day?n={day}", f"What happens on day {day} of the calendar. Not much, it seems.", f"/day?n={day + 1}"
        )
    site.page("/", "Welcome to the calendar. It has no end at all.", "/day?n=0")
    await shelf.refresh(open_web(limits=Limits(depth=5, pages=2_000)))
    assert len(shelf.readings) == 6
    assert "1 addresses lie more than 5 links from the start and were not read; raise `depth`" in shelf.problems[""]
    await shelf.refresh(open_web(limits=Limits(depth=100, pages=10)))
    assert len(shelf.readings) == 10
    assert "The limit of 10 pages was reached, and 1 more addresses were seen" in shelf.problems[""]


async def test_a_killed_refresh_is_gone_on_with_and_nothing_is_asked_for_or_read_twice(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    fill(site)
    await shelf.refresh(open_web(), stop_after=2)
    read_before = list(shelf.read)
    asked_before = [path for path in site.asked if path in ("/", "/oncall", "/deploy/")]
    site.forget_requests()
    await shelf.refresh(open_web())
    assert sorted([*read_before, *shelf.read]) == ["/", "/deploy/", "/deploy/leave", "/oncall"]
    assert not set(asked_before) & set(site.asked)
    assert len(shelf.readings) == 4


async def test_a_page_that_was_fetched_but_not_written_when_the_program_was_killed_is_read_after_all(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    fill(site)
    await shelf.refresh(open_web())
    shelf.listings.clear()
    shelf.readings.clear()
    await shelf.refresh(open_web())  # the site answers 304, and the text is missing here
    assert len(shelf.readings) == 4
    assert ONCALL in shelf.text("/oncall")
