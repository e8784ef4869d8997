from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from matplotlib.figure import Figure
from multidict import CIMultiDict
from yarl import URL

from knowledge.documents import BlockKind
from knowledge.sources.http import Reply
from knowledge.sources.web.maintext import understand
from knowledge.sources.web.markup import Markup, moment_of, read_markup, tree_of

LONG = "The pager rotates every Monday at nine, and whoever holds it answers within five minutes of the alarm. " * 4


def markup(html: str, *robots: str) -> Markup:
    return read_markup(tree_of(html), CIMultiDict([("X-Robots-Tag", value) for value in robots]))


def page(html: str, content_type: str = "text/html", path: str = "/a-page") -> str:
    """The text of a page, block by block."""
    reading = understand(
        Reply(URL(f"https://example.org{path}"), 200, {"Content-Type": content_type}, html.encode()), path
    )
    assert reading.reading is not None
    return "\n\n".join(block.text for block in reading.reading.content.blocks)


def title(html: str) -> str:
    found = understand(
        Reply(URL("https://example.org/on-call"), 200, {"Content-Type": "text/html"}, html.encode()), "/on-call"
    )
    assert found.reading is not None
    return found.reading.title


def test_links_are_told_once_and_without_those_that_are_not_to_be_followed() -> None:
    found = markup(
        "<base href=/docs/><a href=a>1</a><a href=a>2</a><a href=#top>3</a><a rel='nofollow ugc' href=b>4</a><a>5</a>"
        "<map><area href=c></map>"
    )
    assert (found.links, found.base) == (("a", "c"), "/docs/")


@pytest.mark.parametrize(
    ("html", "headers", "indexed", "followed"),
    [
        ("", [], True, True),
        ("<meta name=robots content='noindex, nofollow'>", [], False, False),
        ("<meta name=ROBOTS content=NONE>", [], False, False),
        ("<meta name=robots content=index><meta name=robots content=noindex>", [], False, True),
        ("<meta name=switchboard content=noindex>", [], False, True),
        ("<meta name=googlebot content=noindex>", [], True, True),
        ("", ["nofollow"], True, False),
        ("", ["all", "noindex"], False, True),
        ("", ["googlebot: noindex"], True, True),
        ("", ["Switchboard: none"], False, False),
        ("", ["unavailable_after: 25 Jun 2010 15:00:00 PST"], True, True),
    ],
)
def test_what_robots_may_do_is_read_from_page_and_headers(
    html: str, headers: list[str], indexed: bool, followed: bool
) -> None:
    found = markup(f"{html}<a href=x>x</a>", *headers)
    assert found.indexed is indexed
    assert bool(found.links) is followed


def test_author_and_date_come_from_what_the_page_declares() -> None:
    graph = '{"@graph": [{"@type": "WebSite"}, {"dateModified": "2026-02-01", "author": [{"name": "Jo"}]}]}'
    linked = f'<script type="application/ld+json">{graph}</script>'
    assert (markup(linked).author, markup(linked).updated) == ("Jo", datetime(2026, 2, 1, tzinfo=UTC))
    metas = (
        "<meta property=article:author content=https://example.org/jo>"
        "<meta name=date content=2026-01-03T10:00:00+02:00>"
    )
    assert (markup(metas).author, markup(metas).updated) == (None, datetime(2026, 1, 3, 8, tzinfo=UTC))
    for broken in ('{"author": {"name": 3}}', "[1, 2]", "nothing", "[" * 100_000, '{"@graph": 1}'):
        assert markup(f'<script type="application/ld+json">{broken}</script><p>x</p>').author is None


@pytest.mark.parametrize("text", [None, 5, "", "yesterday", "2026-13-01", "9999-01-01", "0000-00-00"])
def test_what_is_no_past_moment_is_none(text: object) -> None:
    assert moment_of(text) is None


@pytest.mark.parametrize(
    ("head", "heading", "expected"),
    [
        ("<title>On call — Handbook</title>", "<h1>On call</h1>", "On call"),
        ("<title>E - Editions - The Book</title>", "<h1>Appendix E</h1>", "E - Editions"),
        ("<title>Site</title><meta property=og:title content='The real title'>", "", "The real title"),
        ("", "<h1>On call</h1>", "On call"),
        ("", "", "on call"),
    ],
)
def test_a_title_is_the_pages_own_without_the_name_of_the_site(head: str, heading: str, expected: str) -> None:
    assert title(f"<html><head>{head}</head><body><main>{heading}<p>{LONG}</p></main></body></html>") == expected


def test_identifiers_are_kept_as_they_are_written_and_code_as_it_stands() -> None:
    text = page(f"<main><p>{LONG}</p><p>Set max_open_files and use <code>a_b\\_c</code> of *args.</p></main>")
    assert "Set max_open_files and use `a_b\\_c` of *args." in text


def test_a_short_page_keeps_its_heading_list_table_and_code() -> None:
    html = (
        "<nav>Menu</nav><header>Brand</header><h1>Pager</h1><ul><li>one</li><li>two</li></ul><pre>a\n  b</pre>"
        "<table><tr><td>E1</td><td>full</td></tr></table><footer>Imprint</footer>"
    )
    found = understand(Reply(URL("https://example.org/p"), 200, {"Content-Type": "text/html"}, html.encode()), "/p")
    assert found.reading is not None
    assert [(block.kind, block.text) for block in found.reading.content.blocks] == [
        (BlockKind.HEADING, "Pager"),
        (BlockKind.LIST, "- one\n- two"),
        (BlockKind.CODE, "```\na\n  b\n```"),
        (BlockKind.TABLE, "| E1 | full |\n| --- | --- |"),
    ]


def test_what_is_served_as_a_page_is_read_as_one_whatever_its_name() -> None:
    html = f"<html><body><main><p>{LONG}</p></main></body></html>"
    assert page(html, path="/report.pdf").startswith("The pager rotates")
    assert page(html, content_type="", path="/x").startswith("The pager rotates")
    assert page("one,two\n1,2", content_type="application/octet-stream", path="/t.csv").startswith("| one | two |")


def test_a_pdf_is_read_by_its_type_and_named_after_its_file() -> None:
    figure, file = Figure(), io.BytesIO()
    figure.text(0.1, 0.5, "The pager rotates every Monday.")
    figure.savefig(file, format="pdf")
    reply = Reply(URL("https://example.org/on-call"), 200, {"Content-Type": "application/pdf"}, file.getvalue())
    reading = understand(reply, "/on-call").reading
    assert reading is not None
    assert (reading.title, reading.content.blocks[1].text) == ("on call", "The pager rotates every Monday.")


@pytest.mark.parametrize("kind", ["image/png", "application/json", "text/javascript", "application/zip", "video/mp4"])
def test_what_no_parser_reads_holds_no_document(kind: str) -> None:
    reply = Reply(URL("https://example.org/x"), 200, {"Content-Type": kind}, b"\x89 some bytes")
    assert understand(reply, "/x").reading is None
