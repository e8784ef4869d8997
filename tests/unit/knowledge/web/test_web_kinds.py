from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.sources import feed, web
from knowledge.sources.kinds import SourceContext, SourceSpec, kinds, open_source
from knowledge.sources.unavailable import UnavailableSource

EVERYONE = frozenset({"everyone"})


def context(folder: Path, **secrets: str) -> SourceContext:
    return SourceContext(folder, secrets.get)


def reason(kind: str, folder: Path, **options: object) -> str:
    """Why a source cannot be opened."""
    source = open_source(SourceSpec("site", kind, EVERYONE, options), context(folder))
    assert isinstance(source, UnavailableSource)
    return source._reason


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://docs.example.org/handbook/", "web"),
        ("http://127.0.0.1:8000", "web"),
        ("https://example.org/feedback", "web"),
        ("https://example.org/sitemap.xml", None),
        ("https://example.org/news.rss", "feed"),
        ("https://example.org/feed", "feed"),
        ("https://example.org/blog/feed/", "feed"),
        ("https://example.org/newsfeed", "web"),
        ("https://example.org/atom.xml?lang=en", "feed"),
        ("https://github.com/example/repo.git", None),
        ("https://team.slack.com/archives/C0123", None),
        ("ftp://example.org/", None),
        ("two words", None),
        ("https://example.org/ and more", None),
        ("/home/docs", None),
    ],
)
def test_addresses_are_told_apart(text: str, kind: str | None) -> None:
    recognised = {one.name: one.recognise(text) for one in (web.KIND, feed.KIND)}
    assert recognised == {"web": None, "feed": None} | ({kind: {"url": text}} if kind else {})


def test_both_are_registered() -> None:
    assert kinds()["web"] is web.KIND
    assert kinds()["feed"] is feed.KIND


@pytest.mark.parametrize("kind", ["web", "feed"])
def test_a_source_opens_with_its_address_alone(kind: str, tmp_path: Path) -> None:
    source = open_source(SourceSpec("site", kind, EVERYONE, {"url": "https://example.org/x"}), context(tmp_path))
    assert (source.name, source.kind) == ("site", kind)
    assert not isinstance(source, UnavailableSource)


@pytest.mark.parametrize("kind", ["web", "feed"])
def test_a_wrong_address_is_told_without_its_password(kind: str, tmp_path: Path) -> None:
    for address in ("example.org/x", "file:///etc/passwd", "https://", "http://[::1"):
        assert "it is no web address. Write it with https://" in reason(kind, tmp_path, url=address)
    told = reason(kind, tmp_path, url="https://maya:s3cret@example.org/")
    assert "a login does not belong into the address" in told
    assert "s3cret" not in told


@pytest.mark.parametrize("kind", ["web", "feed"])
def test_a_missing_secret_is_told_by_its_name(kind: str, tmp_path: Path) -> None:
    told = reason(kind, tmp_path, url="https://example.org/", token_env="WIKI_TOKEN")
    assert "The secret WIKI_TOKEN of the source “site” is not set." in told


def test_a_start_outside_its_prefix_is_told(tmp_path: Path) -> None:
    told = reason("web", tmp_path, url="https://example.org/a/", prefix="/b")
    assert "the start does not lie below the prefix /b" in told.lower()


@pytest.mark.parametrize(
    ("secret", "header", "sent"),
    [
        ("abc\n", "Authorization", "Bearer abc"),
        ("Basic bWF5YTpwdw==", "Authorization", "Basic bWF5YTpwdw=="),
        ("abc", "X-Token", "abc"),
    ],
)
def test_a_secret_is_sent_in_the_form_that_its_header_wants(
    secret: str, header: str, sent: str, tmp_path: Path
) -> None:
    assert web.secret_headers("site", "WIKI_TOKEN", header, context(tmp_path, WIKI_TOKEN=secret)) == {header: sent}
