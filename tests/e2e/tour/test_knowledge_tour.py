"""An admin adds knowledge, in a real browser against the whole bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from house import House, open_house
from playwright.async_api import Page, expect

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, models_dir) as house:
        yield house


async def say(page: Page, text: str) -> None:
    composer = page.get_by_test_id("composer").first
    await composer.fill(text)
    await composer.press("Escape")  # closes the suggestions, so that Enter sends
    await composer.press("Enter")


async def test_an_admin_adds_a_folder_finds_something_in_it_and_forgets_it(
    page: Page, shots: Path, tmp_path: Path
) -> None:
    guides = tmp_path / "guides"
    guides.mkdir()
    (guides / "mugs.md").write_text("# Mugs\n\nThe blue mugs belong to the robot team.\n", encoding="utf-8")
    (guides / "scan.pdf").write_bytes(b"%PDF-1.7 broken")
    await page.locator('[data-testid=sidebar-item][data-channel="C0HELP"]').click()
    await say(page, f"/knowledge add {guides}")
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("This is a folder")
    await page.screenshot(path=shots / "knowledge-add.png", animations="disabled")
    await modal.get_by_role("button", name="Add").click()
    last = page.get_by_test_id("message").last
    await expect(last).to_contain_text("1 document can be found from now on")
    await say(page, "/knowledge search blue mugs in:guides")
    await expect(last).to_contain_text("belong to the robot team")
    await say(page, "/knowledge")
    await expect(last).to_contain_text("scan.pdf")
    await page.screenshot(path=shots / "knowledge-list.png", animations="disabled")
    await say(page, "/knowledge forget guides")
    await last.get_by_role("button", name="Forget it").click()
    await expect(last).to_contain_text("are forgotten")


async def test_home_shows_the_sources_and_refreshes_one(page: Page, shots: Path, house: House) -> None:
    await page.locator('[data-testid=sidebar-item][data-channel="D0MAYA"]').click()
    await page.get_by_test_id("home-tab").click()
    home = page.get_by_test_id("home")
    await expect(home).to_contain_text("2 documents")
    (house.docs / "news.md").write_text("# News\n\nThe lift is blue.\n", encoding="utf-8")
    await home.get_by_role("button", name="Refresh").first.click()
    await expect(home).to_contain_text("3 documents")
    await home.get_by_role("heading", name="What I know").scroll_into_view_if_needed()
    await page.screenshot(path=shots / "home-knowledge.png", animations="disabled")
