"""An example from a thumb to the list and back, and a file of them, in a real browser against the whole bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from house import House, open_house
from model_server import ModelServer
from playwright.async_api import Page, expect

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser

CSV = """question,answer,tags,valid_until
When do deploys run?,"On Tuesdays and Thursdays at 10:00, never on Fridays.","deploys, ops",2030-06-30
Who is on call?,See the rota in #engineering.,on call,
How do I ask for a new robot arm?,,hardware,
"""


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    async with ModelServer() as server, open_house(tmp_path, models_dir, models=server) as house:
        yield house


async def typed(page: Page, text: str) -> None:
    composer = page.get_by_test_id("composer").first
    await composer.fill(text)
    await composer.press("Escape")  # closes the suggestions, so that Enter sends
    await composer.press("Enter")


async def test_a_good_answer_becomes_an_example_that_is_listed_edited_and_retired(
    page: Page, shots: Path, house: House, tmp_path: Path
) -> None:
    assert house.models is not None
    house.models.script("Run `robot deploy rollback` and name the release that worked. [1]")
    await page.locator('[data-testid=sidebar-item][data-channel="C0HELP"]').click()
    await typed(page, "@Switchboard How do I roll back a release?")
    await page.get_by_test_id("thread-bar").click()
    pane = page.get_by_test_id("thread-pane")
    await pane.get_by_role("button", name="This answer helped").click()
    await pane.get_by_role("button", name="Save as example").click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("I use it as an example in answers for everyone")
    await modal.get_by_label("Tags").fill("deploys, releases")
    await page.screenshot(path=shots / "example-modal.png", animations="disabled")
    await modal.get_by_role("button", name="Save").click()
    await expect(pane).to_contain_text("Saved.")

    (tmp_path / "team.csv").write_text(CSV)
    await typed(page, "/examples import")
    await modal.locator("input[type=file]").set_input_files(tmp_path / "team.csv")
    await page.screenshot(path=shots / "example-import.png", animations="disabled")
    await modal.get_by_role("button", name="Import").click()
    last = page.get_by_test_id("message").last
    await expect(last).to_contain_text("2 kept, 1 left out: line 4 has no answer.")
    await typed(page, "/examples")
    await expect(last).to_contain_text("3 examples that you may read")
    await expect(last).to_contain_text("valid until 30 June 2030")
    await page.screenshot(path=shots / "examples.png", animations="disabled")
    await last.get_by_role("button", name="Retire").first.click()
    await expect(page.get_by_test_id("message").last).to_contain_text("I do not use it any more.")
    await page.screenshot(path=shots / "example-retired.png", animations="disabled")
