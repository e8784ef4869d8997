"""The page itself: lost connections, small windows, the keyboard, and what a screen reader is told."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser

NAMELESS = """() => [...document.querySelectorAll("button, a, input:not([type=hidden]), textarea, [role=img]")]
    .filter((one) => one.offsetParent && !one.textContent.trim() && !one.placeholder
        && !one.getAttribute("aria-label") && !one.title && !one.closest("label"))
    .map((one) => one.outerHTML.slice(0, 200))"""


async def test_the_page_comes_back_after_the_workspace_was_away(browser: Browser) -> None:
    first = Workspace(port=0)
    await first.start()
    page = await browser.new_page()
    await page.goto(first.url)
    await page.get_by_test_id("composer").wait_for()
    await first.stop()
    lost = page.get_by_text("Reconnecting…")
    await expect(lost).to_be_visible()
    async with Workspace(port=urlsplit(first.url).port or 0) as second:
        channel = second.state.channels["C0HELP"]
        second.core.messages.post(channel, "U0LEO", "Posted meanwhile")
        await expect(lost).to_be_hidden(timeout=15_000)
        await expect(page.get_by_test_id("message")).to_contain_text("Posted meanwhile")
        await page.close()


@pytest.mark.parametrize("width", [900, 1000, 1440])
async def test_nothing_is_cut_off_in_a_window_of_this_width(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 700})
    await page.get_by_test_id("composer").fill("Who?")
    await page.get_by_test_id("send").click()
    message = page.get_by_role("main").get_by_test_id("message").last
    await message.hover()
    await message.get_by_test_id("reply").click()
    for name in ("thread-composer", "thread-close", "person-switcher"):
        await expect(page.get_by_test_id(name)).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_every_control_has_a_name(page: Page, client: AsyncWebClient) -> None:
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    blocks = [{"type": "actions", "elements": [button]}]
    await client.chat_postMessage(channel="C0HELP", text="controls", blocks=blocks)
    await page.get_by_test_id("message").hover()
    assert await page.evaluate(NAMELESS) == []
    await page.get_by_test_id("message").get_by_test_id("reply").click()
    await page.get_by_test_id("thread-composer").wait_for()
    await page.get_by_test_id("members-button").click()
    assert await page.evaluate(NAMELESS) == []


async def test_news_are_announced(page: Page, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0HELP", text="The build is green")
    await expect(page.locator("#announcer")).to_have_text("Switchboard: The build is green")


async def test_messages_are_walked_with_the_arrow_keys(page: Page, client: AsyncWebClient) -> None:
    for text in ("one", "two"):
        await client.chat_postMessage(channel="C0HELP", text=text)
    last = page.get_by_test_id("message").nth(1)
    await expect(last).to_contain_text("two")
    await last.focus()
    await page.keyboard.press("ArrowUp")
    first = page.get_by_test_id("message").nth(0)
    await expect(first).to_be_focused()
    await expect(first.get_by_test_id("react")).to_be_visible()


async def test_an_unknown_person_is_told_so(browser: Browser, workspace: Workspace) -> None:
    page = await browser.new_page()
    await page.goto(f"{workspace.url}/?as=U0NOBODY")
    await expect(page.get_by_text("There is nobody with the id 'U0NOBODY' here.")).to_be_visible()
    await page.close()
