from __future__ import annotations

import pytest
from yarl import URL

from knowledge.sources.web.scope import Scope

SITE = Scope(URL("https://example.org/handbook/"))


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("oncall#top", "https://example.org/handbook/oncall"),
        ("a b", "https://example.org/handbook/a%20b"),
        ("x?utm_source=mail&page=2&fbclid=1", "https://example.org/handbook/x?page=2"),
        ("x;jsessionid=9A7?page=2", "https://example.org/handbook/x?page=2"),
        ("http://example.org/handbook/x", "https://example.org/handbook/x"),
        ("HTTPS://EXAMPLE.org:443/handbook/./a/../b", "https://example.org/handbook/b"),
        ("https://maya:pw@example.org/handbook/z", "https://example.org/handbook/z"),
        ("/handbook/?", "https://example.org/handbook/"),
    ],
)
def test_an_address_has_one_form(link: str, address: str) -> None:
    normal = SITE.normal(link)
    assert str(normal) == address
    assert normal is not None
    assert SITE.holds(normal)


@pytest.mark.parametrize(
    "link", ["javascript:x()", "mailto:a@b", "tel:1", "http://[::1", "http://a:99999/", "x" * 3000]
)
def test_what_is_no_address_of_a_page_is_none(link: str) -> None:
    assert SITE.normal(link) is None


@pytest.mark.parametrize(
    "link",
    ["../private", "//evil/handbook/", "https://example.org:444/handbook/", "https://example.org.evil/handbook/"],
)
def test_what_lies_elsewhere_is_not_held(link: str) -> None:
    normal = SITE.normal(link)
    assert normal is not None
    assert not SITE.holds(normal)


@pytest.mark.parametrize(
    "path", ["/handbook/grün", "/handbook/a b?x=%26", "/handbook/a%2Fb", "/handbook/a%0Ab", "/handbook/a%3Fb"]
)
def test_a_document_is_named_readably_and_found_again(path: str) -> None:
    url = SITE.address(path)
    assert SITE.path(url) == path
    assert SITE.address(SITE.path(url)) == url
    assert SITE.path(url).isprintable()


@pytest.mark.parametrize(
    ("start", "prefix", "inside", "outside"),
    [
        ("https://a.org", None, "/anything", None),
        ("https://maya@A.org:443/docs/", None, "/docs/x", "/x"),
        ("https://a.org/docs", None, "/docs/x", "/docs-old"),
        ("https://a.org/docs/index.html", None, "/docs/x", "/other"),
        ("https://a.org/docs/start", "/docs", "/docs/x", "/docsx"),
        ("https://a.org/docs/start", "/", "/x", None),
        ("https://a.org/grün/start", "/grün", "/grün/x", "/grünes"),
    ],
)
def test_the_prefix_is_the_starts_own_path_unless_it_is_named(
    start: str, prefix: str | None, inside: str, outside: str | None
) -> None:
    scope = Scope(URL(start), prefix)
    assert scope.holds(scope.start)
    assert scope.holds(scope.address(inside))
    assert outside is None or not scope.holds(scope.address(outside))


@pytest.mark.parametrize(
    ("to", "moved"),
    [
        ("https://example.org/docs/", "https://example.org/docs/"),
        ("http://www.example.org/", "http://www.example.org/docs/"),
        ("https://www.example.org/en", "https://www.example.org/docs/"),
        ("https://evil.org/docs/", None),
        ("http://example.org:8080/docs/", None),
        ("https://example.org.evil.org/docs/", None),
    ],
)
def test_a_site_may_move_to_https_and_to_www_and_nowhere_else(to: str, moved: str | None) -> None:
    scope = Scope(URL("http://example.org/docs/")).moved(URL(to))
    assert (str(scope.start) if scope else None) == moved


def test_a_site_does_not_move_back_to_plain_http() -> None:
    assert SITE.moved(URL("http://example.org/handbook/")) is None
