"""The receipt, another way, and the choice between two answers, in a real browser against the whole bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa
from house import House, open_house
from model_server import ModelServer
from playwright.async_api import Page, expect
from whole_receipt import whole_receipt

from bot.selection import receipts
from bot.storage.tables import questions

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    async with ModelServer() as server, open_house(tmp_path, models_dir, models=server) as house:
        yield house


async def ask(page: Page, house: House) -> None:
    """Maya asks in #help and opens the thread with the answer."""
    assert house.models is not None
    house.models.script("Run `robot deploy rollback` and name the release that worked. [1]")
    await page.locator('[data-testid=sidebar-item][data-channel="C0HELP"]').click()
    composer = page.get_by_test_id("composer").first
    await composer.fill("@Switchboard How do I roll back a release?")
    await composer.press("Escape")  # closes the suggestions, so that Enter sends
    await composer.press("Enter")
    await page.get_by_test_id("thread-bar").click()
    await expect(page.get_by_test_id("thread-pane").get_by_role("button", name="Why this answer?")).to_have_count(1)


async def test_the_whole_receipt_can_be_read_in_its_modal(page: Page, shots: Path, house: House) -> None:
    await ask(page, house)
    async with house.app.core.engine.begin() as connection:
        await connection.execute(sa.update(questions).values(receipt=receipts.to_json(whole_receipt())))
    await page.get_by_test_id("thread-pane").get_by_role("button", name="Why this answer?").click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("0.71 (0.62–0.79)")
    await expect(modal).to_contain_text("a point of quality (0.01) is worth $0.0004")
    await page.screenshot(path=shots / "receipt-top.png", animations="disabled")
    await modal.get_by_text("Reference").scroll_into_view_if_needed()
    await page.screenshot(path=shots / "receipt-end.png", animations="disabled")


async def test_the_next_best_way_is_one_click_away_and_one_of_both_answers_is_kept(
    page: Page, shots: Path, house: House
) -> None:
    assert house.models is not None
    await ask(page, house)
    pane = page.get_by_test_id("thread-pane")
    await pane.get_by_role("button", name="Try another way").click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("expected quality")
    await page.screenshot(path=shots / "another-way.png", animations="disabled")
    house.models.script("Ask the release manager to roll it back.")
    await modal.get_by_role("button", name="Ask again").click()
    keep = pane.get_by_role("button", name="Keep this one")
    await expect(keep).to_have_count(1)
    await keep.scroll_into_view_if_needed()
    await page.screenshot(path=shots / "which-is-better.png", animations="disabled")
    await keep.click()
    await expect(pane).to_contain_text("Kept by")
    await expect(keep).to_have_count(0)
    await page.screenshot(path=shots / "kept.png", animations="disabled")
