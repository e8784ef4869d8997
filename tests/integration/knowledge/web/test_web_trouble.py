from __future__ import annotations

import asyncio
import gzip
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from knowledge.sources.http import Manners
from knowledge.sources.web.crawl import Limits

if TYPE_CHECKING:
    from tests.integration.knowledge.web.conftest import OpenWeb, Shelf, Site

HOME = "Welcome to the handbook of our team. It says how we work."
PAGES = {f"/p{n}": f"Page {n} is about matter {n} at length. It says that {n} times {n} is {n * n}." for n in range(9)}


def fill(site: Site) -> None:
    site.page("/", HOME, *PAGES)
    for path, text in PAGES.items():
        site.page(path, text)


async def test_a_site_that_is_not_there_keeps_what_is_known(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    await shelf.refresh(open_web())
    site.pages["/robots.txt"] = site.pages.pop("/")
    site.send("/robots.txt", b"", 503)
    await shelf.refresh(open_web())
    assert "robots.txt cannot be read: it answers 503 (2 tries)" in shelf.unavailable
    assert "what is known is kept" in shelf.unavailable
    assert len(shelf.readings) == 10


async def test_nobody_at_the_address_is_told_in_words(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    await shelf.refresh(open_web("http://127.0.0.1:9/"))
    assert "http://127.0.0.1:9/robots.txt cannot be read: nothing answers there (2 tries)." in shelf.unavailable
    await shelf.refresh(open_web("http://no-such-host.invalid/"))
    assert "the name no-such-host.invalid is not known" in shelf.unavailable


@pytest.mark.parametrize(
    ("robots", "sentence"),
    [
        (b"User-agent: *\nDisallow: /\n", "Ask its owner to allow the user agent “Switchboard”"),
        (b"User-agent: *\nCrawl-delay: 3600\n", "asks for 3,600 s between two pages"),
    ],
)
async def test_a_robots_txt_that_keeps_programs_out_is_told_with_the_way_out(
    site: Site, open_web: OpenWeb, shelf: Shelf, robots: bytes, sentence: str
) -> None:
    fill(site)
    site.send("/robots.txt", robots)
    await shelf.refresh(open_web())
    assert sentence in shelf.unavailable
    assert site.asked == ["/robots.txt"]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(404, "There is no page at"), (401, "may not be read (401). Name the secret"), (403, "may not be read (403)")],
)
async def test_a_start_that_cannot_be_read_is_told(
    site: Site, open_web: OpenWeb, shelf: Shelf, status: int, sentence: str
) -> None:
    site.send("/", b"no", status)
    await shelf.refresh(open_web())
    assert sentence in shelf.unavailable


