"""A source changes under an answer, somebody asks again, and somebody needs a person, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from house import ROLLBACK, House, open_house
from model_server import ModelServer
from playwright.async_api import Page, expect

from bot.jobs.recall_job import recall_job
from handlers.audience import Places
from handlers.begun import Begun
from handlers.identity import Identity
from handlers.recalling import Notes

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    async with ModelServer() as server, open_house(tmp_path, models_dir, models=server) as house:
        yield house


async def say(page: Page, text: str) -> None:
    composer = page.get_by_test_id("composer").first
    await composer.fill(text)
    await composer.press("Escape")  # closes the suggestions, so that Enter sends
    await composer.press("Enter")


async def ask(page: Page, house: House) -> None:
    """Maya asks in #help and opens the thread with the answer."""
    assert house.models is not None
    house.models.script("Run `robot deploy rollback` and name the release that worked. It takes two minutes. [1]")
    await page.locator('[data-testid=sidebar-item][data-channel="C0HELP"]').click()
    await say(page, "@Switchboard How do I roll back a release?")
    await page.get_by_test_id("thread-bar").last.click()
    await expect(page.get_by_test_id("thread-pane").get_by_role("button", name="I need a person")).to_have_count(1)


async def test_a_thread_hears_that_its_source_has_changed_and_somebody_asks_again(
    page: Page, shots: Path, house: House
) -> None:
    await ask(page, house)
    text = ROLLBACK.replace("takes two minutes", "takes nine minutes, and needs the release manager")
    (house.docs / "deploying.md").write_text(text, encoding="utf-8")
    core, client = house.app.core, house.app.client
    await core.knowledge.refresh()
    notes = Notes(client, core, Places(client), Begun(client, core.replies, Identity(client)))
    await recall_job(core.noticing, core.recalls, notes.tell, timedelta(days=90))(core.clock())
    pane = page.get_by_test_id("thread-pane")
    await expect(pane).to_contain_text("The source of this answer has changed")
    await expect(pane).to_contain_text("nine minutes, and needs")
    await expect(pane).to_contain_text("It takes two minutes. [1]")
    again = pane.get_by_role("button", name="Ask again")
    await again.scroll_into_view_if_needed()
    await page.screenshot(path=shots / "recall-note.png", animations="disabled")
    assert house.models is not None
    house.models.script("It takes nine minutes now, and the release manager has to do it. [1]")
    await again.click()
    await expect(pane).to_contain_text("It takes nine minutes now")
    await expect(again).to_have_count(0)


async def test_an_owner_is_named_and_tagged_where_somebody_needs_a_person(
    page: Page, shots: Path, house: House
) -> None:
    await page.locator('[data-testid=sidebar-item][data-channel="C0HELP"]').click()
    await say(page, "/switchboard owner @sam")
    await expect(page.get_by_test_id("message").last).to_contain_text("looks after this channel")
    await ask(page, house)
    pane = page.get_by_test_id("thread-pane")
    await pane.get_by_role("button", name="I need a person").click()
    await expect(pane).to_contain_text("needs a person here")
    await expect(pane).to_contain_text("If nobody writes here, I ask once more")
    await pane.get_by_text("needs a person here").scroll_into_view_if_needed()
    await page.screenshot(path=shots / "hand-off.png", animations="disabled")


async def test_a_persons_answer_is_marked_and_kept(page: Page, shots: Path, house: House) -> None:
    await ask(page, house)
    pane = page.get_by_test_id("thread-pane")
    async with house.person("U0SAM") as sam:
        (*_, asked) = [m for m in await sam.history("C0HELP") if "roll back" in m["text"]]
        words = "At night ask the release manager first: the robots in hall 2 do not stop for a rollback."
        await sam.post("C0HELP", words, thread=asked["ts"])
    answer = pane.get_by_test_id("message").filter(has_text="robots in hall 2")
    await answer.hover()
    await answer.get_by_role("button", name="More actions").click()
    await page.get_by_test_id("shortcut-mark_answer").click()
    card = pane.get_by_test_id("message").filter(has_text="Shall I keep it?")
    keep = card.get_by_role("button", name="Keep")
    await keep.scroll_into_view_if_needed()
    await expect(card.get_by_role("checkbox", name="A golden question")).to_be_checked()
    await page.mouse.move(0, 0)
    await page.screenshot(path=shots / "answer-card.png", animations="disabled")
    await page.set_viewport_size({"width": 420, "height": 900})
    await keep.scroll_into_view_if_needed()
    await page.screenshot(path=shots / "answer-card-narrow.png", animations="disabled")
    await page.set_viewport_size({"width": 1440, "height": 1000})
    await card.get_by_role("button", name="Edit").click()
    modal = page.get_by_test_id("modal")
    await expect(modal.get_by_role("textbox", name="Answer")).to_have_value(words)
    await page.screenshot(path=shots / "answer-edit.png", animations="disabled")
    await modal.get_by_role("button", name="Cancel").click()
    await keep.click()
    await expect(pane).to_contain_text("an example and a golden question.")
    await page.screenshot(path=shots / "answer-kept.png", animations="disabled")
