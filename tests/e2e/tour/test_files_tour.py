"""A file that is asked about, a picture that is drawn, and a file that is refused, in a real browser."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from house import House, open_house
from media_house import MEDIA_CARDS
from model_server import ModelServer
from PIL import Image, ImageDraw
from playwright.async_api import FilePayload, Locator, Page, expect
from sample_files import CSV, m4a, zipped

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser


@pytest_asyncio.fixture(loop_scope="module")
async def house(tmp_path: Path, models_dir: Path) -> AsyncIterator[House]:
    async with (
        ModelServer() as server,
        open_house(tmp_path, models_dir, models=server, more_cards=MEDIA_CARDS) as house,
    ):
        yield house


def fox() -> bytes:
    """A red fox, as well as ellipses and triangles can draw one."""
    picture = Image.new("RGB", (1024, 1024), "#dfe9f2")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((240, 320, 784, 900), fill="#c8501e")
    pen.polygon([(260, 420), (300, 120), (480, 360)], fill="#c8501e")
    pen.polygon([(764, 420), (724, 120), (544, 360)], fill="#c8501e")
    pen.polygon([(360, 620), (664, 620), (512, 900)], fill="#fff7ef")
    for left in (380, 580):
        pen.ellipse((left, 500, left + 64, 564), fill="#20262c")
    pen.ellipse((472, 800, 552, 860), fill="#20262c")
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


async def send(page: Page, text: str, **files: tuple[str, bytes]) -> None:
    composer = page.get_by_test_id("composer").first
    if files:
        sent = [
            FilePayload(name=name, mimeType=kind.replace("_", "/"), buffer=data) for kind, (name, data) in files.items()
        ]
        await page.locator("input[type=file]").first.set_input_files(sent)
    await composer.fill(text)
    await composer.press("Escape")  # closes the suggestions, so that Enter sends
    await composer.press("Enter")


async def open_thread(page: Page, number: int) -> Locator:
    bars = page.get_by_test_id("thread-bar")
    await expect(bars).to_have_count(number)
    await bars.last.click()
    return page.get_by_test_id("thread-pane")


async def test_a_person_attaches_a_table_has_a_fox_drawn_and_is_told_what_is_not_read(
    page: Page, shots: Path, house: House
) -> None:
    assert house.models is not None
    await page.locator('[data-testid=sidebar-item][data-channel="C0HELP"]').click()
    house.models.script("Platform cost **1,350** in February, 150 more than in January. [1]")
    await send(page, "@Switchboard What did Platform cost in February?", text_csv=("budget.csv", CSV))
    pane = await open_thread(page, 1)
    await expect(pane).to_contain_text("[1] the attached budget.csv")
    await expect(pane).to_contain_text("150 more than in January.")
    await page.screenshot(path=shots / "attached-table.png", animations="disabled")
    await pane.get_by_role("button", name="Close").first.click()
    house.models.script_pictures(fox())
    await send(page, "@Switchboard draw a red fox in the snow")
    pane = await open_thread(page, 2)
    picture = pane.get_by_alt_text("a red fox in the snow")
    await expect(picture).to_be_visible()
    await expect(pane).to_contain_text("Drawn for @Maya Chen · test-brush · $0.03")
    await page.screenshot(path=shots / "drawn-picture.png", animations="disabled")
    await pane.get_by_role("button", name="Close").first.click()
    await send(page, "@Switchboard What is in here?", application_zip=("backup.zip", zipped({"a.txt": b"a"})))
    pane = await open_thread(page, 3)
    await expect(pane).to_contain_text("backup.zip is an archive of files, so I left it closed.")
    await page.screenshot(path=shots / "refused-file.png", animations="disabled")
    await pane.get_by_role("button", name="Close").first.click()
    house.models.script_transcripts("How do I roll back a release?")
    house.models.script("Run `robot deploy rollback` and name the release that worked. [1]")
    await send(page, "@Switchboard", audio_mp4=("audio_message.m4a", m4a(6_000)))
    pane = await open_thread(page, 4)
    await expect(pane).to_contain_text("I heard: “How do I roll back a release?”")
    await expect(pane).to_contain_text("name the release that worked.")
    await page.screenshot(path=shots / "voice-message.png", animations="disabled")
