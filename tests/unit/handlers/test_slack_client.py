from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError

from handlers.errors import sentence
from handlers.slack_client import SlackClient, slack_session

PAGE = "The proxy does not let this through."


@pytest.fixture
async def proxy() -> AsyncIterator[str]:
    """The address of something before Slack that answers with a page of its own."""

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=403, text=PAGE)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"{site.name}/api/"
    await runner.cleanup()


async def test_a_page_in_the_place_of_slacks_answer_is_an_error_of_slack_that_a_person_is_told(proxy: str) -> None:
    async with slack_session() as session:
        client = SlackClient("token", metrics=None, base_url=proxy, session=session)
        with pytest.raises(SlackApiError) as raised:
            await client.auth_test()
    assert raised.value.response.get("error") == ""
    said = sentence(raised.value, "abc")
    assert "Slack" in said
    assert "proxy does not" not in said
