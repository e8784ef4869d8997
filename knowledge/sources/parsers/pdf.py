"""PDF: the text of each page under its number."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from knowledge.documents import Block, BlockKind, Content
from knowledge.errors import DocumentUnreadable
from knowledge.sources.parsers import ocr
from knowledge.sources.parsers.base import clean, without_lines
from knowledge.sources.parsers.text import paragraphs

# pypdf warns of every oddity that it reads past; what cannot be read is told as a problem.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def parse(data: bytes, name: str) -> Content:
    """The content of a PDF. Raises DocumentUnreadable for broken and encrypted ones, and for scans without OCR."""
    # pypdf takes 20 MB of memory, so only those pay who have such files.
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentUnreadable(f"{name} is an encrypted PDF. Save it without a password to have it searched.")
        blocks = _blocks(page.extract_text() for page in reader.pages)
        details = reader.metadata
    except DocumentUnreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError) as error:
        # Damage shows in many places of pypdf, not only as its own errors.
        raise DocumentUnreadable(f"{name} is a broken PDF ({_first_line(error)}). Save it anew.") from error
    blocks = blocks or _scanned(data, name)
    if details is None:
        return Content(blocks)
    try:
        updated = details.modification_date
    except (ValueError, PyPdfError):  # a date that is none
        updated = None
    return Content(blocks, title=_said(details.title), author=_said(details.author), updated=_zoned(updated))


def _blocks(pages: Iterable[str]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for number, text in enumerate(pages, 1):
        found = paragraphs(clean(text))
        if found:
            blocks += [Block(BlockKind.HEADING, f"Page {number}", 1), *without_lines(found)]
    return tuple(blocks)


def _scanned(data: bytes, name: str) -> tuple[Block, ...]:
    if not ocr.is_installed():
        raise DocumentUnreadable(
            f"{name} is a PDF without text (a scan?). Add a text layer, or let this machine read scans: install the "
            "program tesseract and pip install pypdfium2."
        )
    blocks = _blocks(ocr.pages(data, name))
    if not blocks:
        raise DocumentUnreadable(f"{name} is a PDF without text, and no words were found in its pictures.")
    return blocks


def _said(text: object) -> str | None:
    return (clean(text).strip() or None) if isinstance(text, str) else None


def _zoned(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120].rstrip(".")
