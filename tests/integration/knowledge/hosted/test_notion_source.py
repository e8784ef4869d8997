"""Notion, from a server that answers as Notion's API does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from service_server import TOKEN, ServiceServer, look, said, serving

from knowledge.errors import DocumentUnreachable, SourceUnavailable
from knowledge.sources.hosted import HostedSource
from knowledge.sources.kinds import SourceContext
from knowledge.sources.notion import KIND, NotionOptions


@dataclass
class NotionServer(ServiceServer):
    """What was shared with the integration."""

    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def page(self, identifier: str, title: str, text: str, *, edited: str = "2026-03-01", **more: Any) -> None:
        self.texts[identifier] = text
        self.pages[identifier] = {
            "object": "page",
            "id": identifier,
            "url": f"https://www.notion.so/{identifier}",
            "last_edited_time": f"{edited}T09:00:00.000Z",
            "in_trash": False,
            "properties": {"Name": {"type": "title", "title": [{"plain_text": title}]}},
            **more,
        }

    async def search(self, request: web.Request) -> web.Response:
        asked = await request.json()
        newest = sorted(self.pages.values(), key=lambda page: str(page["last_edited_time"]), reverse=True)
        start = int(asked.get("start_cursor") or 0)
        more = len(newest) > start + 2
        answer = {
            "results": newest[start : start + 2],
            "has_more": more,
            "next_cursor": str(start + 2) if more else None,
        }
        return web.json_response({"object": "list", **answer})

    async def one(self, request: web.Request) -> web.Response:
        page = self.pages.get(request.match_info["id"])
        missing = {"object": "error", "status": 404, "code": "object_not_found", "message": "Could not find page."}
        return web.json_response(page or missing, status=200 if page else 404)

    async def markdown(self, request: web.Request) -> web.Response:
        identifier = request.match_info["id"]
        return web.json_response({"object": "page_markdown", "id": identifier, "markdown": self.texts[identifier]})


@pytest.fixture
async def notion() -> AsyncIterator[NotionServer]:
    server = NotionServer()
    routes = [
        web.post("/v1/search", server.search),
        web.get("/v1/pages/{id}", server.one),
        web.get("/v1/pages/{id}/markdown", server.markdown),
    ]
    async with serving(routes, server):
        yield server


@pytest.fixture
async def source(notion: NotionServer, context: SourceContext) -> AsyncIterator[HostedSource]:
    opened = KIND.open("notes", frozenset({"everyone"}), NotionOptions(api=notion.url), context)
    yield opened
    await opened.close()


async def test_a_page_is_read_as_markdown_with_its_title_and_link(notion: NotionServer, source: HostedSource) -> None:
    notion.page("a1", "On call", "# Who\n\nMaya until Friday.\n\n| day | who |\n| --- | --- |\n| Mon | Leo |")
    run = await look(source)
    assert run.listings["a1"].url == "https://www.notion.so/a1"
    reading = await source.read(run.listings["a1"])
    assert reading.title == "On call"
    assert "Maya until Friday." in said(reading)
    assert "| Mon | Leo |" in said(reading)


async def test_all_pages_are_listed_and_the_next_look_stops_at_what_is_known(
    notion: NotionServer, source: HostedSource
) -> None:
    for number in range(5):
        notion.page(f"a{number}", f"Page {number}", "words")
    first = await look(source)
    assert len(first.listings) == 5
    assert first.is_complete
    notion.page("b", "New", "words", edited="2999-01-01")
    notion.asked.clear()
    second = await look(source, first.past())
    assert list(second.listings) == ["b"]
    assert not second.is_complete
    assert len(notion.asked) == 1


async def test_a_page_in_the_bin_or_no_longer_shared_is_not_read(notion: NotionServer, source: HostedSource) -> None:
    notion.page("a", "Old", "words")
    notion.page("b", "Older", "words")
    run = await look(source)
    notion.page("a", "Old", "words", in_trash=True)
    del notion.pages["b"]
    for path in ("a", "b"):
        with pytest.raises(DocumentUnreachable):
            await source.read(run.listings[path])
    assert (await look(source)).listings == {}


async def test_a_refused_secret_is_named_by_its_variable(notion: NotionServer, source: HostedSource) -> None:
    error = {"object": "error", "status": 401, "code": "unauthorized", "message": f"API token {TOKEN} is invalid."}
    notion.refuse = lambda: web.json_response(error, status=401)
    with pytest.raises(SourceUnavailable, match="NOTION_TOKEN") as caught:
        await look(source)
    assert TOKEN not in str(caught.value)


def test_an_address_in_notion_is_recognised() -> None:
    assert KIND.recognise("https://www.notion.so/team/Handbook-0123456789abcdef0123456789abcdef") == {}
    assert KIND.recognise("https://example.org/notion.so/") is None
