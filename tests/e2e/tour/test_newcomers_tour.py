"""A newcomer's first minutes, clicked through in a real browser against the whole bot.

`make screenshots` keeps what is seen here in docs/images, where the README shows it.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from house import ROOT, House, open_house
from playwright.async_api import Browser, Locator, Page, expect

from bot.config import Folder
from bot.core import Core
from bot.costs.ledger import Call
from bot.costs.periods import Week
from bot.costs.report import weekly_report
from bot.domain import Price, Usage
from bot.storage.tables import feedback, questions
from handlers.posts import post_report

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser


DOCS = (Folder(path=ROOT / "docs", name="docs"),)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def docs_read(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Path:
    """The data of a bot that has read the docs and was asked nothing yet."""
    folder = tmp_path_factory.mktemp("docs-read")
    async with open_house(folder, models_dir, folders=DOCS):
        return folder / "data"


@pytest_asyncio.fixture(loop_scope="module")
async def house(docs_read: Path, tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    shutil.copytree(docs_read, tmp_path / "data")
    async with open_house(tmp_path, models_dir, folders=DOCS) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, house: House) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(20_000)
    await page.goto(house.workspace.url)
    yield page
    await context.close()


async def go_to(page: Page, channel: str) -> None:
    await page.locator(f'[data-testid=sidebar-item][data-channel="{channel}"]').click()


async def say(page: Page, text: str) -> None:
    composer = page.get_by_test_id("composer").first
    await composer.fill(text)
    await composer.press("Escape")  # closes the suggestions, so that Enter sends
    await composer.press("Enter")


def answer_in(place: Locator) -> Locator:
    return place.get_by_test_id("message").filter(has=place.page.get_by_role("button", name="Why this answer?"))


async def keep(page: Page, shots: Path, name: str) -> None:
    """A picture for the README, with nothing that still moves and nothing under the pointer."""
    await page.mouse.move(700, 5)
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=shots / f"{name}.png", animations="disabled")


async def test_a_newcomer_asks_sees_the_source_and_the_receipt(page: Page, shots: Path) -> None:
    await go_to(page, "C0HELP")
    await say(page, "@Switchboard How do I connect Switchboard to our own Slack?")
    await page.get_by_test_id("thread-bar").click()
    pane = page.get_by_test_id("thread-pane")
    answer = answer_in(pane)
    await expect(answer).to_have_count(1)
    await expect(answer).to_contain_text("manifest")
    await expect(answer).to_contain_text("offline")
    await expect(answer.locator(".is-growing")).to_have_count(0)
    await keep(page, shots, "channel-answer")

    await answer.get_by_role("button", name="Why this answer?").click()
    receipt = page.get_by_test_id("modal")
    await expect(receipt).to_contain_text("knowledge search")
    await keep(page, shots, "receipt")
    await page.keyboard.press("Escape")


async def test_a_newcomer_asks_alone_and_sees_suggestions(page: Page, shots: Path, house: House) -> None:
    await go_to(page, "D0MAYA")
    await expect(page.get_by_test_id("prompts")).to_be_visible()
    await keep(page, shots, "direct-message")
    await page.get_by_test_id("prompts").get_by_role("button").first.click()
    await expect(page.get_by_test_id("message").first).to_be_visible()


async def test_a_newcomer_looks_at_the_models(page: Page, shots: Path) -> None:
    await go_to(page, "C0HELP")
    await say(page, "/model")
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("offline")
    await keep(page, shots, "model-picker")


async def test_the_home_tab_says_what_it_can_do(page: Page, shots: Path) -> None:
    await go_to(page, "D0MAYA")
    await page.get_by_test_id("home-tab").click()
    await expect(page.get_by_test_id("home")).to_contain_text("docs")
    await keep(page, shots, "home")


async def test_an_admin_reads_the_weekly_report(page: Page, shots: Path, house: House) -> None:
    core = house.app.core
    week = Week.before(core.clock(), UTC)
    await spend(core, week)
    await page.set_viewport_size({"width": 1440, "height": 1180})
    await post_report(house.app.client, "C0REPORTS", await weekly_report(core.ledger, core.feedback.counts, week))
    await go_to(page, "C0REPORTS")
    message = page.get_by_test_id("message").last
    await expect(message).to_contain_text("Last week cost at least $")
    await expect(message.locator("svg").first).to_be_visible()
    await keep(page, shots, "weekly-report")


async def spend(core: Core, week: Week) -> None:
    """Two weeks of calls and thumbs, so that there is something to report."""
    for name, start, factor in (("before", week.previous.since, 2), ("last", week.since, 1)):
        for number, (model, provider, strategy, channel, cost, outcome) in enumerate(CALLS):
            question = f"{name}-{number}"
            at = start + timedelta(days=number % 5, hours=9 + number % 7, minutes=7 * number)
            async with core.engine.begin() as connection:
                await connection.execute(questions.insert().values(_question(question, channel, at)))
            call = Call(
                question_id=question,
                purpose="answer",
                attempt=1,
                provider=provider,
                model=model,
                strategy=strategy,
                channel=channel,
                asker="U0LEO",
                started_at=at,
            )
            row = await core.ledger.open(call)
            price = Price(amount=None if cost is None else factor * Decimal(cost), version="genai-prices")
            used = Usage(prompt_tokens=1800 + 100 * number, completion_tokens=220)
            usage = used if outcome == "answered" else None
            await core.ledger.settle(row, outcome=outcome, seconds=1.4, usage=usage, price=price)
            thumb = {"question_id": question, "person": "U0LEO", "value": -1 if number == 6 else 1, "given_at": at}
            async with core.engine.begin() as connection:
                await connection.execute(feedback.insert().values(thumb))


def _question(identifier: str, channel: str, at: datetime) -> dict[str, object]:
    kind = "private_channel" if channel.startswith("G") else "channel"
    place = {"workspace": "T0LOCAL", "channel": channel, "place_kind": kind, "scopes": ["everyone"], "private": False}
    return {"id": identifier, "text": "How?", "asker": "U0LEO", "asked_at": at, **place}


CALLS = (
    ("gpt-6-luna", "openai", "rag", "C0HELP", "0.0231", "answered"),
    ("gpt-6-luna", "openai", "rag", "C0ENG", "0.0352", "answered"),
    ("mistral-small", "mistral", "few_shot", "C0ENG", "0.0031", "answered"),
    ("gpt-6-luna", "openai", "rag", "C0HELP", "0.0287", "answered"),
    ("gpt-6-luna", "openai", "zero_shot", "C0GENERAL", "0.0154", "answered"),
    ("gpt-6-luna", "openai", "rag", "G0FIN", "0.0212", "answered"),
    ("gpt-6-luna", "openai", "rag", "C0HELP", None, "rate_limited"),
    ("llama-3.3-70b", "vllm", "rag", "C0GENERAL", None, "answered"),
    ("mistral-small", "mistral", "few_shot", "C0ENG", "0.0042", "answered"),
    ("offline", "offline", "rag", "C0HELP", "0", "answered"),
)
