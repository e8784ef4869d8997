"""Who answers and why: an admin allows models, fixes one, tries another, and reads it all, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from house import House, open_house
from model_server import ModelServer
from playwright.async_api import Page, expect

from bot.core import Core
from bot.costs.calls import Call
from bot.domain import Price, Usage
from bot.storage.tables import questions

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser

MORE = """
[[models]]
name = "small-model"
title = "Small model"
provider = "testing"
context_window = 8000
rates = { input = "0.10", output = "0.40" }
summary = "Small and cheap."

[[providers]]
name = "cloud"
title = "A cloud"
base_url = "http://198.51.100.1:9/v1/"

[[models]]
name = "cloud-model"
title = "Cloud model"
provider = "cloud"
context_window = 200000
rates = { input = "3", output = "15" }
summary = "Runs elsewhere."
"""


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    async with ModelServer() as server, open_house(tmp_path, models_dir, models=server, more_cards=MORE) as house:
        yield house


async def answered(core: Core, of: str, note: Callable[[str, bool], Awaitable[None]]) -> None:
    """Thirty answers on each side, with what they cost and thumbs for some."""
    now = core.clock()
    for number in range(60):
        id, drawn = f"{of}-{number}", number % 2 == 0
        receipt = {"outcome": "answered", "seconds": (2.4 if drawn else 1.2) + number % 7 / 10}
        async with core.engine.begin() as connection:
            await connection.execute(
                questions.insert().values(
                    id=id,
                    text="?",
                    asker="U0LEO",
                    workspace="T1",
                    channel="C0HELP",
                    place_kind="channel",
                    scopes=[],
                    asked_at=now,
                    receipt=receipt,
                )
            )
        await note(id, drawn)
        call = Call(
            question_id=id,
            purpose="answer",
            attempt=1,
            provider="testing",
            model="test-model" if drawn else "small-model",
            strategy="rag",
            channel="C0HELP",
            asker="U0LEO",
            started_at=now,
        )
        cost = Decimal("0.0012" if drawn else "0.0002") + Decimal(number % 5) / 100_000
        usage = Usage(prompt_tokens=900, completion_tokens=80)
        price = Price(amount=cost, version="cards")
        await core.ledger.settle(await core.ledger.open(call), outcome="answered", seconds=2, usage=usage, price=price)
        if number % 3 == 0:
            await core.feedback.give(id, "U0LEO", -1 if number % 9 == 0 else 1)


async def command(page: Page, text: str, says: str) -> None:
    """Types a command and waits for what it says."""
    composer = page.get_by_test_id("composer").first
    await composer.fill(text)
    await composer.press("Escape")  # closes the suggestions, so that Enter sends
    await composer.press("Enter")
    await expect(page.get_by_test_id("message").last).to_contain_text(says)


async def test_an_admin_decides_which_models_answer_and_everybody_sees_why(
    page: Page, shots: Path, house: House
) -> None:
    await page.locator('[data-testid=sidebar-item][data-channel="C0HELP"]').click()
    await command(page, "/model use test-model workspace because best value so far", "for everyone in the workspace")
    await command(page, "/model use small-model here because cheaper for support", "Whoever fixed a model")
    await command(page, "/model use cloud-model for me", "answers for you")
    await command(page, "/model allow test-model small-model workspace because of our contract", "Passed over from now")
    last = page.get_by_test_id("message").last
    await expect(last).to_contain_text("Left out: cloud-model.")
    await page.screenshot(path=shots / "allow-list.png", animations="disabled")
    await command(
        page, "/model trial test-model 30% for 14 days because is it worth its price here?", "drawn by chance"
    )
    await command(page, "/model why", "answers you here")
    why = page.get_by_test_id("message").last
    await expect(why).to_contain_text(
        "small-model answers you here: it is fixed for this channel (“cheaper for support”)"
    )
    await expect(why).to_contain_text("test-model is on trial and answers 30% of this channel's questions")
    await expect(why).to_contain_text("passed over: the workspace's allow-list leaves some models out")
    await expect(why).to_contain_text("overruled by this channel")
    await page.screenshot(path=shots / "model-why.png", animations="disabled")
    await command(page, "/model trial", "Too few to tell")
    core = house.app.core
    running = await core.trials.running("C0HELP")
    assert running is not None
    await answered(core, "trial", lambda id, drawn: core.trials.note(id, running, drawn))
    await command(page, "/model trial", "It is dearer by $0.001")
    trial = page.get_by_test_id("message").last
    await expect(trial).to_contain_text("No difference in thumbs is shown")
    await expect(trial).to_contain_text("test-model (30%)")
    await page.screenshot(path=shots / "model-trial.png", animations="disabled")
    await command(page, "/tune shadow test-model because it was tuned on our examples", "It answers some questions")
    await command(page, "/tune canary test-model 20% here", "canary: 20% in #help")
    begun = await core.rollouts.of("test-model")
    assert begun is not None
    await answered(core, "rollout", lambda id, drawn: core.rollouts.note(id, begun, drawn=drawn))
    await command(page, "/tune", "Within the hour it is rolled back.")
    await expect(page.get_by_test_id("message").last).to_contain_text("Roll back")
    await page.screenshot(path=shots / "rollout.png", animations="disabled")
    composer = page.get_by_test_id("composer").first
    await composer.fill("/model")
    await composer.press("Escape")
    await composer.press("Enter")
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("For everyone in the workspace")
    await page.screenshot(path=shots / "model-picker.png", animations="disabled")
