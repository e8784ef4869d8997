"""Files and canvases of a channel."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from slack_history import Run
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.driver import Driver
from knowledge.errors import DocumentUnreadable
from knowledge.sources.base import Listing, Past
from knowledge.sources.slack.api import SlackApi
from knowledge.sources.slack.source import SlackSource

if TYPE_CHECKING:
    from tests.integration.knowledge.slack.conftest import Open

ENG = "C0ENG"
PLAN = b"# The plan\n\nThe arm gets a second joint in spring."


def files_of(run: Run) -> dict[str, str]:
    """Paths of the files by title."""
    return {reading.title: path for path, reading in run.readings.items() if path.startswith("files/")}


async def test_a_file_is_a_document_with_the_channels_readers(opened: Open, run: Run, maya: Driver) -> None:
    await maya.post("G0FIN", "", files={"the plan.md": PLAN})
    await run.follow(opened("G0FIN"))
    path = files_of(run)["The plan"]
    assert "second joint" in run.text(path)
    assert run.readings[path].author == "Maya Chen"
    assert run.readers[path] == {"channel:G0FIN"}
    assert run.urls[path] is not None


async def test_a_changed_file_is_read_again_and_a_deleted_one_goes(opened: Open, run: Run, maya: Driver) -> None:
    await maya.post(ENG, "", files={"plan.md": PLAN})
    source = opened()
    await run.follow(source)
    path = files_of(run)["The plan"]
    await run.follow(source)
    assert run.read == []
    new = base64.b64encode(PLAN.replace(b"spring", b"autumn")).decode()
    await maya.act("change_file", file=path.removeprefix("files/"), content_base64=new)
    await run.follow(source)
    assert "autumn" in run.text(path)
    await maya.act("delete_file", file=path.removeprefix("files/"))
    await run.follow(opened())
    assert run.readings == {}


async def test_a_canvas_is_read_as_a_page(opened: Open, run: Run, maya: Driver) -> None:
    html = "<h1>Runbook</h1><p>Restart the <b>arm</b> by hand.</p><ul><li>Open the door</li></ul>"
    await maya.control("set_canvas", channel=ENG, title="Runbook of the arm", html=html)
    await run.follow(opened())
    path = files_of(run)["Runbook of the arm"]
    assert "Restart the arm by hand." in run.text(path).replace("**", "")
    assert "Open the door" in run.text(path)
    assert "<p>" not in run.text(path)


async def test_files_may_be_left_out(opened: Open, run: Run, maya: Driver) -> None:
    await maya.post(ENG, "", files={"plan.md": PLAN})
    await run.follow(opened(with_files=False))
    assert files_of(run) == {}


async def test_files_that_no_parser_reads_are_passed_over(opened: Open, run: Run, maya: Driver) -> None:
    await maya.post(ENG, "", files={"arm.stl": b"solid", "photo.png": b"\x89PNG"})
    await run.follow(opened())
    assert files_of(run) == {}


async def test_a_large_file_and_an_empty_one_are_named(opened: Open, maya: Driver) -> None:
    await maya.post(ENG, "", files={"huge.txt": b"words " * 100, "empty.txt": b"  "})
    source = opened()
    source._files._most_bytes = 500
    listings = [each async for each in source.listings(Past(None, {})) if isinstance(each, Listing)]
    said = []
    for listing in listings:
        if listing.path.startswith("files/"):
            with pytest.raises(DocumentUnreadable) as refused:
                await source.read(listing)
            said.append(str(refused.value))
    assert any("huge.txt is larger than" in each for each in said)
    assert any("empty.txt holds no text" in each for each in said)


async def test_one_file_is_found_at_once(opened: Open, run: Run, maya: Driver) -> None:
    await maya.post(ENG, "", files={"plan.md": PLAN})
    source = opened()
    await run.follow(source)
    path = files_of(run)["The plan"]
    found = await source.find(path)
    assert found is not None
    assert found.version == run.versions[path]
    await maya.act("delete_file", file=path.removeprefix("files/"))
    assert await source.find(path) is None


async def test_the_token_goes_to_slack_alone(opened: Open, client: AsyncWebClient, maya: Driver) -> None:
    asked: list[str] = []

    async def seen(request: web.Request) -> web.Response:
        asked.append(str(request.headers.get("Authorization")))
        return web.Response(text="words")

    elsewhere = web.Application()
    elsewhere.router.add_get("/{path:.*}", seen)
    runner = web.AppRunner(elsewhere)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        api = SlackApi(client)
        for url in (f"http://127.0.0.1:{port}/plan.md", "file:///etc/passwd", "plan.md", "http://files.slack.com/a"):
            with pytest.raises(DocumentUnreadable, match="does not lie with Slack"):
                await api.download(url, "plan.md", 1000)
    finally:
        await runner.cleanup()
    assert asked == []


async def test_a_file_that_slack_does_not_hand_out_says_so(opened: Open, client: AsyncWebClient, maya: Driver) -> None:
    await maya.post(ENG, "", files={"plan.md": PLAN})
    source: SlackSource = opened()
    (listing,) = [each async for each in source.listings(Past(None, {})) if getattr(each, "path", "")[:5] == "files"]
    client.token = "xoxb-another"
    assert isinstance(listing, Listing)
    with pytest.raises(DocumentUnreadable, match="files:read"):
        await source.read(listing)
