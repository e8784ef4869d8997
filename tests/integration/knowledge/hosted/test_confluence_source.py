"""A Confluence space, from a server that answers as Confluence's REST API does."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from service_server import TOKEN, ServiceServer, look, said, serving

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.confluence import KIND, ConfluenceOptions
from knowledge.sources.hosted import HostedSource
from knowledge.sources.kinds import SourceContext


@dataclass
class ConfluenceServer(ServiceServer):
    """One space, OPS."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    logins: set[str] = field(default_factory=set)

    def page(self, identifier: str, title: str, body: str, *, above: tuple[str, ...] = (), version: int = 1) -> None:
        self.pages[identifier] = {
            "id": identifier,
            "type": "page",
            "title": title,
            "version": {"number": version, "when": "2026-03-01T09:00:00.000Z"},
            "history": {"createdBy": {"displayName": "Maya"}},
            "ancestors": [{"id": one} for one in above],
            "body": {"view": {"value": body}},
            "metadata": {"labels": {"results": [{"name": "runbook"}]}},
            "restrictions": {"read": {"restrictions": {"user": {"results": []}, "group": {"results": []}}}},
            "_links": {"webui": f"/spaces/OPS/pages/{identifier}"},
        }

    def restrict(self, identifier: str) -> None:
        closed = self.pages[identifier]["restrictions"]["read"]["restrictions"]
        closed["group"]["results"].append({"name": "managers"})

    async def search(self, request: web.Request) -> web.Response:
        self.logins.add(request.headers["Authorization"])
        assert 'space = "OPS"' in request.query["cql"]
        start, size = int(request.query["start"]), 2
        some = list(self.pages.values())[start : start + size]
        links = {"next": "/rest/api/content/search?…"} if start + size < len(self.pages) else {}
        return web.json_response({"results": some, "size": len(some), "_links": links})

    async def content(self, request: web.Request) -> web.Response:
        page = self.pages.get(request.match_info["id"])
        return web.json_response(page or {"message": "No content found"}, status=200 if page else 404)


@pytest.fixture
async def confluence() -> AsyncIterator[ConfluenceServer]:
    server = ConfluenceServer()
    routes = [
        web.get("/wiki/rest/api/content/search", server.search),
        web.get("/wiki/rest/api/content/{id}", server.content),
    ]
    async with serving(routes, server):
        yield server


@pytest.fixture(params=["cloud", "data centre"])
async def source(
    request: pytest.FixtureRequest, confluence: ConfluenceServer, context: SourceContext
) -> AsyncIterator[HostedSource]:
    options = ConfluenceOptions(url=f"{confluence.url}/wiki", space="OPS")
    secret = f"maya@example.org:{TOKEN}" if request.param == "cloud" else TOKEN
    opened = KIND.open("wiki", frozenset({"everyone"}), options, replace(context, secret=lambda _: secret))
    yield opened
    await opened.close()
    basic = base64.b64encode(secret.encode()).decode()
    assert confluence.logins <= {f"Basic {basic}" if request.param == "cloud" else f"Bearer {TOKEN}"}


async def test_a_page_carries_its_text_link_author_age_and_labels(
    confluence: ConfluenceServer, source: HostedSource
) -> None:
    confluence.page("1", "Rollback", "<h2>Steps</h2><p>Run <code>make rollback</code>.</p><script>steal()</script>")
    run = await look(source)
    listing = run.listings["1"]
    assert listing.url == f"{confluence.url}/wiki/spaces/OPS/pages/1"
    reading = await source.read(listing)
    assert reading.title == "Rollback"
    assert (reading.author, reading.tags) == ("Maya", frozenset({"runbook"}))
    assert reading.updated is not None
    assert "make rollback" in said(reading)
    assert "steal" not in said(reading)


async def test_every_page_of_the_list_is_asked_for_and_an_edit_changes_the_version(
    confluence: ConfluenceServer, source: HostedSource
) -> None:
    for number in range(5):
        confluence.page(str(number), f"Page {number}", "<p>words</p>")
    first = await look(source)
    assert len(first.listings) == 5
    assert first.is_complete
    confluence.page("3", "Page 3", "<p>other words</p>", version=2)
    second = await look(source, first.past())
    assert second.is_complete
    changed = [path for path, listing in second.listings.items() if listing.version != first.listings[path].version]
    assert changed == ["3"]


async def test_a_page_that_is_restricted_itself_or_from_above_is_left_out(
    confluence: ConfluenceServer, source: HostedSource
) -> None:
    confluence.page("1", "Team", "<p>words</p>")
    confluence.page("2", "Salaries", "<p>secret</p>")
    confluence.page("3", "Bonuses", "<p>secret too</p>", above=("1", "2"))
    before = await look(source)
    assert sorted(before.listings) == ["1", "2", "3"]
    confluence.restrict("2")
    after = await look(source, before.past())
    assert list(after.listings) == ["1"]
    assert after.is_complete
    with pytest.raises(DocumentUnreachable):
        await source.read(before.listings["2"])


async def test_a_token_that_expires_in_the_middle_is_named_by_its_variable(
    confluence: ConfluenceServer, source: HostedSource
) -> None:
    confluence.page("1", "Rollback", "<p>words</p>")
    run = await look(source)
    confluence.refuse = lambda: web.Response(status=401, text="Basic auth failed")
    with pytest.raises(SourceUnavailable, match="CONFLUENCE_TOKEN") as caught:
        await source.read(run.listings["1"])
    assert TOKEN not in str(caught.value)


def test_without_a_token_it_says_which_variable_to_set(context: SourceContext) -> None:
    without = SourceContext(context.cache_dir, lambda name: None)
    options = ConfluenceOptions(url="https://wiki.example.org", space="OPS")
    with pytest.raises(SourceUnavailable, match="set CONFLUENCE_TOKEN"):
        KIND.open("wiki", frozenset({"everyone"}), options, without)


def test_the_address_of_a_space_is_recognised() -> None:
    found = KIND.recognise("https://team.atlassian.net/wiki/spaces/OPS/overview")
    assert found == {"url": "https://team.atlassian.net/wiki", "space": "OPS"}
    assert KIND.recognise("https://wiki.example.org/display/OPS") == {"url": "https://wiki.example.org", "space": "OPS"}
    assert KIND.recognise("https://example.org/about") is None


def test_a_cloud_token_without_its_mail_address_is_named(context: SourceContext) -> None:
    options = ConfluenceOptions(url="https://team.atlassian.net/wiki", space="OPS")
    with pytest.raises(SourceUnavailable, match="mail address, a colon and its API token"):
        KIND.open("wiki", frozenset({"everyone"}), options, context)
