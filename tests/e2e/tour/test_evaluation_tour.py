"""The page of an evaluation in a real browser; `make screenshots` keeps it in docs/images."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from matrices import WORTH, run, simulated
from playwright.async_api import Browser, Page

from bot.evaluation.compare import compare
from bot.evaluation.flips import flips
from bot.evaluation.matrix import Matrix, Way
from bot.evaluation.overview import overview
from bot.evaluation.page import render
from bot.evaluation.selector_report import selector_report

pytestmark = pytest.mark.asyncio(loop_scope="module")  # with the browser

CASES: dict[str, dict[str, Any]] = {
    "few": {"questions": 3, "number_of_ways": 2},
    "many": {"questions": 400, "number_of_ways": 12, "free": (0,), "unpriced": (5,)},
    "long names": {"questions": 60, "number_of_ways": 12, "long_names": True, "unpriced": (3, 7)},
}

# The smallest contrast of any text on the page, by WCAG 2's formula, with the element that has it.
CONTRAST = """() => {
  const channels = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = channels(c).slice(0, 3).map(v => { v /= c.startsWith('color(') ? 1 : 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    const parts = channels(c); if (parts.length < 4 || parts[3] > 0) return c; } return 'rgb(255, 255, 255)'; };
  let least = [99, ''];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !e.checkVisibility() || ['title', 'STYLE'].includes(e.tagName)) continue;
    const style = getComputedStyle(e), ink = e.ownerSVGElement ? style.fill : style.color;
    const [a, b] = [light(ink), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < least[0]) least = [ratio, `${e.tagName} ${e.textContent.slice(0, 40)}`];
  }
  return least;
}"""


_pages: dict[str, str] = {}


async def made(case: str, folder: Path) -> Path:
    """The page of a simulated run, compared with another one of the same questions; made once for all."""
    if case not in _pages:
        _pages[case] = await _page(case)
    file = folder / f"{case}.html"
    file.write_text(_pages[case], encoding="utf-8")
    return file


async def _page(case: str) -> str:
    matrix = simulated(**CASES[case])
    again = simulated(**CASES[case], seed=2)
    cells = {key: again.cells[key] if int(key[0][1:]) % 3 == 0 else cell for key, cell in matrix.cells.items()}
    taken = {row.text: row.chosen for row in matrix.rows}

    def decide(text: str) -> Way | None:
        return taken.get(text, matrix.ways[len(text) % 2])

    report = selector_report(
        matrix, WORTH, absent=[row.id for row in matrix.rows[::9]], decision_ms=[1.4, 1.9, 2.2, 3.0],
        flips=await flips(matrix.rows[:30], decide),
    )  # fmt: skip
    earlier = (run(name="golden questions of October", index="38"), Matrix(matrix.rows, matrix.ways, cells))
    now = run(questions=len(matrix.rows))
    return render(now, matrix, overview(matrix, WORTH), selector=report, comparison=compare(earlier, (now, matrix)))


@pytest.fixture
def shots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder: Path = request.config.getoption("--screenshots") or tmp_path / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest_asyncio.fixture(
    loop_scope="module", params=[(1400, "light"), (1400, "dark"), (375, "light"), (375, "dark")], ids=str
)
async def page(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    width, scheme = request.param
    context = await browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("case", CASES)
async def test_the_page_of_an_evaluation_is_readable_wide_and_narrow_by_day_and_by_night(
    page: Page, case: str, tmp_path: Path
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    await page.goto((await made(case, tmp_path)).as_uri())
    assert said == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    least, where = await page.evaluate(CONTRAST)
    assert least >= 4.5, where
    tallest = "rows => Math.max(...rows.map(row => row.getBoundingClientRect().height))"
    assert await page.locator("main tr").evaluate_all(tallest) <= 200  # no cell is squeezed to a letter a line
    # One of the two pictures is shown, and its text is not shrunk below 10 pixels.
    (shown,) = [picture for picture in await page.locator("svg.picture").all() if await picture.is_visible()]
    heights = await shown.locator("text").evaluate_all("texts => texts.map(t => t.getBoundingClientRect().height)")
    assert min(heights) >= 10
    cut = "texts => { const b = texts[0].ownerSVGElement.getBoundingClientRect(); return texts.filter(t => { "
    cut += "const r = t.getBoundingClientRect(); return r.left < b.left - 1 || r.right > b.right + 1; })"
    assert await shown.locator("text").evaluate_all(f"{cut}.map(t => t.textContent); }}") == []


async def test_the_page_of_an_evaluation_prints_with_everything_unfolded(browser: Browser, tmp_path: Path) -> None:
    page = await browser.new_page(viewport={"width": 800, "height": 1100}, color_scheme="dark")
    await page.emulate_media(media="print", color_scheme="dark")
    await page.goto((await made("many", tmp_path)).as_uri())
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    folded = page.locator("details table tbody tr").last
    assert (await folded.bounding_box(timeout=5_000) or {"height": 0})["height"] > 0
    await page.emulate_media(media="screen")
    assert not await folded.is_visible()
    await page.close()


async def test_the_evaluation_is_kept_for_the_docs(browser: Browser, tmp_path: Path, shots: Path) -> None:
    page = await browser.new_page(viewport={"width": 1180, "height": 1080}, color_scheme="light")
    await page.goto((await made("many", tmp_path)).as_uri())
    assert "is the best value" in await page.locator("h1").inner_text()
    await page.screenshot(path=shots / "evaluation.png")
    await page.close()
