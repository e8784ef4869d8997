"""Modals and the app's Home tab."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect
from slack_bolt.async_app import AsyncApp

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def text_input(block_id: str, label: str, **element: Any) -> dict[str, Any]:
    field = {"type": "plain_text_input", "action_id": block_id, **element}
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": field}


EXAMPLE_BLOCKS: list[dict[str, Any]] = [
    text_input("question", "Question"),
    text_input("answer", "Answer", multiline=True, initial_value="Press twice."),
    {
        "type": "actions",
        "block_id": "more",
        "elements": [
            {"type": "button", "action_id": "details", "text": plain("Details")},
            {"type": "button", "action_id": "hint", "text": plain("Give me a hint")},
        ],
    },
]
EXAMPLE: dict[str, Any] = {
    "type": "modal",
    "callback_id": "example",
    "title": plain("Save as example"),
    "submit": plain("Save"),
    "close": plain("Cancel"),
    "blocks": EXAMPLE_BLOCKS,
}
DETAILS = {
    "type": "modal",
    "title": plain("Details"),
    "close": plain("Back"),
    "blocks": [{"type": "section", "text": plain("More")}],
}


def opens_the_example(app: AsyncApp) -> asyncio.Queue[dict[str, Any]]:
    """The app opens the modal for its shortcut, refuses short questions, and hands on what it takes."""
    taken: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def shortcut(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=EXAMPLE)

    async def submitted(ack: Any, view: dict[str, Any]) -> None:
        values = view["state"]["values"]
        if len(values["question"]["question"]["value"]) < 5:
            await ack(response_action="errors", errors={"question": "Ask a whole question."})
            return
        await ack()
        taken.put_nowait(values)

    async def details(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_push(trigger_id=body["trigger_id"], view=DETAILS)

    async def hint(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        said = {"type": "section", "text": plain("Name the machine.")}
        await client.views_update(view_id=body["view"]["id"], view={**EXAMPLE, "blocks": [said, *EXAMPLE_BLOCKS]})

    app.action("hint")(hint)
    app.shortcut("save_example")(shortcut)
    app.view("example")(submitted)
    app.action("details")(details)
    return taken


async def open_example(page: Page) -> None:
    await page.get_by_test_id("composer").fill("How does one reset the arm?")
    await page.get_by_test_id("send").click()
    message = page.get_by_test_id("message").last
    await message.hover()
    await message.get_by_test_id("more").click()
    await page.get_by_test_id("shortcut-save_example").click()
    await expect(page.get_by_test_id("modal")).to_contain_text("Save as example")


async def test_a_modal_shows_errors_beneath_its_inputs(page: Page, app: AsyncApp) -> None:
    taken = opens_the_example(app)
    await open_example(page)
    modal = page.get_by_test_id("modal")
    block = modal.locator("[data-input-block=question]")
    await page.get_by_test_id("modal-submit").click()
    await expect(block.get_by_role("alert")).to_have_text("Please complete this required field.")
    await modal.locator("[data-action-id=question]").fill("Why")
    await page.get_by_test_id("modal-submit").click()
    await expect(block.get_by_role("alert")).to_have_text("Ask a whole question.")
    await modal.locator("[data-action-id=question]").fill("How does one reset the arm?")
    await page.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)
    values = await asyncio.wait_for(taken.get(), 10)
    assert values["question"]["question"]["value"] == "How does one reset the arm?"
    assert values["answer"]["answer"]["value"] == "Press twice."


async def test_a_pushed_view_goes_back_to_what_was_typed(page: Page, app: AsyncApp) -> None:
    opens_the_example(app)
    await open_example(page)
    modal = page.get_by_test_id("modal")
    await modal.locator("[data-action-id=question]").fill("Half a qu")
    await modal.locator("[data-action-id=details]").click()
    await expect(modal).to_contain_text("More")
    await modal.get_by_role("button", name="Back").first.click()
    await expect(modal.locator("[data-action-id=question]")).to_have_value("Half a qu")
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)


async def test_an_updated_view_keeps_what_was_typed(page: Page, app: AsyncApp) -> None:
    opens_the_example(app)
    await open_example(page)
    modal = page.get_by_test_id("modal")
    await modal.locator("[data-action-id=question]").fill("Half a qu")
    await modal.get_by_role("button", name="Give me a hint").click()
    await expect(modal).to_contain_text("Name the machine.")
    await expect(modal.locator("[data-action-id=question]")).to_have_value("Half a qu")


async def test_the_home_tab_shows_what_the_app_publishes(page: Page, app: AsyncApp) -> None:
    pressed: asyncio.Queue[str] = asyncio.Queue()
    button = {"type": "button", "action_id": "refresh", "text": plain("Refresh"), "value": "now"}

    async def opened(event: dict[str, Any], client: Any) -> None:
        if event["tab"] == "home":
            blocks = [{"type": "header", "text": plain("Good morning")}, {"type": "actions", "elements": [button]}]
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    async def refresh(ack: Any, action: dict[str, Any]) -> None:
        await ack()
        pressed.put_nowait(action["value"])

    app.event("app_home_opened")(opened)
    app.action("refresh")(refresh)
    await page.locator("[data-testid=sidebar-item][data-channel=D0MAYA]").click()
    await page.get_by_test_id("home-tab").click()
    await expect(page.get_by_test_id("home")).to_contain_text("Good morning")
    await page.get_by_test_id("home").get_by_role("button", name="Refresh").click()
    assert await asyncio.wait_for(pressed.get(), 10) == "now"
    await page.get_by_test_id("about-tab").click()
    await expect(page.locator(".about")).to_contain_text("/model")