async def test_a_start_that_leads_elsewhere_is_told(
    site: Site, other_site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    site.redirect("/docs/", f"{other_site.url}login?next=secret")
    await shelf.refresh(open_web("/docs/"))
    assert f"leads to {other_site.url}login, outside of what this source reads" in shelf.unavailable
    assert other_site.asked == []


async def test_pages_that_redirect_for_ever_are_named_and_the_rest_goes_on(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    async def on_and_on(request: web.BaseRequest) -> web.Response:
        number = int(request.query.get("n", "0"))
        return web.Response(status=302, headers={"Location": f"/endless?n={number + 1}"})

    site.page("/", HOME, "/ping", "/pong", "/self", "/endless", "/p0", "/nowhere")
    site.page("/p0", PAGES["/p0"])
    site.redirect("/ping", "/pong")
    site.redirect("/pong", "/ping")
    site.redirect("/self", "/self")
    site.redirect("/nowhere", "http://[broken")
    for number in range(30):
        site.pages[f"/endless{f'?n={number}' if number else ''}"] = on_and_on
    await shelf.refresh(open_web())
    assert sorted(shelf.readings) == ["/", "/p0"]
    named = {path for path, sentence in shelf.problems.items() if "redirects for ever" in sentence}
    assert len(named) == 3
    assert {"/self"} < named <= {"/ping", "/pong", "/self", "/endless?n=10"}
    assert "redirects to what is no web address" in shelf.problems["/nowhere"]


async def test_a_redirect_does_not_lead_to_another_machine_or_port(
    site: Site, other_site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    other_site.page("/secret", "The metadata of the cloud machine. Not for anybody to read.")
    site.page("/", HOME, "/a", "/b", str(other_site.url / "secret"))
    site.redirect("/a", str(other_site.url / "secret"))
    site.redirect("/b", "file:///etc/passwd")
    site.send("/robots.txt", f"Sitemap: {other_site.url}sitemap.xml".encode())
    site.redirect("/sitemap.xml", str(other_site.url / "sitemap.xml"))
    await shelf.refresh(open_web())
    assert sorted(shelf.readings) == ["/"]
    assert other_site.asked == []


async def test_error_pages_with_a_status_of_200_are_left_out(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    async def oops(request: web.BaseRequest) -> web.Response:
        text = f"Oops. We looked everywhere but could not find {request.path}. Perhaps the page was moved or renamed?"
        more = "Try the search above, go back to the start page, or write to the people who look after this site."
        return web.Response(text=f"<html><body><p>{text}</p><p>{more}</p></body></html>", content_type="text/html")

    fill(site)
    for path in ("/p3", "/p4"):
        del site.pages[path]
    site.send("/robots.txt", b"")
    site.everything_else = oops
    await shelf.refresh(open_web())
    assert sorted(shelf.readings) == sorted({"/", *PAGES} - {"/p3", "/p4"})
    assert "2 addresses answer with the text that the site shows for pages that do not exist" in shelf.problems[""]


async def test_a_text_that_stands_at_many_addresses_is_kept_once_and_named(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    fill(site)
    for path in list(PAGES)[:7]:
        site.page(path, "Maintenance. The site is being mended, please come back in an hour.")
    for _ in range(2):
        await shelf.refresh(open_web())
        assert sorted(shelf.readings) == ["/", "/p0", "/p7", "/p8"]
        assert "stands at 6 more addresses" in shelf.problems["/p0"]
    site.page("/p0", PAGES["/p0"])
    await shelf.refresh(open_web())  # the second of them takes over, though it has not changed
    assert sorted(shelf.readings) == ["/", "/p0", "/p1", "/p7", "/p8"]
    assert "Maintenance" in shelf.text("/p1")


async def test_a_page_that_asks_for_a_login_is_no_document(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    await shelf.refresh(open_web())
    form = b"<html><body><h1>Sign in</h1><form><input name=user><input type=password></form></body></html>"
    site.send("/p0", form, headers={"Content-Type": "text/html"})
    await shelf.refresh(open_web())
    assert "/p0" not in shelf.readings
    assert shelf.problems == {"/p0": "/p0 asks for a login now; its text was taken out."}
    site.send("/", form, headers={"Content-Type": "text/html"})
    await shelf.refresh(open_web())
    assert "asks for a login. Name the secret to read it with by token_env" in shelf.unavailable


async def test_a_page_that_may_be_read_no_more_is_out_at_once_and_named(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    fill(site)
    await shelf.refresh(open_web())
    site.send("/p0", b"", 403)
    site.send("/new", b"", 403)
    site.redirect("/p1", "https://login.example.org/?next=p1")
    await shelf.refresh(open_web())
    assert shelf.gone == ["/p0", "/p1"]
    assert shelf.problems == {
        "/p0": "/p0 may not be read any more (403); its text was taken out.",
        "/p1": "/p1 leads to https://login.example.org/ now, outside of this source; its text was taken out.",
    }


async def test_a_page_that_fails_keeps_its_last_text_and_is_named(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    await shelf.refresh(open_web())
    site.send("/p4", b"", 500)
    site.send("/fresh", b"", 502)
    site.page("/p3", PAGES["/p3"], "/fresh")
    await shelf.refresh(open_web())
    assert PAGES["/p4"] in shelf.text("/p4")
    assert "it answers 500 (2 tries). Its last text is kept for 14 days." in shelf.problems["/p4"]
    assert "it answers 502 (2 tries)." in shelf.problems["/fresh"]
    fill(site)
    await shelf.refresh(open_web())
    assert shelf.problems == {}


async def test_a_page_that_has_failed_for_long_loses_its_text(
    site: Site, open_web: OpenWeb, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(site)
    await shelf.refresh(open_web())
    site.send("/p4", b"", 500)
    await shelf.refresh(open_web())
    assert "/p4" in shelf.readings
    monkeypatch.setattr("knowledge.sources.web.crawl.KEPT_WHILE_FAILING", timedelta(0))
    await shelf.refresh(open_web())
    assert "/p4" not in shelf.readings
    assert "it answers 500" in shelf.problems["/p4"]


async def test_pages_behind_one_that_fails_are_kept_even_without_the_cache(
    site: Site, open_web: OpenWeb, shelf: Shelf, tmp_path: Path
) -> None:
    site.page("/", HOME, "/hub")
    site.page("/hub", "The hub leads to all the others. Without it nobody finds them.", *PAGES)
    for path, text in PAGES.items():
        site.page(path, text)
    await shelf.refresh(open_web())
    assert len(shelf.readings) == 11
    site.send("/hub", b"", 500)
    del site.pages["/p8"]
    await shelf.refresh(open_web())
    assert len(shelf.readings) == 10
    shutil.rmtree(tmp_path / "cache")
    await shelf.refresh(open_web())
    assert len(shelf.readings) == 10


async def test_a_site_that_breaks_down_in_the_middle_is_left_alone_and_gone_on_with(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    async def break_down(request: web.BaseRequest) -> web.Response:
        for path in ("/", *list(PAGES)[3:]):
            site.send(path, b"", 503)
        return web.Response(text=f"<p>{PAGES['/p2']}</p>", content_type="text/html")

    fill(site)
    site.pages["/p2"] = break_down
    await shelf.refresh(open_web())
    assert "What is known of the site is kept; the next refresh goes on from there." in shelf.unavailable
    assert sorted(shelf.readings) == ["/", "/p0", "/p1", "/p2"]
    assert site.count("/p8") == 0
    fill(site)
    site.forget_requests()
    await shelf.refresh(open_web())
    assert len(shelf.readings) == 10
    assert (shelf.problems, site.count("/p0"), site.count("/p8")) == ({}, 0, 1)


async def test_a_part_of_a_site_that_is_broken_does_not_keep_the_rest_from_being_read(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    fill(site)
    broken = list(PAGES)[:8]
    for path in broken:
        site.send(path, b"", 500)
    await shelf.refresh(open_web())
    assert sorted(shelf.readings) == ["/", "/p8"]
    assert sorted(shelf.problems) == broken


async def test_a_site_that_asks_to_wait_for_long_is_left_alone(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    site.send("/p4", b"", 429, {"Retry-After": "3600"})
    await shelf.refresh(open_web())
    assert "it answers 429 and asks to be left alone for 3,600 s." in shelf.unavailable
    assert site.count("/p4") == 1
    assert len(shelf.readings) == 5


async def test_a_server_that_drips_is_given_up(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    released = asyncio.Event()

    async def drip(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        await response.write(b"<html>")
        await released.wait()
        return response

    fill(site)
    site.pages["/p4"] = drip
    await shelf.refresh(open_web(manners=Manners(pause=0, backoff=0.001, tries=2, seconds=2.0)))
    released.set()
    assert "/p4 took more than 2 s and was given up." in shelf.problems["/p4"]
    assert len(shelf.readings) == 9


async def test_pages_without_end_and_bombs_are_given_up_by_their_size(
    site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        while not request.transport.is_closing() if request.transport else False:
            await response.write(b"<p>more and more</p>" * 1000)
        return response

    fill(site)
    site.pages["/p1"] = endless
    site.send(
        "/p2", gzip.compress(b"0" * 30_000_000), headers={"Content-Encoding": "gzip", "Content-Type": "text/html"}
    )
    site.send("/p3", b"<p>words</p>" * 600_000, headers={"Content-Type": "text/html"})
    await shelf.refresh(open_web(manners=Manners(pause=0, backoff=0.001, tries=2, most_bytes=20_000_000)))
    assert "has more than 20.0 MB" in shelf.problems["/p1"]
    assert "has more than 20.0 MB" in shelf.problems["/p2"]
    assert "is a page of 7.2 MB; pages above 5 MB are not read" in shelf.problems["/p3"]
    assert len(shelf.readings) == 7


async def test_a_connection_that_breaks_off_is_tried_again(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    broken: list[bool] = []

    async def break_once(request: web.BaseRequest) -> web.StreamResponse:
        if broken:
            return web.Response(text=f"<p>{PAGES['/p4']}</p>", content_type="text/html")
        broken.append(True)
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    fill(site)
    site.pages["/p4"] = break_once
    await shelf.refresh(open_web())
    assert len(shelf.readings) == 10
    assert shelf.problems == {}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<p>Grüße aus der Küche, für alle Köche.</p>".encode(), "text/html; charset=iso-8859-1"),
        ("<p>Grüße aus der Küche, für alle Köche.</p>".encode("cp1252"), "text/html; charset=utf-8"),
        (
            "<meta charset=utf-8><p>Grüße aus der Küche, für alle Köche.</p>".encode("cp1252"),
            "text/html; charset=cp1252",
        ),
        ("<meta charset=cp1252><p>Grüße aus der Küche, für alle Köche.</p>".encode(), "text/html"),
        ("<p>Grüße aus der Küche, für alle Köche.</p>".encode("utf-16"), "text/html"),
        ("<p>Grüße aus der Küche, für alle Köche.</p>".encode("utf-16-le"), "text/html; charset=utf-16le"),
        ("<p>Grüße aus der Küche, für alle Köche.</p>".encode("cp1252"), "text/html; charset=nonsense"),
    ],
)
async def test_a_wrong_charset_is_seen_through(
    site: Site, open_web: OpenWeb, shelf: Shelf, body: bytes, content_type: str
) -> None:
    site.send("/", body, headers={"Content-Type": content_type})
    await shelf.refresh(open_web())
    assert shelf.text("/") == "Grüße aus der Küche, für alle Köche."


async def test_hostile_pages_do_no_harm(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    hostile = {
        "/deep": b"<div>" * 50_000 + b"words" + b"</div>" * 50_000,
        "/tables": b"<table><tr><td>" * 5_000 + b"words",
        "/nul": b"<p>before\x00after, a paragraph of words</p>",
        "/script": b"<p>A paragraph that is plain and seen.</p><script>alert('unseen')</script><style>p{}</style>",
        "/entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>An entity: &x; and words.</p>',
        "/links": b"<p>Many links on this page.</p>" + b"".join(b"<a href='/x%d'>x</a>" % n for n in range(20_000)),
        "/bad": b"<p>Bad links.</p><a href='http://[::1'>a</a><a href='javascript:x()'>b</a><a href='//'>c</a><base href='http://['>",
    }
    site.page("/", HOME, *hostile)
    for path, body in hostile.items():
        site.send(path, body, headers={"Content-Type": "text/html"})
    await shelf.refresh(open_web(limits=Limits(depth=1)))
    assert "A paragraph that is plain and seen." in shelf.text("/script")
    assert "unseen" not in shelf.text("/script")
    assert "root:" not in "".join(shelf.text(path) for path in shelf.readings)
    assert {"/", "/script", "/links", "/bad"} <= shelf.readings.keys()
    assert set(shelf.problems) <= {"", "/nul"}


async def test_a_broken_sitemap_is_named_or_passed_over(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    await shelf.refresh(open_web())
    entities = b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    bomb = b'<?xml version="1.0"?>' + entities + b"<urlset><url><loc>&b;</loc></url></urlset>"
    for body in (b"<urlset><url><loc>broken", b"<html>no sitemap</html>", b"", bomb, b"\x1f\x8bnot gzip"):
        site.send("/sitemap.xml", body)
        await shelf.refresh(open_web())
        assert len(shelf.readings) == 10
    assert "sitemap.xml is not a readable gzip file. Pages that only it names may be missing." in shelf.problems[""]


async def test_pages_of_a_sitemap_that_fails_are_kept(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    site.page("/", HOME)
    site.send("/sitemap.xml", "\n".join(str(site.url.with_path(path)) for path in PAGES).encode())
    for path, text in PAGES.items():
        site.page(path, text)
    await shelf.refresh(open_web())
    assert len(shelf.readings) == 10
    site.send("/sitemap.xml", b"", 503)
    del site.pages["/p8"]
    await shelf.refresh(open_web())
    assert sorted(shelf.readings) == sorted({"/", *PAGES} - {"/p8"})


async def test_a_token_goes_to_the_site_alone_and_shows_nowhere(
    site: Site, other_site: Site, open_web: OpenWeb, shelf: Shelf
) -> None:
    async def private(request: web.BaseRequest) -> web.Response:
        if request.headers.get("Authorization") != "Bearer s3cret":
            return web.Response(status=401)
        return web.Response(text=f"<p>{PAGES['/p0']}</p>", content_type="text/html")

    site.page("/", HOME, "/p0")
    site.pages["/p0"] = private
    await shelf.refresh(open_web(headers={"Authorization": "Bearer s3cret"}))
    assert sorted(shelf.readings) == ["/", "/p0"]
    await shelf.refresh(open_web(headers={"Authorization": "Bearer expired-one"}))
    assert "/p0 does not take the token (401). Put a valid one where token_env says" in shelf.unavailable
    assert "expired-one" not in shelf.unavailable
    assert sorted(shelf.readings) == ["/", "/p0"]


async def test_a_site_that_needs_scripts_says_so(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    site.send(
        "/",
        b"<html><body><div id=root></div><script src=/app.js></script></body></html>",
        headers={"Content-Type": "text/html"},
    )
    await shelf.refresh(open_web())
    assert "holds no text and no links; pages that scripts build in a browser cannot be read" in shelf.unavailable


async def test_a_cache_that_cannot_be_written_is_told(
    site: Site, open_web: OpenWeb, shelf: Shelf, tmp_path: Path
) -> None:
    fill(site)
    (tmp_path / "cache").write_text("a file in its place")
    await shelf.refresh(open_web())
    assert "cannot be written" in shelf.unavailable


async def test_a_site_of_which_nothing_is_left_keeps_what_is_known(site: Site, open_web: OpenWeb, shelf: Shelf) -> None:
    fill(site)
    await shelf.refresh(open_web())
    site.redirect("/", "/")
    await shelf.refresh(open_web())
    assert "/ redirects for ever" in shelf.problems["/"]
    assert "No page with text was found from" in shelf.unavailable
    assert len(shelf.readings) == 9  # the start is no page any more, and of the rest nobody knows
