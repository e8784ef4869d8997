"""Writing, answering, and everything else that people do in channels."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser


def png(width: int = 4, height: int = 4) -> bytes:
    """A red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\xff\x00\x00" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def say(page: Page, text: str) -> Locator:
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_test_id("composer")).to_have_value("")
    return page.get_by_role("main").get_by_test_id("message").last


async def tool(message: Locator, name: str) -> None:
    await message.hover()
    await message.get_by_test_id(name).click()


async def ts_of(message: Locator) -> str:
    return str(await message.get_attribute("data-ts"))


async def test_enter_sends_and_shift_enter_breaks_the_line(page: Page, workspace: Workspace) -> None:
    composer = page.get_by_test_id("composer")
    await composer.fill("first")
    await composer.press("Shift+Enter")
    await composer.type("second")
    await composer.press("Enter")
    await expect(page.get_by_test_id("message").last).to_contain_text("second")
    [kept] = workspace.state.channels["C0HELP"].messages.values()
    assert kept["text"] == "first\nsecond"


async def test_a_reply_goes_into_the_thread(page: Page, client: AsyncWebClient) -> None:
    message = await say(page, "Who has the key?")
    await tool(message, "reply")
    pane = page.get_by_test_id("thread-pane")
    await pane.get_by_test_id("thread-composer").fill("Ask Leo")
    await pane.get_by_test_id("thread-send").click()
    await expect(pane.get_by_test_id("message").last).to_contain_text("Ask Leo")
    await client.chat_postMessage(channel="C0HELP", thread_ts=await ts_of(message), text="Leo has it")
    await expect(pane.get_by_test_id("message").last).to_contain_text("Leo has it")
    bar = page.get_by_role("main").get_by_test_id("thread-bar")
    await expect(bar).to_contain_text("2 replies")
    await page.keyboard.press("Escape")
    await expect(pane).to_have_count(0)


async def test_consecutive_messages_of_one_person_are_grouped(page: Page) -> None:
    await say(page, "one")
    await say(page, "two")
    await expect(page.locator("[data-testid=message].is-grouped")).to_have_count(1)
    await expect(page.locator(".day-name")).to_have_text(["Today"])


async def test_own_messages_are_edited_and_deleted(page: Page) -> None:
    message = await say(page, "teh arm")
    await tool(message, "more")
    await page.get_by_test_id("edit").click()
    await message.get_by_label("Edit message").fill("the arm")
    await message.get_by_role("button", name="Save").click()
    await expect(message).to_contain_text("the arm")
    await expect(message).to_contain_text("(edited)")
    await tool(message, "more")
    await page.get_by_test_id("delete").click()
    await page.get_by_test_id("confirm-yes").click()
    await expect(page.get_by_test_id("message")).to_have_count(0)


async def test_a_reaction_is_given_and_taken_back(page: Page, workspace: Workspace) -> None:
    message = await say(page, "Done")
    await tool(message, "react")
    await page.get_by_label("Search emoji").fill("tada")
    await page.locator("[data-emoji=tada]").click()
    chip = message.locator("[data-reaction=tada]")
    await expect(chip).to_have_attribute("aria-pressed", "true")
    [kept] = workspace.state.channels["C0HELP"].messages.values()
    assert kept["reactions"][0]["users"] == ["U0MAYA"]
    await chip.click()
    await expect(chip).to_have_count(0)


async def test_an_uploaded_picture_is_shown(page: Page) -> None:
    upload: Any = {"name": "arm.png", "mimeType": "image/png", "buffer": png()}
    await page.get_by_test_id("file-input").set_input_files([upload])
    await expect(page.locator(".attachment")).to_have_count(1)
    await page.get_by_test_id("send").click()
    picture = page.get_by_test_id("message").last.locator("img")
    await expect(picture).to_have_js_property("naturalWidth", 4)
    await expect(page.locator(".attachment")).to_have_count(0)


async def test_a_pasted_picture_waits_in_the_composer(page: Page) -> None:
    await page.get_by_test_id("composer").evaluate(
        """(area) => {
            const files = new DataTransfer();
            files.items.add(new File(["x"], "pasted.png", { type: "image/png" }));
            area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: files, cancelable: true }));
        }"""
    )
    await expect(page.locator(".attachment")).to_have_attribute("title", "pasted.png")
    await expect(page.get_by_test_id("send")).to_be_enabled()


async def test_a_mention_is_completed(page: Page, workspace: Workspace) -> None:
    composer = page.get_by_test_id("composer")
    await composer.type("Thanks @ana")
    await expect(page.get_by_test_id("suggestions").get_by_role("option")).to_have_count(1)
    await composer.press("Tab")
    await expect(composer).to_have_value("Thanks @ana ")
    await composer.press("Enter")
    await expect(page.get_by_test_id("message").last.locator(".mention")).to_have_text("@Ana Silva")
    [kept] = workspace.state.channels["C0HELP"].messages.values()
    assert kept["text"].strip() == "Thanks <@U0ANA>"


async def test_a_command_is_suggested_and_answers_privately(page: Page, app: AsyncApp) -> None:
    async def ask(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"You asked *{command['text']}*")

    app.command("/ask")(ask)
    composer = page.get_by_test_id("composer")
    await composer.type("/a")
    suggestion = page.get_by_test_id("suggestions").get_by_role("option")
    await expect(suggestion).to_contain_text("your question")
    await expect(suggestion).to_contain_text("Ask privately")
    await composer.press("Enter")
    await composer.type("why?")
    await composer.press("Enter")
    answer = page.get_by_test_id("message").last
    await expect(answer).to_contain_text("Only visible to you")
    await expect(answer.locator("strong")).to_have_text("why?")


async def test_an_unknown_command_is_refused_in_a_sentence(page: Page) -> None:
    await page.get_by_test_id("composer").fill("/nonsense")
    await page.get_by_test_id("composer").press("Enter")
    await expect(page.get_by_test_id("toast")).to_contain_text("/nonsense is not a valid command")
    await expect(page.get_by_test_id("composer")).to_have_value("/nonsense")


async def test_news_elsewhere_are_counted_until_read(page: Page, client: AsyncWebClient) -> None:
    await client.chat_postMessage(channel="C0ENG", text="Build 7 is out, <@U0MAYA>")
    item = page.locator("[data-testid=sidebar-item][data-channel=C0ENG]")
    await expect(item.locator(".badge")).to_have_text("1")
    await item.click()
    await expect(page.get_by_test_id("message").last).to_contain_text("Build 7 is out")
    await expect(item.locator(".badge")).to_have_count(0)


async def test_the_switcher_goes_to_a_channel(page: Page) -> None:
    await page.keyboard.press("Control+k")
    await page.get_by_test_id("switcher-search").fill("engin")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("channel-header")).to_contain_text("engineering")


async def test_acting_as_someone_else_hides_what_they_may_not_see(page: Page) -> None:
    finance = page.locator("[data-testid=sidebar-item][data-channel=G0FIN]")
    await expect(finance).to_be_visible()
    await page.get_by_test_id("person-switcher").click()
    await page.get_by_test_id("act-as-U0LEO").click()
    await expect(page.get_by_test_id("person-switcher")).to_contain_text("Leo Brandt")
    await expect(finance).to_have_count(0)
