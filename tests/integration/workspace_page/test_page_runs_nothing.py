"""The page shows hostile texts and runs none of them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect
from slack_sdk.web.async_client import AsyncWebClient

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser

ATTACKS = (
    "<script>window.ran=1</script>",
    "<img src=x onerror='window.ran=1'>",
    "<svg onload=window.ran=1><a href='javascript:window.ran=1'>svg</a>",
    "[click](javascript:window.ran=1) <javascript:window.ran=1|click>",
    "[click](java\nscript:window.ran=1) [x](data:text/html,<script>window.ran=1</script>)",
    "[x](vbscript:window.ran=1) <a href=javascript:window.ran=1>html</a>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    "```<script>window.ran=1</script>\n<img src=x onerror=window.ran=1>\n```",
    "| <img src=x onerror=window.ran=1> | [x](javascript:window.ran=1) |\n|---|---|\n| a | b |",
    "`<style>@import 'javascript:window.ran=1'</style>` <details open ontoggle=window.ran=1>",
)


def blocks(text: str) -> list[dict[str, Any]]:
    """The same text in every kind of field."""
    link = {"type": "link", "url": "javascript:window.ran=1", "text": text}
    return [
        {"type": "markdown", "text": text},
        {"type": "section", "text": {"type": "mrkdwn", "text": text}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": text}, {"type": "plain_text", "text": text}]},
        {"type": "header", "text": {"type": "plain_text", "text": text[:150]}},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [link]}]},
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "x",
                    "url": "javascript:window.ran=1",
                    "text": {"type": "plain_text", "text": text[:75]},
                }
            ],
        },
    ]


async def test_no_text_of_a_message_is_run_and_no_link_of_it_leads_to_code(page: Page, client: AsyncWebClient) -> None:
    for text in ATTACKS:
        posted = await client.chat_postMessage(channel="C0HELP", text=text, blocks=blocks(text))
        message = page.locator(f'[data-ts="{posted["ts"]}"]')
        await expect(message.locator('[data-block-type="context"]').first).to_be_visible()
        assert await message.locator("script, iframe, object, embed, svg[onload], [onerror], style").count() == 0
        for link in await message.locator("a[href]").all():
            assert str(await link.get_attribute("href")).startswith(("http:", "https:", "/"))
    await page.locator('[data-action-id="x"]').last.click()
    assert await page.evaluate("window.ran") is None
