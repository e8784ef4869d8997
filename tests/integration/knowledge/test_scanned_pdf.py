"""Scans: named as unreadable where nothing can read them, read where tesseract is there."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
import pytest
from PIL import Image, ImageDraw, ImageFont

from knowledge.errors import DocumentUnreadable
from knowledge.sources.parsers import ocr, pdf

LINES = ("To roll back, run make rollback.", "The release captain must know.")
needs_tesseract = pytest.mark.skipif(not ocr.is_installed(), reason="tesseract is not installed")


@pytest.fixture(scope="module")
def scan() -> bytes:
    """Two pages that hold pictures of words and no words."""
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), 30)
    sheets = []
    for line in LINES:
        sheet = Image.new("L", (1240, 400), "white")
        ImageDraw.Draw(sheet).text((100, 150), line, fill="black", font=font)
        sheets.append(sheet)
    file = io.BytesIO()
    sheets[0].save(file, "PDF", resolution=150, save_all=True, append_images=sheets[1:])
    return file.getvalue()


@needs_tesseract
def test_a_scan_is_read_page_by_page(scan: bytes) -> None:
    content = pdf.parse(scan, "scan.pdf")
    assert [block.text for block in content.blocks] == ["Page 1", LINES[0], "Page 2", LINES[1]]


def test_where_nothing_can_read_it_a_scan_is_named_with_the_way_out(
    scan: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DocumentUnreadable, match=r"without text.*tesseract.*pypdfium2"):
        pdf.parse(scan, "scan.pdf")


@needs_tesseract
def test_a_scan_of_too_many_pages_is_named(scan: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "MOST_PAGES", 1)
    with pytest.raises(DocumentUnreadable, match="2 pages"):
        pdf.parse(scan, "scan.pdf")
