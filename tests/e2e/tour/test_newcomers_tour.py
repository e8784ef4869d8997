"""A newcomer's first minutes, clicked through in a real browser against the whole bot.

`make screenshots` keeps what is seen here in docs/images, where the README shows it.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from house import ROOT, House, open_house
from playwright.async_api import Browser, Locator, Page, expect

from bot.config import Folder
from bot.core import Core
from bot.costs.periods import Week
from bot.reporting import report_of
from bot.storage.cost_tables import ledger
from bot.storage.tables import feedback, questions
from handlers.audience import Places
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
    await page.set_viewport_size({"width": 1440, "height": 1240})
    await core.owners.set("channel", "C0ENG", "U0SAM", "U0MAYA")
    report = await report_of(core, week, scopes=await Places(house.app.client).readers("C0REPORTS"))
    await post_report(house.app.client, "C0REPORTS", report)
    await go_to(page, "C0REPORTS")
    message = page.get_by_test_id("message").last
    await expect(message).to_contain_text("Last week cost $")
    await expect(message).to_contain_text("against the week before")
    await expect(message).to_contain_text("found no good answer")
    await expect(message).to_contain_text("· ask Sam Okafor")
    await expect(message).not_to_contain_text("budget")
    await expect(message.locator("svg").first).to_be_visible()
    await page.get_by_test_id("thread-bar").click()
    pane = page.get_by_test_id("thread-pane")
    await expect(pane).to_contain_text("Model costs, ")
    await pane.get_by_text("What the models cost").scroll_into_view_if_needed()
    await keep(page, shots, "weekly-report")


async def spend(core: Core, week: Week) -> None:
    """Nine weeks of a team's calls, with a Wednesday on which #engineering tried something."""
    draw = random.Random(20261121)
    rows = [row for back in range(63) for row in _day(draw, week.days[-1] - timedelta(days=back), week)]
    async with core.engine.begin() as connection:
        await connection.execute(ledger.insert(), [row for row, _ in rows])
        asked = {row["question_id"]: _question(row) for row, _ in rows}
        await connection.execute(questions.insert(), list(asked.values()))
        thumbs = [(row, value) for row, value in rows if value and row["started_at"] >= week.since]
        given = {
            row["question_id"]: {
                "question_id": row["question_id"], "person": "U0LEO", "value": value, "given_at": row["started_at"],
            }
            for row, value in thumbs
        }  # fmt: skip
        await connection.execute(feedback.insert(), list(given.values()))


def _day(draw: random.Random, day: date, week: Week) -> Iterator[tuple[dict[str, Any], int]]:
    """A day's calls, each with the thumb that its answer got."""
    busy = 6 if day.weekday() > 4 else 42
    tried = day == week.days[2]
    for number in range(busy + 25 * tried):
        channel, model, strategy, tokens, price = draw.choices(WAYS, [5, 3, 4, 2, 1, 1])[0]
        if tried and number >= busy:
            channel, tokens = "C0ENG", 5 * tokens
        at = datetime.combine(day, time(9), UTC) + timedelta(minutes=11 * number)
        outcome = draw.choices(("answered", "stopped", "rate_limited"), [60, 2, 1])[0]
        used = 0 if outcome == "rate_limited" else int(tokens * draw.lognormvariate(0, 0.3))
        known = price if used else None
        yield (
            {
                "question_id": f"{day}-{number}", "purpose": "answer", "attempt": 1, "provider": "openai",
                "model": model, "strategy": strategy, "workspace": "T0LOCAL", "channel": channel, "asker": "U0LEO",
                "started_at": at, "seconds": 1.4, "prompt_tokens": used, "completion_tokens": used // 8,
                "estimated": False, "cost": None if known is None else (used * Decimal(known)).scaleb(-6),
                "outcome": outcome,
            },
            draw.choices((1, -1, 0), [4, 1, 15])[0] if outcome == "answered" else 0,
        )  # fmt: skip


def _question(row: dict[str, Any]) -> dict[str, object]:
    kind = "private_channel" if row["channel"].startswith("G") else "channel"
    place = {"workspace": "T0LOCAL", "channel": row["channel"], "place_kind": kind, "scopes": ["everyone"]}
    text = (
        "What is the budget for robots?"
        if kind == "private_channel"
        else ASKED[int(row["question_id"][-1]) % len(ASKED)]
    )
    return {"id": row["question_id"], "text": text, "asker": "U0LEO", "asked_at": row["started_at"], **place}


ASKED = (
    "Why is my VPN certificate expired?",
    "How do I renew the VPN certificate?",
    "When is the canteen open for lunch?",
    "How do I get access to the staging cluster?",
    "Who can give me access to the staging cluster?",
    "Where do I book a meeting room?",
)
WAYS = (
    ("C0HELP", "gpt-6-luna", "rag", 5200, "2.4"),
    ("C0ENG", "gpt-6-luna", "rag", 6100, "2.4"),
    ("C0ENG", "mistral-small", "few_shot", 1900, "0.4"),
    ("C0GENERAL", "gpt-6-luna", "zero_shot", 900, "2.4"),
    ("G0FIN", "gpt-6-terra", "rag", 7400, "9.5"),
    ("C0GENERAL", "offline", "rag", 800, "0"),
)
