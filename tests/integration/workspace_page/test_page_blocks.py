"""What the app posts, as the page shows it, and what a person does with it, as the app hears it."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from deploy.workspace.server import Workspace

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser

Gallery = dict[str, list[dict[str, Any]]]
Heard = asyncio.Queue[dict[str, Any]]


@pytest.fixture
def heard(app: AsyncApp) -> Heard:
    """Every block action that the app gets."""
    queue: Heard = asyncio.Queue()

    async def note(ack: Any, body: dict[str, Any]) -> None:
        await ack()
        queue.put_nowait(body["actions"][0])

    app.action(re.compile(".*"))(note)
    return queue


async def next_action(heard: Heard) -> dict[str, Any]:
    return await asyncio.wait_for(heard.get(), 10)


async def post(client: AsyncWebClient, blocks: list[dict[str, Any]]) -> str:
    answer = await client.chat_postMessage(channel="C0HELP", text="gallery", blocks=blocks)
    return str(answer["ts"])


async def test_every_kind_of_block_is_shown(page: Page, client: AsyncWebClient, gallery: Gallery) -> None:
    for blocks in gallery.values():
        ts = await post(client, blocks)
        message = page.locator(f'[data-ts="{ts}"]')
        for kind in {block["type"] for block in blocks}:
            await expect(message.locator(f'[data-block-type="{kind}"]').first).to_be_visible()
    await expect(page.locator(".unknown-block")).to_have_count(0)


async def test_an_unknown_block_names_its_type_quietly(page: Page, workspace: Workspace) -> None:
    channel = workspace.state.channels["C0HELP"]
    workspace.core.messages.post(channel, "U0SWITCH", "a call", blocks=[{"type": "call", "call_id": "R1"}])
    await expect(page.locator(".unknown-block")).to_contain_text("“call”")


async def test_markdown_becomes_structure(page: Page, client: AsyncWebClient, gallery: Gallery) -> None:
    ts = await post(client, gallery["texts"])
    shown = page.locator(f'[data-ts="{ts}"] [data-block-type=markdown]')
    await expect(shown.locator("ol > li > ul > li")).to_have_text(["nested one", "nested two"])
    await expect(shown.locator("pre")).to_contain_text('return f"Hello {name}"')
    await expect(shown.locator(".code-language")).to_have_text("python")
    await expect(shown.locator("tbody tr").nth(1).locator("td")).to_have_text(["small-1", "0.15", "0.84"])
    await expect(shown.locator("blockquote strong")).to_have_text("weight")
    await expect(shown.get_by_role("link", name="[1]")).to_have_attribute("href", "https://example.com/1")
    await expect(shown.locator("s")).to_have_text("struck")


async def test_mrkdwn_names_people_and_channels(page: Page, client: AsyncWebClient, gallery: Gallery) -> None:
    ts = await post(client, gallery["texts"])
    shown = page.locator(f'[data-ts="{ts}"] [data-block-id=words].block')
    await expect(shown.locator(".mention")).to_have_text(["@Leo Brandt", "#help", "@here"])
    await expect(shown.get_by_role("img", name=":+1:")).to_be_visible()
    await expect(shown).to_contain_text("<b>not markup</b>")
    await expect(shown.locator("blockquote")).to_have_text("quoted words")


async def test_markup_in_texts_is_never_run(page: Page, client: AsyncWebClient, gallery: Gallery) -> None:
    attack = '<img src=x onerror="window.broken = true">[click](javascript:window.broken=true)'
    ts = await post(client, [*gallery["texts"], {"type": "markdown", "text": attack}])
    message = page.locator(f'[data-ts="{ts}"]')
    await expect(message).to_contain_text("<script>window.broken = true</script>")
    await expect(message.locator("script, [onerror], a[href^=javascript]")).to_have_count(0)
    assert await page.evaluate("window.broken") is None


@pytest.mark.parametrize("mark", ["**a ", "_a ", "[", "[a](", "`a``b", "~~a ", "<", ">"])
async def test_thousands_of_unclosed_marks_do_not_hold_the_page_up(
    page: Page, client: AsyncWebClient, mark: str
) -> None:
    text = mark * (10_000 // len(mark))
    await post(client, [{"type": "markdown", "text": text}])
    await client.chat_postMessage(channel="C0HELP", text=text)
    await client.chat_postMessage(channel="C0HELP", text="and on")
    await expect(page.get_by_test_id("message").last).to_contain_text("and on")


async def test_buttons_reach_the_app(page: Page, client: AsyncWebClient, gallery: Gallery, heard: Heard) -> None:
    await post(client, gallery["controls"])
    await page.get_by_role("button", name="Why this answer?").click()
    action = await next_action(heard)
    assert (action["type"], action["action_id"], action["value"]) == ("button", "plain", "why")
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_test_id("confirm-deny").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_test_id("confirm-yes").click()
    assert (await next_action(heard))["action_id"] == "danger"
    assert heard.empty(), "the denied press must not reach the app"


async def test_choices_reach_the_app(
    page: Page, client: AsyncWebClient, app: AsyncApp, gallery: Gallery, heard: Heard
) -> None:
    async def suggest(ack: Any, payload: dict[str, Any]) -> None:
        await ack(options=[{"text": {"type": "plain_text", "text": f"{payload['value']} one"}, "value": "1"}])

    app.options("external")(suggest)
    await post(client, gallery["controls"])

    await page.locator("[data-action-id=model]").click()
    await page.get_by_role("option", name="small-1").click()
    assert (await next_action(heard))["selected_option"]["value"] == "small-1"
    await expect(page.locator("[data-action-id=model]")).to_contain_text("small-1")

    await page.locator("[data-action-id=external]").click()
    await page.get_by_label("Search options").fill("large")
    await page.get_by_role("option", name="large one").click()
    assert (await next_action(heard))["selected_option"]["value"] == "1"

    await page.locator("[data-action-id=person]").click()
    await page.get_by_role("option", name="Ana Silva").click()
    assert (await next_action(heard))["selected_user"] == "U0ANA"

    await page.get_by_label("Always search first").check()
    assert (await next_action(heard))["selected_option"]["value"] == "rag"
    await page.get_by_label("Show the price").check()
    assert [one["value"] for one in (await next_action(heard))["selected_options"]] == ["price"]
    await page.locator("[data-action-id=day]").fill("2026-12-24")
    assert (await next_action(heard))["selected_date"] == "2026-12-24"


async def test_feedback_stays_pressed(page: Page, client: AsyncWebClient, gallery: Gallery, heard: Heard) -> None:
    await post(client, gallery["texts"])
    thumb = page.get_by_role("button", name="This answer helped")
    await thumb.click()
    action = await next_action(heard)
    assert (action["type"], action["value"]) == ("feedback_buttons", "up")
    await expect(thumb).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_role("button", name="This answer did not help")).to_have_attribute("aria-pressed", "false")


async def test_an_overflow_menu_opens_and_chooses(
    page: Page, client: AsyncWebClient, gallery: Gallery, heard: Heard
) -> None:
    await post(client, gallery["texts"])
    await page.locator("[data-action-id=more]").click()
    await page.get_by_role("menuitem", name="Try another way").click()
    assert (await next_action(heard))["selected_option"]["value"] == "again"


async def test_a_data_table_sorts_and_turns_pages(page: Page, client: AsyncWebClient, gallery: Gallery) -> None:
    await post(client, gallery["figures"])
    table = page.locator("[data-block-type=data_table]")
    heads = table.locator("tbody th")
    await expect(heads).to_have_text(["offline", "small-1", "large-2"])
    await table.get_by_role("button", name="USD").click()
    await table.get_by_role("button", name="USD").click()
    await expect(heads).to_have_text(["large-2", "tuned-3", "small-1"])
    await table.get_by_role("button", name="Next page").click()
    await expect(heads).to_have_text(["offline"])


async def test_charts_say_their_values(page: Page, client: AsyncWebClient, gallery: Gallery) -> None:
    await post(client, gallery["figures"])
    await post(client, gallery["curves"])
    await expect(page.locator("[data-chart=bar] .chart-bar")).to_have_count(10)
    await expect(page.get_by_role("img", name="Wed · large-2: 2.1")).to_be_visible()
    await expect(page.get_by_role("img", name="rag: 45 (45 %)")).to_be_visible()
    await expect(page.locator("[data-chart=line] .chart-dot")).to_have_count(8)
    await page.get_by_role("img", name="Tue · prompt: 81,000").hover()
    await expect(page.locator("[data-chart=area] .chart-tip")).to_have_text("Tue · prompt: 81,000")
