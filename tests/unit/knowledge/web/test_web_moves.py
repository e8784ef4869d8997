"""Hosts with names and ports of their own cannot be served on a test's machine, so the client's answers are given."""

from __future__ import annotations

from pathlib import Path

import pytest
from multidict import CIMultiDict
from yarl import URL

from knowledge.errors import SourceUnavailable
from knowledge.sources.base import Listing, Past
from knowledge.sources.http import PoliteClient, Reply
from knowledge.sources.web.scope import Scope
from knowledge.sources.web.source import WebSource

PAGE = b"<html><body><main><h1>Welcome</h1><p>This is where the handbook begins.</p></main></body></html>"


class World:
    """What hosts answer: an address leads to another one, or is a page."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.redirects: dict[str, str] = {}
        self.pages: set[str] = set()
        self.asked: list[str] = []
        world = self

        async def get(client: PoliteClient, url: URL, **_: object) -> Reply:
            world.asked.append(str(url))
            headers = CIMultiDict({"Content-Type": "text/html"})
            to = world.redirects.get(str(url))
            if to is not None:
                return Reply(url, 301, headers, b"", URL(to))
            return Reply(url, 200 if str(url) in world.pages else 404, headers, PAGE)

        monkeypatch.setattr(PoliteClient, "get", get)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Nobody answers yet."""
    return World(monkeypatch)


async def listed(start: str, folder: Path) -> list[Listing]:
    source = WebSource("site", Scope(URL(start)), folder)
    return [one async for one in source.listings(Past(None, {})) if isinstance(one, Listing)]


async def test_a_site_that_moved_to_https_and_to_www_is_read_there_under_its_own_robots_txt(
    world: World, tmp_path: Path
) -> None:
    world.redirects["http://example.org/docs/"] = "https://example.org/docs/"
    world.redirects["https://example.org/docs/"] = "https://www.example.org/docs/"
    world.pages.add("https://www.example.org/docs/")
    (listing,) = await listed("http://example.org/docs/", tmp_path)
    assert (listing.path, listing.url) == ("/docs/", "https://www.example.org/docs/")
    assert "https://www.example.org/robots.txt" in world.asked


async def test_a_site_that_moves_to_and_fro_is_told(world: World, tmp_path: Path) -> None:
    world.redirects["http://example.org/"] = "http://www.example.org/"
    world.redirects["http://www.example.org/"] = "http://example.org/"
    with pytest.raises(SourceUnavailable, match="leads from one form of its address to another and never to a page"):
        await listed("http://example.org/", tmp_path)


async def test_a_site_that_leads_to_somebody_elses_host_is_not_followed(world: World, tmp_path: Path) -> None:
    world.redirects["http://example.org/"] = "https://login.example.com/?next=secret"
    with pytest.raises(SourceUnavailable, match=r"leads to https://login\.example\.com/, outside"):
        await listed("http://example.org/", tmp_path)
    assert not any("login" in address for address in world.asked)
